"""The bytes that definitions are kept, sent and named by.

Where many tasks come after the same ones, as in layers that are fully connected, these are said once: a task that has the
upstream of an earlier one names that. So what is kept grows with the tasks, and not with the edges.
"""

from hashlib import blake2b
from typing import Final

from msgspec import msgpack
from msgspec.structs import replace

from .spec import DagSpec, TaskSpec

_ENCODER: Final = msgpack.Encoder()
_FEW: Final = 8
"""So short an upstream is said again: nothing is won by a reference."""


def canonical(value: object) -> bytes:
    """The one byte form of a spec or a source. Fields have their order; dicts keep that which their author gave them."""
    return _ENCODER.encode(packed(value) if isinstance(value, DagSpec) else value)


def digest(*parts: bytes) -> str:
    """The name that content gives itself: 128 bits of blake2b, in hex."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.hexdigest()


def packed(spec: DagSpec) -> DagSpec:
    """A spec in which what several tasks come after is said once, by the first of them. See `unpacked`."""
    first: dict[tuple[int, ...], int] = {}
    known: dict[int, int] = {}  # by identity: to look at each of a thousand times a thousand numbers takes long
    tasks: list[TaskSpec] = []
    for no, task in enumerate(spec.tasks):
        upstream = task.upstream
        if len(upstream) > _FEW:
            same = known.get(id(upstream))
            if same is None:
                same = known[id(upstream)] = first.setdefault(upstream, no)
            if same != no:
                task = replace(task, upstream=(), upstream_of=same)  # noqa: PLW2901 - it is the same task
        tasks.append(task)
    return replace(spec, tasks=tuple(tasks)) if known else spec


def unpacked(spec: DagSpec) -> DagSpec:
    """A spec in which each task says itself what it comes after; tasks that come after the same share it."""
    if all(task.upstream_of is None for task in spec.tasks):
        return spec
    tasks: list[TaskSpec] = []
    for task in spec.tasks:
        same = task.upstream_of
        tasks.append(task if same is None else replace(task, upstream=tasks[same].upstream, upstream_of=None))
    return replace(spec, tasks=tuple(tasks))
