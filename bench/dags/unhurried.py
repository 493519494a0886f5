"""Work for some seconds, whoever leads."""

from ostinato import dag, task


@task
def look(number: int) -> int:
    """Take some milliseconds."""
    for _ in range(500):
        sum(range(1_000))
    return number


@dag()
def unhurried() -> None:
    for number in range(2_000):
        look.named(f"look_{number}")(number)
