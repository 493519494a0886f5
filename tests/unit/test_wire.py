"""Messages arrive whole and in order, however the stream cuts them."""

import socket
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ostinato.model.errors import AgentFailed
from ostinato.model.message import Acknowledge, CancelAttempts, Stop, ToAgent
from ostinato.wire import MAX_FRAME, Unframer, connect, frame, listen

numbers = some.lists(some.integers(0, 2**63 - 1), max_size=5).map(tuple)
messages = numbers.map(Acknowledge) | numbers.map(CancelAttempts) | some.floats(0, 10).map(Stop)


@given(some.lists(some.lists(messages, max_size=5), max_size=5), some.data())
def test_what_was_framed_comes_out_in_order_however_it_is_cut(
    frames: list[list[ToAgent]], data: some.DataObject
) -> None:
    stream = b"".join(frame(batch) for batch in frames)
    cuts = sorted(data.draw(some.sets(some.integers(0, len(stream)))) | {0, len(stream)})
    unframer = Unframer[ToAgent](ToAgent)
    pieces = [stream[start:end] for start, end in pairwise(cuts)]
    assert [message for piece in pieces for message in unframer.feed(piece)] == [m for batch in frames for m in batch]


def test_nothing_comes_out_before_a_frame_is_whole() -> None:
    whole = frame([Stop(1.0)])
    unframer = Unframer[ToAgent](ToAgent)
    assert unframer.feed(whole[:-1]) == []
    assert unframer.feed(whole[-1:] + whole) == [Stop(1.0), Stop(1.0)]


def test_an_impossible_length_is_refused_before_anything_is_collected() -> None:
    with pytest.raises(AgentFailed, match="announces"):
        Unframer[ToAgent](ToAgent).feed((MAX_FRAME + 1).to_bytes(4, "big"))


def test_a_socket_may_lie_deeper_than_socket_paths_can_say(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*["deep" * 10] * 4) / "socket"
    path.parent.mkdir(parents=True)
    with listen(path) as server, connect(path) as client:
        accepted, _ = server.accept()
        with accepted:
            client.sendall(frame([Stop()]))
            assert Unframer[ToAgent](ToAgent).feed(accepted.recv(1 << 16)) == [Stop()]
    assert len(str(path)) > 108
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_dead_socket_is_replaced_and_a_missing_one_refuses(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen(path).close()
    with pytest.raises(ConnectionRefusedError):
        connect(path)
    with listen(path), connect(path) as client:
        assert client.family == socket.AF_UNIX
    path.unlink()
    with pytest.raises(FileNotFoundError):
        connect(path)
