"""What a task prints, by whatever means, is found again: all of it, in order, and nobody else's."""

import resource
from collections.abc import Iterator

import pytest

from ostinato.agent.segment import ATTEMPT_BYTES
from ostinato.home import Home
from tests.acceptance.agent_rig import Rig

TASKS = """
@task
def every_way() -> None:
    libc = ctypes.CDLL(None)
    print("print")
    sys.stderr.write("stderr\\n")
    logging.getLogger("mine").info("logging")
    libc.puts(b"C")
    os.write(1, b"descriptor\\n")
    subprocess.run(["echo", "process"])
    logging.warning("warning")
    libc.printf(b"C, no newline ")
    libc.fflush(None)
    sys.stdout.write("no newline")

@task
def unflushed() -> None:
    ctypes.CDLL(None).printf(b"from C")

@task
def names_itself() -> None:
    for _ in range(20):
        print("out", context().attempt)
        print("err", context().attempt, file=sys.stderr)

@task
def silent() -> None:
    pass

@task
def strange() -> None:
    print("\\ud800 is no text, \\xe9 is")

@task
def printed_and_died() -> None:
    print("the last words")
    os.write(2, b"without a newline")
    os.kill(os.getpid(), signal.SIGKILL)

@task
def prints_much() -> None:
    for number in range(20 << 10):
        os.write(1, (b"%7d " % number) * 128)

@task
def prints_much_and_dies() -> None:
    prints_much.function()
    os.abort()

@task
def prints_some() -> None:
    print("x" * 100_000)
"""


@pytest.fixture
def rig(home: Home) -> Iterator[Rig]:
    rig = Rig(home)
    rig.code(TASKS)
    yield rig
    rig.stop()


def test_output_of_every_kind_is_kept_in_the_order_in_which_it_was_written(rig: Rig) -> None:
    lines = rig.log(rig.perform("every_way").log).splitlines()
    assert [line.split("Z ")[-1] for line in lines] == [
        "print",
        "stderr",
        "INFO mine: logging",
        "C",
        "descriptor",
        "process",
        "WARNING root: warning",
        "C, no newline no newline",
    ]


def test_what_c_code_did_not_flush_belongs_to_its_task(rig: Rig) -> None:
    assert rig.log(rig.perform("unflushed").log) == "from C"
    assert rig.perform("silent").log is None


def test_each_attempt_has_its_own_output_exactly(rig: Rig) -> None:
    attempts = rig.launch_all([rig.assignment(task) for task in ["names_itself", "silent", "names_itself"] * 50])
    for attempt in attempts:
        rig.result(attempt)
    spoken = [attempt for attempt in attempts if rig.results(attempt)[0].log is not None]
    assert len(spoken) == 100
    for attempt in spoken:
        assert rig.log(rig.results(attempt)[0].log) == f"out {attempt}\nerr {attempt}\n" * 20


def test_text_that_cannot_be_encoded_does_not_fail_the_task(rig: Rig) -> None:
    finished = rig.perform("strange")
    assert finished.verdict == "success"
    assert rig.log(finished.log) == "\\ud800 is no text, \xe9 is\n"


def test_what_was_printed_before_a_sudden_death_is_kept(rig: Rig) -> None:
    assert rig.log(rig.perform("printed_and_died").log) == "the last words\nwithout a newline"


@pytest.mark.parametrize(("task", "verdict"), [("prints_much", "success"), ("prints_much_and_dies", "failed")])
def test_what_one_attempt_may_print_is_bounded_and_the_log_says_so(rig: Rig, task: str, verdict: str) -> None:
    finished = rig.perform(task)
    assert finished.verdict == verdict
    text = rig.log(finished.log)
    assert ATTEMPT_BYTES < len(text) < ATTEMPT_BYTES + 200
    assert text.endswith("\n[ostinato] more was printed, but only the first 16 MiB are kept\n")
    assert rig.log(rig.perform("names_itself").log).startswith("out ")


def test_processes_that_follow_each_other_share_a_few_segments(rig: Rig) -> None:
    for _ in range(20):
        rig.perform("names_itself", isolation="process")
    assert len(list(rig.home.logs.iterdir())) < 10


def test_a_disk_that_takes_no_more_output_fails_no_task_and_kills_no_agent(home: Home) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, limits[1]))  # files cannot grow beyond: as on a full disk
    try:
        rig = Rig(home)
        rig.code(TASKS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    try:
        finished = rig.perform("prints_some")
        assert finished.verdict == "success"
        assert len(rig.log(finished.log)) == 64 << 10
        assert rig.perform("silent").verdict == "success"
        assert rig.perform("prints_much_and_dies").verdict == "failed"
        assert rig.perform("prints_some", isolation="process").verdict == "success"
    finally:
        rig.stop()
