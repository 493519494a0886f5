"""Who goes first, who waits for whom, and who must not."""

import os
from collections.abc import Iterator

import pytest

from ostinato.home import Home
from tests.acceptance.agent_rig import Rig

TASKS = """
@task
def short() -> None:
    with Path(__file__).with_name("marks").open("a") as file:
        file.write(f"{context().attempt}\\n")

@task
def long() -> str:
    return Path(__file__).with_name(f"fifo{context().attempt}").read_text()

@task
def short_or_long() -> str:
    fifo = Path(__file__).with_name(f"fifo{context().attempt}")
    return fifo.read_text() if fifo.exists() else ""

@task
def measures_company() -> int:
    here = Path(__file__).with_name("company")
    here.mkdir(exist_ok=True)
    mine = here / str(os.getpid())
    mine.touch()
    company = len(list(here.iterdir()))
    mine.unlink()
    return company
"""


def rig_with(home: Home, slots: int) -> Iterator[Rig]:
    rig = Rig(home, slots)
    rig.code(TASKS)
    yield rig
    rig.stop()


@pytest.fixture
def single(home: Home) -> Iterator[Rig]:
    """An agent with one slot."""
    yield from rig_with(home, 1)


@pytest.fixture
def double(home: Home) -> Iterator[Rig]:
    """An agent with two slots."""
    yield from rig_with(home, 2)


def block(rig: Rig) -> int:
    """Occupy a slot until `unblock`."""
    assignment = rig.assignment("long")
    os.mkfifo(rig.home.path / f"fifo{assignment.attempt}")
    [attempt] = rig.launch_all([assignment])
    rig.wait_until_running(attempt)
    return attempt


def unblock(rig: Rig, attempt: int) -> None:
    (rig.home.path / f"fifo{attempt}").write_text("go")
    assert rig.result(attempt).verdict == "success"


def marks(rig: Rig) -> list[int]:
    """The attempts that have left a mark, in the order in which they ran."""
    return [int(line) for line in (rig.home.path / "marks").read_text().split()]


def test_larger_priorities_go_first_and_equal_ones_in_the_order_of_arrival(single: Rig) -> None:
    blocker = block(single)
    attempts = {priority: [] for priority in (0, 5, -1)}
    for priority in (0, 5, -1, 0, 5, -1, 5, 0):
        attempts[priority].append(single.launch("short", priority=priority))
    unblock(single, blocker)
    everybody = attempts[5] + attempts[0] + attempts[-1]
    for attempt in everybody:
        single.result(attempt)
    assert marks(single) == everybody


def test_what_is_urgent_passes_what_was_given_ahead(single: Rig) -> None:
    for attempt in single.launch_all([single.assignment("short_or_long") for _ in range(200)]):
        single.result(attempt)  # now the agent takes them for short, and gives several ahead
    blocker = single.assignment("short_or_long")
    os.mkfifo(single.home.path / f"fifo{blocker.attempt}")
    later = [single.assignment("short") for _ in range(20)]
    single.launch_all([blocker, *later])
    single.wait_until_running(blocker.attempt)
    urgent = single.launch("short", priority=9)
    single.reconnect()  # the agent has read it by the time it answers
    unblock(single, blocker.attempt)
    for assignment in later:
        single.result(assignment.attempt)
    assert marks(single) == [urgent, *[assignment.attempt for assignment in later]]


def test_a_long_task_holds_up_nobody_whom_another_executor_could_perform(double: Rig) -> None:
    for attempt in double.launch_all([double.assignment("short_or_long") for _ in range(400)]):
        double.result(attempt)
    batch = [double.assignment("short_or_long") for _ in range(60)]
    blocker = batch[0].attempt
    os.mkfifo(double.home.path / f"fifo{blocker}")
    double.launch_all(batch)
    for assignment in batch[1:]:
        assert double.result(assignment.attempt).verdict == "success"
    assert double.results(blocker) == []
    unblock(double, blocker)


@pytest.mark.parametrize("isolation", ["reuse", "process"])
def test_never_more_run_at_once_than_there_are_slots(double: Rig, isolation: str) -> None:
    one, other = double.code(TASKS, "one"), double.code(TASKS, "other")
    sources = [one, other] * 15
    attempts = [double.launch("measures_company", source=source, isolation=isolation) for source in sources]
    outputs = {double.result(attempt).output for attempt in attempts}
    assert outputs <= {b"\x01", b"\x02"}


def test_one_version_does_not_starve_another_of_equal_rank(single: Rig) -> None:
    busy, rare = single.code(TASKS, "busy"), single.code(TASKS, "rare")
    stream = single.launch_all([single.assignment("short", source=busy) for _ in range(50)])
    lonely = single.launch("short", source=rare)
    while not single.results(lonely):  # as one ends, another comes
        done = len(single.arrived)
        single.pump(lambda seen=done: len(single.arrived) > seen)
        stream += single.launch_all(
            [single.assignment("short", source=busy) for _ in range(len(single.arrived) - done)]
        )
    for attempt in stream:
        single.result(attempt)
    assert len(marks(single)) == len(stream) + 1


def test_a_cancelled_attempt_that_was_given_ahead_never_runs(single: Rig) -> None:
    for attempt in single.launch_all([single.assignment("short_or_long") for _ in range(200)]):
        single.result(attempt)
    blocker = single.assignment("short_or_long")
    os.mkfifo(single.home.path / f"fifo{blocker.attempt}")
    later = single.launch_all([blocker, *[single.assignment("short") for _ in range(10)]])[1:]
    single.wait_until_running(blocker.attempt)
    single.cancel(*later[::2])
    assert {single.result(attempt).verdict for attempt in later[::2]} == {"cancelled"}
    unblock(single, blocker.attempt)
    assert {single.result(attempt).verdict for attempt in later[1::2]} == {"success"}
    assert marks(single) == later[1::2]


def test_cancelling_what_runs_spares_what_was_given_ahead(single: Rig) -> None:
    for attempt in single.launch_all([single.assignment("short_or_long") for _ in range(200)]):
        single.result(attempt)
    blocker = single.assignment("short_or_long")
    os.mkfifo(single.home.path / f"fifo{blocker.attempt}")
    later = single.launch_all([blocker, *[single.assignment("short") for _ in range(10)]])[1:]
    single.wait_until_running(blocker.attempt)
    single.cancel(blocker.attempt)
    assert single.result(blocker.attempt).verdict == "cancelled"
    assert {single.result(attempt).verdict for attempt in later} == {"success"}
    assert marks(single) == later
