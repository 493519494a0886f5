"""``@dag``: from a function that calls tasks to a workflow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, cleandoc
from types import FrameType, FunctionType
from typing import TYPE_CHECKING, Final, Protocol, cast, get_args, overload

from msgspec.structs import replace

from ostinato.model.errors import DagFileInvalid
from ostinato.model.spec import (
    After,
    Catchup,
    ClockGuard,
    DagSpec,
    Deadline,
    Need,
    Overlap,
    RunOutcome,
    Schedule,
    zone_of,
)

from .build import build
from .check import Collecting, Place, caller, collecting, place_of, report, shown
from .layout import Layout, layout
from .mistakes import Mistake
from .options import choice, flag, identifier, texts, whole
from .params import declared
from .schedule import first_instant, last_instant, zone
from .unknown import LayoutStopped

if TYPE_CHECKING:
    from ostinato.testing.rehearsal import Rehearsal
    from ostinato.testing.script import Outcome


_LAST_LINE: Final = 1 << 30
PREVIOUS: Final = Need(shift=-1, by_interval=True, if_any=True)
"""The run for the interval before has succeeded."""


class Dag:
    """A workflow. Its function has been called where it stands, and the steps that it called are laid out.

    ``options`` is the spec without its tasks. ``previous``: a run waits for that of the interval before.
    """

    __slots__ = ("function", "layout", "options", "previous", "spec")

    def __init__(self, function: Callable[[], object], options: DagSpec, *, previous: bool = False) -> None:
        self.function = function
        self.options = options
        self.previous = previous
        self.layout: Layout | None = None
        self.spec: DagSpec | None = None

    @property
    def dag_id(self) -> str:
        """The dag's id."""
        return self.options.dag_id

    def build(self) -> DagSpec:
        """The dag as data. Raises DagFileInvalid if its steps wait for each other in a circle."""
        if self.spec is None:
            assert self.layout is not None, f"the dag {self.dag_id!r} was not wanted, so it has no steps"
            built = build(self.layout, self._needs())
            self.spec = replace(self.options, tasks=built.tasks, scopes=built.scopes)
        return self.spec

    def _needs(self) -> tuple[Need, ...]:
        """What all of a run needs, whoever asked for it."""
        schedule = self.options.schedule
        others = schedule.needs if isinstance(schedule, After) else ()
        return (PREVIOUS, *others) if self.previous else others

    def test(
        self,
        logical_date: date | None = None,
        *,
        params: Mapping[str, object] | None = None,
        outcomes: "Mapping[str, Outcome] | None" = None,
        others: "Sequence[Dag]" = (),
    ) -> "Rehearsal":
        """One run of the dag in this process, on a clock that is set: no state folder, no server, no waiting.

        It is for the data interval that starts on ``logical_date``, or at it if it is a datetime; by default on
        2000-01-01. The clock begins when the interval ends. Tasks are called, one after the other, unless ``outcomes``
        says by task id how they end (see `ostinato.testing`)::

            result = sales.test(date(2024, 1, 31), outcomes={"load": fails(2, TransientError)})
            assert result.states == {"load": "success", "publish": "success"}

        Intervals that it needs of itself or of other dags have succeeded. ``others`` are dags that it may call. Raises
        NotRehearsable and UsageError for an outcome, a date or params that do not fit the dag.
        """
        from ostinato.testing.rehearse import rehearse  # noqa: PLC0415 - dag files are imported without it

        return rehearse(self, logical_date, params=params, outcomes=outcomes, others=others)

    def __repr__(self) -> str:
        return f"<dag {self.dag_id}>"


def place_in(dag: Dag, task_id: str | None) -> Place | None:
    """Where a step is called, or for None where the dag begins; None if the dag has no step of that id."""
    if task_id is None:
        code = dag.function.__code__ if isinstance(dag.function, FunctionType) else None
        return None if code is None else Place(code.co_filename, code.co_firstlineno, 1, _LAST_LINE)
    node = dag.layout.by_id.get(task_id) if dag.layout else None
    return None if node is None else place_of(node.code, node.instruction)


