"""Which task instances are meant: one small language for commands, the API and the UI.

``load`` is a task, ``load[3]`` one instance of it, ``partners`` a scope, ``stations.*`` a group; ``*`` and ``?`` stand for
any text and any letter. ``state:failed`` is what is in that state, ``tag:slow`` what has that tag. A ``+`` before takes what
comes before with it, behind what comes after; ``2+load+1`` goes so many steps. ``a & b`` is what is in both, ``a, b`` what is
in either.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from ostinato.model.errors import NotFound, UsageError
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState

from .reach import Reach

_ATOM: Final = re.compile(
    r"(?:(?P<up>\d*)\+)?"
    r"(?:(?P<kind>state|tag):(?P<value>[\w.*?-]+)|(?P<name>[\w.*?-]+?)(?:\[(?P<index>\d+)\])?)"
    r"(?P<down>\+\d*)?"
)
_SHOWN: Final = 12


class SelectorUnreadable(UsageError):
    """A selector is not written as one: ``load``, ``+load+``, ``load[3]``, ``state:failed``, ``tag:slow``."""

    code = "OST-260"


class SelectsNothing(NotFound):
    """A selector names a task, a scope, a group, an instance, a tag or a state that is not there."""

    code = "OST-261"


def select(selectors: Iterable[str], reach: Reach, states: Mapping[Instance, TaskState]) -> set[Instance]:
    """The task instances that any of the selectors means; ``states`` are those of the run that they are in.

    A state or a tag that nothing has selects nothing. Raises SelectorUnreadable, and SelectsNothing with what looks
    like the name.
    """
    return {
        instance
        for selector in selectors
        for either in selector.split(",")
        for instance in _in_all([_atom(text.strip(), reach, states) for text in either.split("&")])
    }


def _in_all(meant: list[set[Instance]]) -> set[Instance]:
    return meant[0].intersection(*meant[1:])


def _atom(text: str, reach: Reach, states: Mapping[Instance, TaskState]) -> set[Instance]:
    found = _ATOM.fullmatch(text)
    if found is None:
        raise SelectorUnreadable(
            f'"{text}" is no selector', help="Write load, +load+, load[3], group.* or state:failed."
        )
    up, down = found["up"], found["down"]
    if found["kind"] == "state":
        meant = _in_state(found["value"], reach, states)
    elif found["kind"] == "tag":
        meant = _tagged(found["value"], reach)
    else:
        meant = _named(found["name"], found["index"], reach)
    before = set[Instance]() if up is None else reach.before(meant, int(up) if up else None)
    after = set[Instance]() if down is None else reach.after(meant, int(down[1:]) if down[1:] else None)
    return meant | before | after


def _in_state(name: str, reach: Reach, states: Mapping[Instance, TaskState]) -> set[Instance]:
    """What is in a state. A task in a scope that is so only as a whole: all of its instances."""
    known = [state.value for state in TaskState]
    if name not in known:
        raise SelectsNothing(f'there is no state "{name}"', help=_advice(name, known))
    found: set[Instance] = set()
    for task_no in range(len(reach.shape.tasks)):
        of_task = reach.instances(task_no)
        so = [each for each in of_task if states.get(each, TaskState.NONE) == name]
        whole = states.get((task_no, UNMAPPED), TaskState.NONE)
        found.update(so if so or whole != name else of_task)
    return found


def _tagged(tag: str, reach: Reach) -> set[Instance]:
    return {each for no, task in enumerate(reach.shape.tasks) if tag in task.tags for each in reach.instances(no)}


def _named(name: str, index: str | None, reach: Reach) -> set[Instance]:
    shape = reach.shape
    numbers = [no for no, task in enumerate(shape.tasks) if name in _names_of(task, reach) or _fits(task.task_id, name)]
    if not numbers:
        known = dict.fromkeys(each for task in shape.tasks for each in _names_of(task, reach))
        raise SelectsNothing(f'{shape.spec.dag_id} has no task "{name}"', help=_advice(name, list(known)))
    found = {each for no in numbers for each in reach.instances(no)}
    if index is None:
        return found
    one = {each for each in found if each[1] == int(index)}
    if not one:
        count = max(at for _, at in found) + 1
        help = f"It has instances 0 to {count - 1}." if count else "It has no instances."
        raise SelectsNothing(f'there is no "{name}[{index}]"', help=help)
    return one


def _names_of(task: TaskSpec, reach: Reach) -> list[str]:
    """What a task answers to: its id, and that of its scope."""
    names = [task.task_id]
    if task.scope is not None:
        names.append(reach.shape.spec.scopes[task.scope].scope_id)
    return names


def _fits(task_id: str, pattern: str) -> bool:
    return ("*" in pattern or "?" in pattern) and fnmatchcase(task_id, pattern)


def _advice(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    more = ", ..." if len(known) > _SHOWN else "."
    return f"There are {', '.join(known[:_SHOWN])}{more}"
