"""What agent, zygote and executor say to each other inside one host."""

from msgspec import Struct

from ostinato.model.message import Finished


class Fork(Struct, frozen=True, array_like=True, tag=1):
    """To the zygote: make an executor. Its work socket, report socket and log file come along as descriptors.

    ``segment`` is what its log file is called.
    """

    executor: int
    segment: str


class Signal(Struct, frozen=True, array_like=True, tag=2):
    """To the zygote: send a signal to an executor and the processes of its group, unless it has ended."""

    executor: int
    number: int


ToZygote = Fork | Signal


class Forked(Struct, frozen=True, array_like=True, tag=1):
    """From the zygote: an executor lives."""

    executor: int
    pid: int


class NotForked(Struct, frozen=True, array_like=True, tag=2):
    """From the zygote: the machine did not give us another process."""

    executor: int
    error: str


class Exited(Struct, frozen=True, array_like=True, tag=3):
    """From the zygote: an executor and every process it left behind are gone.

    ``code`` is negative for a signal. ``peak_kib`` is the most memory it had, ``cpu_ms`` all the processor time it took.
    """

    executor: int
    code: int
    peak_kib: int
    cpu_ms: int


FromZygote = Forked | NotForked | Exited


class Report(Struct, frozen=True, array_like=True):
    """From an executor: an attempt ended. ``log_end`` is where its log file ends by now.

    ``leaving`` says why the executor ends itself after this, in words for people; empty: it stays.
    """

    finished: Finished
    log_end: int
    leaving: str = ""