class DagMaker(Protocol):
    """``@dag(...)`` with options: what turns a function into a dag."""

    def __call__(self, function: Callable[[], None], /) -> Dag:
        """The dag that ``function`` lays out."""
        ...


@overload
def dag(function: Callable[[], None], /) -> Dag: ...
@overload
def dag(
    *,
    dag_id: str | None = None,
    schedule: Schedule | None = None,
    start: date | None = None,
    end: date | None = None,
    catchup: Catchup = "last",
    deadline: Deadline | None = None,
    params: Mapping[str, object] | None = None,
    max_active_runs: int = 16,
    max_active_tasks: int | None = None,
    outcome: RunOutcome = "every_task",
    overlap: Overlap = "queue",
    previous: bool = False,
    clock: ClockGuard = "off",
    tags: Sequence[str] = (),
) -> DagMaker: ...
def dag(
    function: Callable[[], None] | None = None,
    /,
    *,
    dag_id: str | None = None,
    schedule: Schedule | None = None,
    start: date | None = None,
    end: date | None = None,
    catchup: Catchup = "last",
    deadline: Deadline | None = None,
    params: Mapping[str, object] | None = None,
    max_active_runs: int = 16,
    max_active_tasks: int | None = None,
    outcome: RunOutcome = "every_task",
    overlap: Overlap = "queue",
    previous: bool = False,
    clock: ClockGuard = "off",
    tags: Sequence[str] = (),
) -> Dag | DagMaker:
    """Make a dag of a function that calls tasks. Its id is the function's name unless ``dag_id`` says otherwise.

    The function is called at once, where it stands; so tasks come above it, and a loop may make a dag in every round.
    ``start`` and ``end`` are the first and last logical date that the schedule makes runs for; ``catchup`` says which of
    the intervals that passed while nothing ran are run afterwards. ``params`` declares parameters by default, type or
    ``field``. ``max_active_runs`` and ``max_active_tasks`` bound what goes on at once. ``outcome`` says which tasks decide
    whether a run succeeded, ``overlap`` what the schedule does while an earlier run goes on; with ``previous`` the first
    steps wait until the run of the interval before has succeeded. ``clock`` says what happens when a task asks the clock
    or unseeded chance::

        @dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"), deadline=by("08:00"), params={"region": "eu"})
        def daily_sales() -> None:
            raw = extract(param("region", str))
            publish(raw)
    """
    tz = zone(schedule if isinstance(schedule, Schedule) else None)
    options = DagSpec(
        dag_id="" if dag_id is None else identifier("dag_id", dag_id),
        tasks=(),
        schedule=_schedule(schedule),
        catchup=choice("catchup", catchup, get_args(Catchup)),
        start=None if start is None else first_instant("start", start, tz),
        end=None if end is None else last_instant("end", end, tz),
        deadline=_deadline(deadline, schedule),
        params=declared(params) if params else (),
        max_active_runs=whole("max_active_runs", max_active_runs, 1, 1_000_000, 16),
        tags=texts("tags", tags),
        outcome=choice("outcome", outcome, get_args(RunOutcome)),
        max_active_tasks=None
        if max_active_tasks is None
        else whole("max_active_tasks", max_active_tasks, 1, 1_000_000, 16),
        overlap=choice("overlap", overlap, get_args(Overlap)),
        clock=choice("clock", clock, get_args(ClockGuard)),
    )
    if options.start is not None and options.end is not None and options.end < options.start:
        report(Mistake.BAD_DATE, f"end={end} is before start={start}", near="end=")
    previous = flag("previous", previous)
    if function is not None:
        return _make(function, options, caller(1), previous=previous)
    return cast("DagMaker", lambda function: _make(function, options, caller(1), previous=previous))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def _make(function: Callable[[], None], options: DagSpec, frame: FrameType, *, previous: bool) -> Dag:
    name = getattr(function, "__name__", "dag")
    text = cleandoc(function.__doc__) if function.__doc__ else ""
    options = replace(
        options, dag_id=options.dag_id or identifier("dag_id", name), description=text.partition("\n\n")[0]
    )
    made = Dag(function, options, previous=previous)
    gathered = collecting.get()
    if gathered is not None and _defined_by(gathered.file, frame):
        register(made, gathered)
    if gathered is None or gathered.wanted is None or gathered.wanted == made.dag_id:
        _lay_out(made, gathered)
    return made


