"""What a task leaves in its process never reaches the next one."""

from collections.abc import Iterator

import pytest

from ostinato.agent.hygiene import CLOSER_EVERY
from ostinato.home import Home
from tests.acceptance.agent_rig import Rig

TASKS = """
KEPT = []

@task
def state() -> dict[str, object]:
    mask = os.umask(0)
    os.umask(mask)
    return {
        "pid": os.getpid(), "cwd": os.getcwd(), "umask": mask, "TRACE": os.environ.get("TRACE"), "path": len(sys.path),
        "threads": threading.active_count(), "term": callable(signal.getsignal(signal.SIGTERM)), "kept": len(KEPT),
    }

@task
def the_environment() -> None:
    os.environ["TRACE"] = "1"

@task
def the_working_folder() -> None:
    os.chdir("/")

@task
def the_umask() -> None:
    os.umask(0o777)

@task
def what_SIGTERM_does() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

@task
def sys_path() -> None:
    sys.path.insert(0, "/nowhere")

@task
def an_alarm_set() -> None:
    signal.alarm(3)

@task
def thread_running() -> None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()

@task
def child_process() -> None:
    subprocess.Popen(["sleep", "1000"])

@task
def standard_output() -> None:
    os.close(1)
    KEPT.append(open("/dev/null"))

@task
def closed_sys_stdout() -> None:
    sys.stdout.close()

@task
def larger() -> None:
    KEPT.append(bytearray(os.urandom(1 << 20) * 300))

@task
def files_open() -> None:
    KEPT.append(open(__file__ + str(len(KEPT)), "w"))

@task
def connections() -> None:
    import socket
    KEPT.append(socket.socketpair())
"""
BUSY = """
def square(number):
    return number * number

async def squares():
    return [square(number) for number in range(4)]

@task
def busy() -> list[int]:
    import asyncio
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        of_processes = list(pool.map(square, range(4)))
    with ThreadPoolExecutor(2) as pool:
        of_threads = list(pool.map(square, range(4)))
    return of_processes + of_threads + asyncio.run(squares())
"""
DIRTY = {
    "the_environment": "the environment: TRACE",
    "the_working_folder": "the working folder to /",
    "the_umask": "the umask",
    "what_SIGTERM_does": "what SIGTERM does",
    "sys_path": "sys.path",
    "an_alarm_set": "an alarm set",
    "thread_running": "1 thread running",
    "child_process": "a child process",
    "standard_output": "its standard output",
    "closed_sys_stdout": "closed sys.stdout",
    "larger": "MiB larger",
}


@pytest.fixture
def rig(home: Home) -> Iterator[Rig]:
    """An agent with one slot, so that one task follows the other in the same process if it may."""
    rig = Rig(home, slots=1)
    rig.code(TASKS)
    yield rig
    rig.stop()


def state(rig: Rig) -> dict[str, object]:
    value = rig.value("state")
    assert isinstance(value, dict)
    return value


def test_tidy_tasks_share_a_process_and_its_memory(rig: Rig) -> None:
    assert len({state(rig)["pid"] for _ in range(3 * CLOSER_EVERY)}) == 1


@pytest.mark.parametrize(("task", "words"), DIRTY.items())
def test_a_process_that_a_task_has_changed_is_replaced_and_its_log_says_why(rig: Rig, task: str, words: str) -> None:
    before = state(rig)
    finished = rig.perform(task)
    assert finished.verdict == "success"
    remark = rig.log(finished.log)
    assert remark.startswith("[ostinato] the task ")
    assert words in remark
    after = state(rig)
    assert before.pop("pid") != after.pop("pid")
    assert before == after
    assert words in (rig.home.agent / "agent.log").read_text()


def test_a_file_left_open_is_found_within_a_few_tasks(rig: Rig) -> None:
    pids = [state(rig)["pid"]]
    rig.perform("files_open")
    pids += [state(rig)["pid"] for _ in range(CLOSER_EVERY)]
    assert pids[0] != pids[-1]
    assert "left files open" in (rig.home.agent / "agent.log").read_text()


def test_connections_that_libraries_keep_are_let_be(rig: Rig) -> None:
    before = state(rig)["pid"]
    rig.perform("connections")
    assert {state(rig)["pid"] for _ in range(CLOSER_EVERY)} == {before}


def test_a_task_may_use_threads_processes_and_an_event_loop_of_its_own(rig: Rig) -> None:
    rig.code(TASKS + BUSY)
    before = state(rig)["pid"]
    assert rig.value("busy") == [0, 1, 4, 9] * 3
    assert state(rig)["pid"] == before


def test_memory_that_was_given_back_is_let_be_and_counts_for_its_task_only(rig: Rig) -> None:
    rig.code(TASKS + '\n@task\ndef passing() -> None:\n    b"x" * (400 << 20)\n')
    before = state(rig)["pid"]
    assert rig.perform("passing").peak_kib > 400 << 10
    finished = rig.perform("state")
    assert finished.peak_kib < 200 << 10
    assert state(rig)["pid"] == before


def test_each_version_of_the_code_has_processes_of_its_own(rig: Rig) -> None:
    first, second = rig.code(TASKS, "first"), rig.code(TASKS, "second")
    pids = {source: set[object]() for source in (first, second)}
    for source in [first, second] * 10:
        value = rig.value("state", source=source)
        assert isinstance(value, dict)
        pids[source].add(value["pid"])
    assert not pids[first] & pids[second]
    assert len(pids[first]) == len(pids[second]) == 1


def test_a_task_isolated_by_process_never_meets_another(rig: Rig) -> None:
    values = [rig.value("state", isolation="process") for _ in range(10)]
    assert len({value["pid"] for value in values if isinstance(value, dict)}) == 10
