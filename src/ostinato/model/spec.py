"""A compiled dag as data: what the scheduler, the store and the executors share of the author's Python.

A spec is canonical: the same definition gives the same bytes, so the hash of the bytes names the dag version.
"""

from datetime import date
from typing import Any, Literal

from msgspec import Struct, field

from .time import Instant

TriggerRule = Literal[
    "all_success",
    "all_failed",
    "all_done",
    "all_done_min_one_success",
    "all_skipped",
    "one_success",
    "one_failed",
    "one_done",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "always",
    "all_done_setup_success",
]
"""How the ends of all upstreams decide together. The meaning of each is Airflow's; `decide.rule` has the table."""

Outcome = Literal["succeeded", "failed", "skipped", "completed"]
"""What one edge asks of its upstream, as in Data Factory. ``failed`` takes upstream_failed and cancelled with it;
``completed`` is succeeded or failed, and not skipped."""

RunOutcome = Literal["every_task", "leaves", "leaves_and_skipped_parents"]
"""Which tasks decide whether a run succeeded. ``every_task``: none failed. ``leaves``: no task without downstream failed
(Airflow). ``leaves_and_skipped_parents``: the same, where a skipped leaf is replaced by its upstreams (Data Factory).
Teardowns are never asked."""

Overlap = Literal["queue", "skip", "cancel_previous"]
"""What a schedule does while an earlier run of it still goes: let the new one queue, make none, or cancel the earlier."""

ClockGuard = Literal["off", "warn", "fail"]
"""What happens when a task asks the clock or unseeded chance while it runs."""

Catchup = Literal["all", "last", "none"]
"""Which intervals that passed while nothing ran are run afterwards: all, the latest only, or none."""

Isolation = Literal["reuse", "process"]
"""``reuse``: one executor serves many tasks of one dag version. ``process``: a process for this task alone."""

TaskKind = Literal["python", "sensor", "file_sensor", "branch", "short_circuit", "call", "approval", "interval"]
"""``sensor``: user code that answers "is it there?". ``file_sensor``: a path the scheduler's prober looks for.
``branch``: user code that names the direct downstreams to follow. ``short_circuit``: user code whose no skips all that
comes after. ``call``: a run of another dag. ``approval``: a person's yes. ``interval``: nothing but its ``needs``."""

Role = Literal["work", "setup", "teardown"]
"""A teardown runs once a setup of its own succeeded, however the work between them ended."""


class Value(Struct, frozen=True, tag="value"):
    """An argument known at compile time."""

    value: Any


class Template(Struct, frozen=True, tag="template"):
    """An argument with ``{{ names }}`` in it, filled from the run when the attempt is launched."""

    text: str


class OutputOf(Struct, frozen=True, tag="output"):
    """An argument that is what an upstream task returned.

    Of a task in the same scope: what it returned for the same map index. Of a task in another scope: the list of what
    its instances returned, in the order of their map index, without those that did not succeed.
    """

    task_no: int


class ParamOf(Struct, frozen=True, tag="param"):
    """An argument that is the run's value of a dag parameter."""

    name: str


class ItemOf(Struct, frozen=True, tag="item"):
    """An argument that is a part of the item which a scope's instance is for.

    ``name`` is one of the names in ``Scope.over``; in a loop ``value`` (what the turn before handed on) or ``number``
    (how many turns came before).
    """

    name: str


Argument = Value | Template | OutputOf | ParamOf | ItemOf


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


class Need(Struct, frozen=True, omit_defaults=True):
    """Intervals of a dag (``dag_id`` empty: of the task's own) that must have succeeded before a task may begin.

    The intervals asked for tile the run's own interval, both ends moved by ``shift``; with a ``size`` they reach back so
    far from the end instead. Both count intervals of that dag if ``by_interval``, else milliseconds. ``task_id`` None asks for the whole run. ``if_any``: intervals before that dag's first run are not
    asked for.
    """

    dag_id: str = ""
    task_id: str | None = None
    shift: int = 0
    by_interval: bool = False
    size: int = 0
    if_any: bool = False


class CallDag(Struct, frozen=True, omit_defaults=True):
    """A run of another dag, for the interval of the calling run. ``wait``: the task ends as that run does."""

    dag_id: str
    wait: bool = True


class Approval(Struct, frozen=True, omit_defaults=True):
    """A question to a person. A no skips what comes after, or fails (``no``). ``timeout`` is in seconds; None: for ever."""

    question: str
    timeout: float | None = None
    no: Literal["skip", "fail"] = "skip"


class TaskSpec(Struct, frozen=True, omit_defaults=True):
    """A step of a dag. ``upstream`` holds indexes into ``DagSpec.tasks``, each smaller than the task's own.

    ``upstream_of``, in what is kept and sent only, is the index of an earlier task whose upstream this one has too.
    ``conditions`` are as many as upstreams, each the outcomes that its edge takes; then the trigger rule does not count.
    ``scope`` is an index into ``DagSpec.scopes``; a task in a scope has upstreams in the same scope only. ``max_active``
    bounds its live attempts over all runs of the dag. A called dag's parameters are the ``kwargs``. ``tags`` are for those
    who choose what to run.
    """

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
    conditions: tuple[tuple[Outcome, ...], ...] = ()
    role: Role = "work"
    setups: tuple[int, ...] = ()
    scope: int | None = None
    needs: tuple[Need, ...] = ()
    max_active: int | None = None
    call: CallDag | None = None
    approval: Approval | None = None
    tags: tuple[str, ...] = ()
    upstream_of: int | None = None