def register(made: Dag, gathered: Collecting) -> None:
    """Count a dag among those of the file that is being imported."""
    gathered.counted.add(made)
    if gathered.dags.setdefault(made.dag_id, made) is not made:
        report(
            Mistake.SAME_DAG_ID,
            f"there are two dags {made.dag_id!r} in this file",
            "give each its own id: @dag(dag_id=...)",
        )


def _defined_by(file: str, frame: FrameType | None) -> bool:
    """Whether ``file`` is the module being imported; a dag of a module that it imports is that module's affair."""
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is None or frame.f_code.co_filename == file


def _lay_out(made: Dag, gathered: Collecting | None) -> None:
    if layout.get() is not None:
        report(Mistake.NESTED_DAG, f"the dag {made.dag_id!r} is defined inside of another", "define it beside it")
        made.layout = Layout(made.dag_id, ())
        return
    if not _is_plain(made):
        made.layout = Layout(made.dag_id, ())
        return
    made.layout = Layout(made.dag_id, made.options.params)
    token = layout.set(made.layout)
    try:
        result = made.function()
    except LayoutStopped:
        return
    except (MemoryError, DagFileInvalid):
        raise
    except Exception as error:
        if gathered is None:
            raise
        _raised(made, error, gathered)
        return
    finally:
        layout.reset(token)
    if result is not None:
        report(Mistake.ODD_DAG, f"the function of the dag {made.dag_id!r} returns something", "leave out the return")
    if not made.layout.nodes:
        report(Mistake.NO_TASKS, f"the dag {made.dag_id!r} has no steps", "call a task in its function")


def _raised(made: Dag, error: Exception, gathered: Collecting) -> None:
    help = ""
    if isinstance(error, NameError):
        help = "a dag's function is called where it stands: define what it uses above it"
    what = f"the function of the dag {made.dag_id!r} raised {type(error).__name__}: {error}"
    report(Mistake.DAG_RAISED, what, help, place=gathered.raised_at(error.__traceback__))


def _is_plain(made: Dag) -> bool:
    function = made.function
    if not isinstance(function, FunctionType):
        report(Mistake.ODD_DAG, f"{shown(function)} is not a function", "put the decorator on a function made with def")
        return False
    code = function.__code__
    if code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR | CO_GENERATOR):
        report(
            Mistake.ODD_DAG, f"the function of the dag {made.dag_id!r} is async or a generator", "make it a plain one"
        )
        return False
    if code.co_argcount + code.co_kwonlyargcount > len(function.__defaults__ or ()) + len(
        function.__kwdefaults__ or {}
    ):
        help = "declare parameters with @dag(params={...}) and use them with param('name', type)"
        report(Mistake.ODD_DAG, f"the function of the dag {made.dag_id!r} takes arguments", help)
        return False
    return True


def _schedule(schedule: Schedule | None) -> Schedule | None:
    if schedule is None or isinstance(schedule, Schedule):  # pyright: ignore[reportUnnecessaryIsInstance]
        return schedule
    help = (
        f"write cron({schedule!r})"
        if isinstance(schedule, str)
        else "write cron(...), every(...), calendar(...), moments(...), continuous() or after(...)"
    )
    report(Mistake.BAD_SCHEDULE, f"schedule={shown(schedule)} is not a schedule", help, near="schedule=")
    return None


def _deadline(deadline: Deadline | None, schedule: Schedule | None) -> Deadline | None:
    if deadline is None:
        return None
    if not isinstance(deadline, Deadline):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(
            Mistake.BAD_DEADLINE, f"deadline={shown(deadline)} is not a deadline", "write by('08:00')", near="deadline="
        )
        return None
    if schedule is None:
        help = "it is a promise for each interval of a schedule: add one, or leave the deadline out"
        report(Mistake.BAD_DEADLINE, "there is a deadline but no schedule", help, near="deadline=")
        return None
    return deadline if deadline.tz else replace(deadline, tz=zone_of(schedule))
