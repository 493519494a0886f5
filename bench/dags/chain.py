"""Fifty tasks that do nothing, one after the other."""

from ostinato import dag, task


@task
def link(before: int) -> int:
    """Hand on a number."""
    return before


@dag()
def chain() -> None:
    value = 0
    for n in range(50):
        value = link.named(f"t{n}")(value)