class Scope(Struct, frozen=True, omit_defaults=True):
    """Tasks that are performed together more than once in a run: for each item of a list, or turn by turn.

    What the members need from outside of the scope, the scope waits for (``upstream``, ``trigger_rule``).

    ``each``: ``over`` are lists by name; an instance is for one combination of their items (``product``, the last list
    fastest) or for the items at one place (``zip``: lists of one length). No item: the members are skipped. ``loop``:
    turn after turn, ``start`` being the first one's value, until the member ``until`` returns a true value; the member
    ``carry`` returns the value for the next turn. More than ``limit`` instances fail the scope. ``max_active`` bounds
    how many instances are unfinished at once.
    """

    scope_id: str
    kind: Literal["each", "loop"]
    upstream: tuple[int, ...] = ()
    trigger_rule: TriggerRule = "all_success"
    over: tuple[tuple[str, Argument], ...] = ()
    pairing: Literal["product", "zip"] = "product"
    limit: int = 1_000
    max_active: int | None = None
    start: Argument | None = None
    until: int | None = None
    carry: int | None = None


class Dst(Struct, frozen=True, omit_defaults=True):
    """What a cron expression does where a clock changes.

    ``gap``: a time that the clock skips ticks right ``after`` the gap, or is left out (``skip``). ``fold``: a time that
    it shows twice ticks the ``first`` time, the ``second`` time, or ``both`` times.
    """

    gap: Literal["after", "skip"] = "after"
    fold: Literal["first", "second", "both"] = "first"


class Cron(Struct, frozen=True, tag="cron", omit_defaults=True):
    """A tick at each match of a cron expression in a time zone; a run is for the time since the previous tick.

    ``also`` are further expressions: a moment that several match is one tick. ``dst`` None is what Debian's cron does:
    ``Dst("after", "first")`` for an expression that names minute and hour, ``Dst("skip", "both")`` for any other.
    """

    expression: str
    tz: str
    also: tuple[str, ...] = ()
    dst: Dst | None = None


class Every(Struct, frozen=True, tag="every", omit_defaults=True):
    """A tick every ``seconds``, counted from ``offset`` seconds after the Unix epoch."""

    seconds: int
    offset: int = 0


class Calendar(Struct, frozen=True, tag="calendar", omit_defaults=True):
    """The ticks of ``base`` but for those on days that are left out: on ``dates``, and on ``weekdays`` (1 is Monday).

    Days are those of the base's zone. The time that a left out tick would have ended belongs to the next one that stays.
    """

    base: Cron
    dates: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = ()


class Moments(Struct, frozen=True, tag="moments"):
    """A tick at each of some moments, ascending, but the first: it only begins the first interval.

    Their dates are told in the zone ``tz``.
    """

    instants: tuple[Instant, ...]
    tz: str


class Continuous(Struct, frozen=True, tag="continuous"):
    """A run as soon as the previous one has ended, for the time since the previous interval's end.

    It waits until that is at least ``at_least`` seconds long, so no interval is empty.
    """

    at_least: int


Ticking = Cron | Every | Calendar | Moments
"""A schedule that a clock or a list gives: each of its intervals is the time between two ticks."""


class After(Struct, frozen=True, tag="after"):
    """A run for each interval of ``each``, as soon as all of these dags have succeeded for all of it."""

    dags: tuple[str, ...]
    each: Ticking

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a run needs of the dags that it comes after."""
        return tuple(Need(dag_id) for dag_id in self.dags)


Foreseen = Ticking | After
"""A schedule whose intervals are known beforehand."""

Schedule = Foreseen | Continuous


def zone_of(schedule: Schedule | None) -> str:
    """The name of the time zone that a schedule's dates are told in."""
    match schedule:
        case Cron(tz=tz) | Moments(tz=tz):
            return tz
        case Calendar(base):
            return base.tz
        case After(each=each):
            return zone_of(each)
        case _:
            return "UTC"


class Deadline(Struct, frozen=True):
    """The promise "done by ``at`` local time" (``HH:MM``): due at the first such moment at or after the interval's end."""

    at: str
    tz: str


class Param(Struct, frozen=True, omit_defaults=True):
    """A typed parameter of a dag. ``type`` is the name of a JSON type. ``required``: it has no default.

    ``schema`` holds further keywords of JSON Schema (draft 2020-12) that its values satisfy.
    """

    name: str
    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    default: Any = None
    required: bool = False
    description: str = ""
    schema: dict[str, Any] = field(default_factory=dict[str, Any])


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
    scopes: tuple[Scope, ...] = ()
    outcome: RunOutcome = "every_task"
    max_active_tasks: int | None = None
    overlap: Overlap = "queue"
    clock: ClockGuard = "off"


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
