"""A hint wakes the scheduler of a home, and is no error where there is none."""

import select

from ostinato.control.hint import HintListener, hint
from ostinato.home import Home


def test_a_hint_is_heard_once(home: Home) -> None:
    listener = HintListener(home)
    hint(home)
    hint(home)
    assert select.select([listener], [], [], 5)[0] == [listener]
    assert [listener.heard(), listener.heard()] == [True, False]
    listener.close()


def test_without_a_listener_a_hint_is_nothing(home: Home) -> None:
    hint(home)
    HintListener(home).close()
    hint(home)


def test_more_hints_than_fit_are_no_error(home: Home) -> None:
    listener = HintListener(home)
    for _ in range(2_000):
        hint(home)
    assert listener.heard()
    listener.close()


def test_one_who_was_replaced_leaves_the_other_in_its_place(home: Home) -> None:
    first = HintListener(home)
    second = HintListener(home)
    first.close()
    hint(home)
    assert second.heard()
    second.close()
    assert not home.hint_socket.exists()


def test_a_dead_listeners_socket_is_taken_over(home: Home) -> None:
    dead = HintListener(home)
    dead._socket.close()
    hint(home)
    listener = HintListener(home)
    hint(home)
    assert listener.heard()
    listener.close()
