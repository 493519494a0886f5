"""Whatever a task does to its process, the agent tells one end of it, truly, and goes on."""

import os
import signal
from collections.abc import Iterator

import pytest

from ostinato.home import Home
from ostinato.model.message import Finished
from tests.acceptance.agent_rig import Rig, alive

TASKS = r"""
@task
def hello() -> int:
    print("hello")
    return os.getpid()

@task
def raises() -> None:
    raise ValueError("no such thing")

@task
def exits() -> None:
    sys.exit(3)

@task
def is_interrupted() -> None:
    raise KeyboardInterrupt

@task
def exits_at_once() -> None:
    os._exit(3)

@task
def exits_at_once_as_if_all_were_well() -> None:
    os._exit(0)

@task
def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@task
def kills_its_group() -> None:
    os.killpg(0, signal.SIGKILL)

@task
def touches_memory_that_is_not_there() -> None:
    ctypes.string_at(0)

@task
def gives_up() -> None:
    os.abort()

@task
def eats_memory() -> None:
    eaten = bytearray(1 << 30)

@task
def closes_everything() -> None:
    os.closerange(0, 4096)

@task
def talks_nonsense() -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.write(int(name), b"\xff" * 64)
            except OSError:
                pass
    signal.pause()

@task
def comes_back_from_a_fork() -> int:
    return os.fork()

@task
def exits_in_a_fork() -> int:
    pid = os.fork()
    if pid == 0:
        sys.exit(5)
    return pid

@task
def leaves_a_child() -> int:
    return subprocess.Popen(["sleep", "1000"]).pid

@task
def leaves_a_daemon() -> int:
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, str(os.getpid()).encode())
            signal.pause()
        os._exit(0)
    os.wait()
    return int(os.read(read, 100))

@task
def sleeps_with_a_child() -> None:
    print(subprocess.Popen(["sleep", "1000"]).pid, flush=True)
    signal.pause()

@task
def is_deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pause()
    while True:
        signal.pause()

@task
def waits() -> None:
    print(os.getpid())
    signal.pause()

@task
def cleans_up() -> None:
    try:
        signal.pause()
    finally:
        print("cleaned up")

@task
def carries_on() -> str:
    try:
        signal.pause()
    except SystemExit:
        return "done in spite of it"
    return ""

@task
def shows_memory_limit() -> int:
    import resource
    return resource.getrlimit(resource.RLIMIT_DATA)[0]
"""


@pytest.fixture
def rig(home: Home) -> Iterator[Rig]:
    """An agent with the tasks above; that it is well is checked at the end of each test."""
    rig = Rig(home)
    rig.code(TASKS)
    yield rig
    assert rig.perform("hello").verdict == "success"
    assert len({finished.attempt for finished in rig.arrived}) == len(rig.arrived), "an attempt ended twice"
    rig.stop()


def test_a_task_that_returns_gives_its_result_its_output_and_its_cost(rig: Rig) -> None:
    finished = rig.perform("hello")
    assert finished.verdict == "success"
    assert rig.log(finished.log) == "hello\n"
    assert finished.started_at <= finished.finished_at
    assert finished.peak_kib > 5_000
    assert finished.cpu_ms >= 0


@pytest.mark.parametrize(
    ("task", "how", "exit_code"),
    [
        ("raises", "raised", None),
        ("exits", "exited", 3),
        ("is_interrupted", "exited", -2),
        ("exits_at_once", "exited", 3),
        ("exits_at_once_as_if_all_were_well", "exited", 0),
        ("kills_itself", "killed", -9),
        ("kills_its_group", "killed", -9),
        ("touches_memory_that_is_not_there", "killed", -11),
        ("gives_up", "killed", -6),
        ("closes_everything", "exited", 70),
        ("talks_nonsense", "killed", -9),
    ],
)
@pytest.mark.parametrize("isolation", ["reuse", "process"])
def test_a_bad_end_is_told_as_it_was(rig: Rig, task: str, how: str, exit_code: int | None, isolation: str) -> None:
    finished = rig.perform(task, isolation=isolation)
    assert finished.verdict == "failed"
    assert finished.failure is not None
    assert (finished.failure.how, finished.failure.exit_code) == (how, exit_code)
    assert finished.output is None


def test_a_failed_task_says_what_was_raised_and_the_next_has_another_process(rig: Rig) -> None:
    before = rig.value("hello")
    failure = rig.perform("raises").failure
    assert failure is not None
    assert failure.types[0] == "builtins.ValueError"
    assert failure.message == "no such thing"
    assert rig.value("hello") != before


def test_a_crash_in_native_code_leaves_its_place_in_the_log(rig: Rig) -> None:
    finished = rig.perform("touches_memory_that_is_not_there")
    assert "Segmentation fault" in rig.log(finished.log)
    assert "in touches_memory_that_is_not_there" in rig.log(finished.log)


@pytest.mark.parametrize("isolation", ["reuse", "process"])
def test_a_task_over_its_memory_gets_a_memory_error(rig: Rig, isolation: str) -> None:
    failure = rig.perform("eats_memory", memory=300 << 20, isolation=isolation).failure
    assert failure is not None
    assert (failure.how, failure.types[0]) == ("raised", "builtins.MemoryError")


