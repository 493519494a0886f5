"""Ten thousand independent tasks that do nothing, a hundred to warm the executors up with, and fifty for comparisons."""

from ostinato import dag, task


@task
def nothing() -> None:
    """Do nothing."""


@dag()
def independent() -> None:
    for n in range(10_000):
        nothing.named(f"t{n}")()


@dag()
def warm_up() -> None:
    for n in range(100):
        nothing.named(f"t{n}")()


@dag()
def fifty() -> None:
    for n in range(50):
        nothing.named(f"t{n}")()
