"""A dag that leaves a mark for each execution of a task, so that tests can count them."""

from collections import Counter
from pathlib import Path


def dag_of(tasks: int, looks: int, *, goes_wrong: bool = False) -> str:
    """The file of a dag ``marks``: half of its tasks wait for one of the other half each; ``looks`` is how long each takes.

    If it ``goes_wrong``, one more task, the last, fails and people are told.
    """
    return f"""
import os
from pathlib import Path

from ostinato import dag, retry, task

MARKS = Path(os.environ["MARKS"])


@task(retry=retry(resource=20, first_delay="10ms"))
def mark(number: int, after: list[int] | None = None) -> int:
    with MARKS.open("a") as file:
        file.write(f"{{number}}\\n")
    for _ in range({looks}):
        os.stat(MARKS)
    return number


@task
def wrong(after: list[int]) -> None:
    raise ValueError("this one is wrong, and somebody is to be told")


@dag()
def marks() -> None:
    firsts = [mark.named(f"first_{{n}}")(n) for n in range({tasks // 2})]
    seconds = [mark.named(f"second_{{n}}")({tasks // 2} + n, [first]) for n, first in enumerate(firsts)]
    if {goes_wrong}:
        wrong(seconds)
"""


def executed(marks: Path) -> Counter[int]:
    """How often each task was executed."""
    return Counter(int(line) for line in marks.read_text().split())