def test_a_task_that_declares_no_memory_may_use_a_share_of_the_machine_and_no_more(rig: Rig) -> None:
    limit = rig.value("shows_memory_limit")
    assert isinstance(limit, int)
    assert 0 < limit < 1 << 50
    assert rig.value("shows_memory_limit", memory=1 << 30) == 1 << 30
    assert rig.value("shows_memory_limit") == limit


@pytest.mark.parametrize("isolation", ["reuse", "process"])
def test_the_child_that_comes_back_from_a_task_is_ended_and_says_nothing(rig: Rig, isolation: str) -> None:
    for task in ("comes_back_from_a_fork", "exits_in_a_fork"):
        child = rig.value(task, isolation=isolation)
        assert isinstance(child, int)
        assert not alive(child)


@pytest.mark.parametrize("isolation", ["reuse", "process"])
@pytest.mark.parametrize("task", ["leaves_a_child", "leaves_a_daemon"])
def test_when_a_result_is_told_nothing_that_the_task_started_lives(rig: Rig, task: str, isolation: str) -> None:
    child = rig.value(task, isolation=isolation)
    assert isinstance(child, int)
    assert not alive(child)


@pytest.mark.parametrize("task", ["sleeps_with_a_child", "is_deaf", "cleans_up"])
def test_a_task_over_its_time_is_stopped_with_all_it_started(rig: Rig, task: str) -> None:
    finished = rig.perform(task, timeout=0.5)
    assert finished.verdict == "failed"
    assert finished.failure is not None
    assert (finished.failure.how, finished.failure.exit_code) == ("timed_out", -9)
    assert "0.5 s" in finished.failure.message
    assert 490 <= finished.finished_at - finished.started_at < 5_000
    if task == "sleeps_with_a_child":
        assert not alive(int(rig.log(finished.log)))


def test_a_task_within_its_time_is_not_stopped(rig: Rig) -> None:
    assert rig.perform("hello", timeout=60.0).verdict == "success"


def test_a_running_task_that_is_cancelled_may_clean_up(rig: Rig) -> None:
    attempt = rig.launch("cleans_up")
    rig.wait_until_running(attempt)
    rig.cancel(attempt)
    finished = rig.result(attempt)
    assert (finished.verdict, finished.failure) == ("cancelled", None)
    assert rig.log(finished.log) == "cleaned up\n"


def test_a_cancelled_task_takes_its_children_along(rig: Rig) -> None:
    attempt = rig.launch("sleeps_with_a_child")
    rig.wait_until_running(attempt)
    rig.cancel(attempt)
    finished = rig.result(attempt)
    assert finished.verdict == "cancelled"
    assert not alive(int(rig.log(finished.log)))


def test_a_task_that_will_not_hear_of_being_cancelled_is_killed_after_a_grace(rig: Rig) -> None:
    attempt = rig.launch("is_deaf")
    rig.wait_until_running(attempt)
    rig.cancel(attempt)
    assert rig.result(attempt).verdict == "cancelled"


def test_a_task_that_ends_well_although_cancelled_keeps_its_result(rig: Rig) -> None:
    attempt = rig.launch("carries_on")
    rig.wait_until_running(attempt)
    rig.cancel(attempt)
    assert rig.result(attempt).verdict == "success"


def test_waiting_tasks_are_cancelled_at_once_and_never_run(rig: Rig) -> None:
    blockers = [rig.launch("cleans_up"), rig.launch("cleans_up")]
    waiting = [rig.launch("hello") for _ in range(5)]
    rig.cancel(*waiting)
    results = [rig.result(attempt) for attempt in waiting]
    assert [(finished.verdict, finished.log) for finished in results] == [("cancelled", None)] * 5
    rig.cancel(*blockers)
    assert [rig.result(attempt).verdict for attempt in blockers] == ["cancelled"] * 2


def test_cancelling_what_nobody_knows_changes_nothing(rig: Rig) -> None:
    rig.cancel(12_345)
    assert rig.perform("hello").verdict == "success"
    assert rig.results(12_345) == []


def test_an_executor_killed_from_outside_fails_its_task_and_no_other(rig: Rig) -> None:
    victim, other = rig.launch("waits"), rig.launch("waits")
    pid = int(rig.printed(rig.wait_until_running(victim)))
    rig.wait_until_running(other)
    os.kill(pid, signal.SIGKILL)
    failure = rig.result(victim).failure
    assert failure is not None
    assert (failure.how, failure.exit_code) == ("killed", -9)
    assert rig.results(other) == []
    rig.cancel(other)
    assert rig.result(other).verdict == "cancelled"


def test_r12_code_that_cannot_be_loaded_fails_the_task_with_its_reason(rig: Rig) -> None:
    broken = rig.code("import no_such_module_anywhere\n" + TASKS, "broken")
    finished: Finished = rig.perform("hello", source=broken)
    assert finished.failure is not None
    assert finished.failure.how == "unloadable"
    assert "no_such_module_anywhere" in finished.failure.message
    missing: Finished = rig.perform("hello", source="0" * 32)
    assert missing.failure is not None
    assert missing.failure.how == "unloadable"
    rig.code(TASKS)
