"""What a server listens with."""

import socket

import pytest

from ostinato.api.server import _listening


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_no_part_of_an_answer_waits_for_another_to_be_acknowledged(host: str) -> None:
    with _listening(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
