"""A conversation that never blocks."""

import socket

import pytest

from ostinato.executors.link import Link
from ostinato.model.message import Acknowledge
from ostinato.wire import frame


@pytest.fixture
def pair() -> tuple[Link[Acknowledge], socket.socket]:
    ours, theirs = socket.socketpair()
    return Link(ours, Acknowledge), theirs


def test_messages_go_through_in_order(pair: tuple[Link[Acknowledge], socket.socket]) -> None:
    link, other = pair
    link.send([Acknowledge((1,)), Acknowledge((2,))])
    with other:
        answer = Link(other, Acknowledge)
        assert answer.receive() == [Acknowledge((1,)), Acknowledge((2,))]
        assert not answer.closed
    link.close()


def test_what_the_other_end_does_not_read_waits_and_goes_out_later(
    pair: tuple[Link[Acknowledge], socket.socket],
) -> None:
    link, other = pair
    large = Acknowledge(tuple(range(10**9, 10**9 + 500_000)))
    link.send([large])
    link.send([Acknowledge((2,))])
    assert link.unsent > 1_000_000
    answer = Link(other, Acknowledge)
    messages: list[Acknowledge] = []
    while len(messages) < 2:
        messages += answer.receive()
        link.flush()
    assert messages == [large, Acknowledge((2,))]
    assert link.unsent == 0
    answer.close()
    link.close()


def test_hanging_up_is_told_after_the_last_message(pair: tuple[Link[Acknowledge], socket.socket]) -> None:
    link, other = pair
    other.sendall(frame([Acknowledge((1,))]) + b"\0\0")
    other.close()
    assert link.receive() == [Acknowledge((1,))]
    assert link.closed
    assert (link.trouble, link.nonsense) == ("", False)
    assert link.receive() == []


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc0", frame([1])])
def test_what_cannot_be_understood_ends_the_conversation(
    pair: tuple[Link[Acknowledge], socket.socket], data: bytes
) -> None:
    link, other = pair
    other.sendall(data)
    assert link.receive() == []
    assert link.closed
    assert link.nonsense
    other.close()


def test_sending_to_who_is_gone_closes_and_drops(pair: tuple[Link[Acknowledge], socket.socket]) -> None:
    link, other = pair
    other.close()
    link.send([Acknowledge((1,))])
    assert link.closed
    assert link.trouble
    assert not link.nonsense
    link.send([Acknowledge((2,))])
    assert link.unsent == 0
