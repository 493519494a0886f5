"""A compiled dag as data: what the scheduler, the store and the executors share of the author's Python.

A spec is canonical: the same definition gives the same bytes, so the hash of the bytes names the dag version.
"""

from hashlib import blake2b
from typing import Any, Final, Literal

from msgspec import Struct, field, msgpack

from .time import Instant

TriggerRule = Literal["all_success", "all_done"]
"""``all_success``: every upstream succeeded. ``all_done``: every upstream ended, however it ended."""

Catchup = Literal["all", "last", "none"]
"""Which intervals that passed while nothing ran are run afterwards: all, the latest only, or none."""

Isolation = Literal["reuse", "process"]
"""``reuse``: one executor serves many tasks of one dag version. ``process``: a process for this task alone."""

TaskKind = Literal["python", "sensor", "file_sensor"]
"""``sensor``: user code that answers "is it there?". ``file_sensor``: a path the scheduler's prober looks for."""


class Value(Struct, frozen=True, tag="value"):
    """An argument known at compile time."""

    value: Any


class Template(Struct, frozen=True, tag="template"):
    """An argument with ``{{ names }}`` in it, filled from the run when the attempt is launched."""

    text: str


class OutputOf(Struct, frozen=True, tag="output"):
    """An argument that is what an upstream task returned."""

    task_no: int


class ParamOf(Struct, frozen=True, tag="param"):
    """An argument that is the run's value of a dag parameter."""

    name: str


Argument = Value | Template | OutputOf | ParamOf


class Retry(Struct, frozen=True, omit_defaults=True):
    """How often each class of error is tried again. Logic errors never are.

    ``transient`` failures are retried at once. ``resource`` failures wait ``first_delay`` seconds, doubling up to
    ``max_delay``, each shortened by up to the share ``jitter`` so that a crowd does not come back together.
    """

    transient: int = 3
    resource: int = 3
    first_delay: float = 10.0
    max_delay: float = 600.0
    jitter: float = 0.2


class Sensor(Struct, frozen=True, omit_defaults=True):
    """What a sensor waits for: look again every ``every`` seconds, give up ``timeout`` seconds after the first look."""

    every: float
    timeout: float
    path: str | None = None


class TaskSpec(Struct, frozen=True, omit_defaults=True):
    """A step of a dag. ``upstream`` holds indexes into ``DagSpec.tasks``, each smaller than the task's own."""

    task_id: str
    kind: TaskKind = "python"
    upstream: tuple[int, ...] = ()
    trigger_rule: TriggerRule = "all_success"
    args: tuple[Argument, ...] = ()
    kwargs: tuple[tuple[str, Argument], ...] = ()
    retry: Retry = field(default_factory=Retry)
    timeout: float | None = None
    pool: str = "default"
    slots: int = 1
    priority: int = 0
    isolation: Isolation = "reuse"
    memory: int | None = None
    sensor: Sensor | None = None


class Cron(Struct, frozen=True, tag="cron"):
    """A tick at each match of a cron expression in a time zone; a run is for the time since the previous tick."""

    expression: str
    tz: str


class Every(Struct, frozen=True, tag="every"):
    """A tick every ``seconds``, counted from the Unix epoch."""

    seconds: int


Schedule = Cron | Every


class Deadline(Struct, frozen=True):
    """The promise "done by ``at`` local time" (``HH:MM``): due at the first such moment at or after the interval's end."""

    at: str
    tz: str


class Param(Struct, frozen=True, omit_defaults=True):
    """A typed parameter of a dag. ``type`` is the name of a JSON type; no default means it must be given."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    default: Any = None
    required: bool = False


class DagSpec(Struct, frozen=True, omit_defaults=True):
    """A workflow as data. ``start`` and ``end`` bound the logical dates that the schedule creates runs for."""

    dag_id: str
    tasks: tuple[TaskSpec, ...]
    schedule: Schedule | None = None
    catchup: Catchup = "last"
    start: Instant | None = None
    end: Instant | None = None
    deadline: Deadline | None = None
    params: tuple[Param, ...] = ()
    max_active_runs: int = 16
    tags: tuple[str, ...] = ()
    description: str = ""


class CompiledDag(Struct, frozen=True):
    """A spec with where its code is: ``source`` is the digest of the sources its bodies live in."""

    spec: DagSpec
    file: str
    source: str
    version: str


class Source(Struct, frozen=True):
    """The code a dag file needs, as it was at compile time: every local file it imported, by path, with its text.

    ``modules`` holds a triple for each local module: its name, its file's absolute path, its bytes.
    """

    file: str
    code: bytes
    modules: tuple[tuple[str, str, bytes], ...] = ()


_ENCODER: Final = msgpack.Encoder()


def canonical(value: object) -> bytes:
    """The one byte form of a spec or a source. Fields have their order; dicts keep that which their author gave them."""
    return _ENCODER.encode(value)


def digest(*parts: bytes) -> str:
    """The name that content gives itself: 128 bits of blake2b, in hex."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.hexdigest()
