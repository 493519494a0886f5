"""Handing work over, and taking it back from who has not begun it."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostinato.agent.lane import LARGEST_INLINE, Inbox, Lane
from ostinato.agent.message import Report
from ostinato.agent.segment import Segment
from ostinato.model.message import Assignment, Finished
from ostinato.wire import frame
from tests.unit.agent.ledger_world import assignment


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    segment = Segment(tmp_path, "log")
    lane = Lane(1, segment)
    yield lane
    lane.close()
    segment.close()


def executors_end(lane: Lane) -> tuple[Inbox, socket.socket]:
    """What the executor would have: its inbox, and the socket it reports over."""
    work, reports = (os.dup(fd) for fd in lane.for_executor[:2])
    return Inbox(socket.socket(fileno=work)), socket.socket(fileno=reports)


@pytest.mark.parametrize("size", [0, LARGEST_INLINE - 200, LARGEST_INLINE, 3_000_000])
def test_work_of_any_size_arrives_as_it_was(lane: Lane, size: int) -> None:
    sent = [assignment(1, size=size), assignment(2)]
    inbox, reports = executors_end(lane)
    assert list(lane.hand(sent)) == []
    assert [inbox.receive(), inbox.receive()] == sent
    reports.close()
    inbox._work.close()


def test_what_was_begun_is_not_taken_back_and_what_was_taken_back_is_not_begun(lane: Lane) -> None:
    inbox, reports = executors_end(lane)
    lane.hand([assignment(n, size=n * 5_000) for n in range(1, 6)])
    begun = inbox.receive()
    assert begun is not None
    assert begun.attempt == 1
    assert lane.take_back() == [2, 3, 4, 5]
    assert lane.take_back() == []
    with pytest.raises(BlockingIOError):
        inbox.receive(socket.MSG_DONTWAIT)
    reports.close()
    inbox._work.close()


def test_whoever_reaches_for_work_at_once_each_piece_goes_to_one(lane: Lane) -> None:
    inbox, reports = executors_end(lane)
    taken: list[int] = []

    def executor() -> None:
        while (work := inbox.receive()) is not None and work.attempt:
            taken.append(work.attempt)

    thread = threading.Thread(target=executor)
    thread.start()
    back: list[int] = []
    for n in range(1, 2_001):
        while lane.hand([assignment(n)]):
            pass
        if n % 3 == 0:
            back += lane.take_back()
    while lane.hand([assignment(0)]):
        pass
    thread.join()
    assert sorted(taken + back) == list(range(1, 2_001))
    reports.close()
    inbox._work.close()


def test_who_does_not_take_its_work_gets_no_more_and_the_rest_is_named(lane: Lane) -> None:
    sent = [assignment(n, size=10_000) for n in range(1_000)]
    rest = list(lane.hand(sent))
    assert 0 < len(rest) < 1_000
    assert lane.take_back() == [a.attempt for a in sent[: -len(rest)]]


def test_work_that_the_machine_cannot_carry_stays_here(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "memfd_create", none_left)
    large: list[Assignment] = [assignment(2, size=100_000), assignment(3)]
    assert list(lane.hand([assignment(1), *large])) == large


def test_reports_come_whole_and_the_end_is_told(lane: Lane) -> None:
    inbox, reports = executors_end(lane)
    lane.opened()
    report = Report(Finished(1, "success", 0, 1, output=b"x" * 100_000), 9)
    data = frame([report])
    reports.sendall(data[:50])
    assert lane.read() == ([], True)
    reports.sendall(data[50:] + frame([report]))
    assert lane.read() == ([report, report], True)
    reports.sendall(data[:50])
    reports.close()
    assert lane.read() == ([], False)
    inbox._work.close()
