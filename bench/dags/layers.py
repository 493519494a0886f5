"""Ten layers of a thousand tasks that do nothing; each task comes after all of the layer before."""

from ostinato import dag, step, task


@task
def nothing() -> None:
    """Do nothing."""


@dag()
def layers() -> None:
    before = []
    for layer in range(10):
        steps = [nothing.named(f"t{layer}_{n}")() for n in range(1_000)]
        if before:
            step(*before) >> steps
        before = steps
