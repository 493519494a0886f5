"""The scheduler's side of the connection: an agent is joined or started, and trouble is told in words."""

import select
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ostinato.executors.local import MOST_SILENT, LocalAgent
from ostinato.executors.port import Arrival
from ostinato.home import Home
from ostinato.model.errors import AgentFailed
from ostinato.model.message import Acknowledge, Hello
from ostinato.wire import frame, listen

PATIENCE_S = 20.0


def receive(agent: LocalAgent, until: Callable[[list[Arrival]], bool]) -> list[Arrival]:
    """What arrives until it is enough."""
    arrived: list[Arrival] = []
    while not until(arrived):
        assert select.select([agent], [], [], PATIENCE_S)[0]
        arrived += agent.receive()
    return arrived


def stop(agent: LocalAgent) -> None:
    agent.stop(0.0)
    receive(agent, lambda _: not agent.connected())
    agent.close()


def test_an_agent_is_started_without_waiting_for_it_and_found_by_who_comes_later(home: Home) -> None:
    first = LocalAgent(home, 3)
    assert first.connected()
    assert first.receive() == []
    [arrival] = receive(first, bool)
    assert isinstance(arrival.message, Hello)
    assert arrival == Arrival(arrival.message.agent, arrival.message)
    assert arrival.message.slots == 3
    first.close()
    second = LocalAgent(home, 1)
    [again] = receive(second, bool)
    assert again.message == arrival.message
    stop(second)


def test_after_hanging_up_the_next_call_connects_again_and_says_nothing_of_an_end(home: Home) -> None:
    agent = LocalAgent(home, 1)
    [arrival] = receive(agent, bool)
    agent.drop()
    assert not agent.connected()
    assert agent.receive() == []
    assert receive(agent, bool) == [arrival]
    stop(agent)


def test_what_is_sent_to_an_agent_of_another_name_is_dropped(home: Home) -> None:
    agent = LocalAgent(home, 1)
    agent.send("nobody yet", [Acknowledge((1,))])
    [arrival] = receive(agent, bool)
    agent.send("somebody else", [Acknowledge((1,))])
    agent.drop()
    agent.send(arrival.agent, [Acknowledge((1,))])
    stop(agent)


def test_an_agent_may_be_stopped_before_it_is_there(home: Home) -> None:
    agent = LocalAgent(home, 1)
    stop(agent)
    assert not home.agent_socket.exists()


def test_the_end_of_a_connection_is_told_with_the_name_of_the_agent(home: Home) -> None:
    agent = LocalAgent(home, 1)
    [arrival] = receive(agent, bool)
    agent.stop(0.0)
    assert receive(agent, bool) == [Arrival(arrival.agent, None)]
    assert not agent.connected()
    assert agent.receive() == []
    agent.close()


def test_an_agent_that_cannot_begin_says_why(home: Home) -> None:
    (home.agent / "agent.lock").mkdir()
    agent = LocalAgent(home, 1)
    with pytest.raises(AgentFailed, match=r"the agent cannot start: .*Is a directory") as told:
        receive(agent, bool)
    assert told.value.where == str(home.path)
    agent.close()


def test_a_home_whose_path_is_longer_than_a_socket_may_have_will_do(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("d" * 100) / ("e" * 100)).create()
    agent = LocalAgent(deep, 1)
    assert isinstance(receive(agent, bool)[0].message, Hello)
    stop(agent)


def imposter(home: Home) -> socket.socket:
    """Something else that listens where the agent should."""
    return listen(home.agent_socket)


def test_agents_that_hang_up_without_a_word_are_given_up_on(home: Home) -> None:
    with imposter(home) as listener:
        agent = LocalAgent(home, 1)
        for _ in range(MOST_SILENT - 1):
            listener.accept()[0].close()
            assert agent.receive() == []
        listener.accept()[0].close()
        with pytest.raises(AgentFailed, match="hangs up without a word"):
            agent.receive()
        agent.close()


def test_an_agent_that_we_hang_up_on_is_not_one_that_hangs_up(home: Home) -> None:
    with imposter(home) as listener:
        agent = LocalAgent(home, 1)
        for _ in range(2 * MOST_SILENT):
            agent.drop()
            listener.accept()[0].close()
            assert agent.receive() == []
        agent.close()


def test_something_that_is_no_agent_is_told_from_one(home: Home) -> None:
    with imposter(home) as listener:
        agent = LocalAgent(home, 1)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(frame([{"who": "me"}]))
            with pytest.raises(AgentFailed, match="cannot be understood"):
                receive(agent, bool)
        agent.close()
