"""The vocabulary of dags in YAML. These classes are its one description: the JSON Schema and the checks come from them.

Options mean what they mean in Python, where the functions that have them describe them; what is left out is not given.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.json import schema_components

from ostinato.model.spec import Catchup, ClockGuard, Isolation, Outcome, Overlap, RunOutcome, TriggerRule

from .calendars import Weekday
from .schedule import Fold, Gap

Duration = int | float | str
Count = int | UnsetType
Arguments = dict[str, Any] | UnsetType
FunctionName = Annotated[
    str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", description="A function: module:function")
]
Steps = dict[str, dict[str, Any]]
Outcomes = Outcome | list[Outcome] | None
After = str | list[str] | dict[str, Outcomes] | UnsetType


class Words(Struct, forbid_unknown_fields=True, frozen=True):
    """A mapping whose keys are known."""


class RetryWords(Words, frozen=True, kw_only=True):
    """How often each class of error is tried again."""

    transient: Count = UNSET
    resource: Count = UNSET
    first_delay: Duration | UnsetType = UNSET
    max_delay: Duration | UnsetType = UNSET
    jitter: float | UnsetType = UNSET


class ExpandWords(Words, frozen=True, kw_only=True):
    """Perform the step for each combination (product) of the items of lists, or for those at one place (zip)."""

    over: dict[str, Any]
    pairing: Literal["product", "zip"] = "product"
    limit: int = 1_000
    max_active: int | None = None


class StepWords(Words, frozen=True, kw_only=True):
    """What every step may have: the steps it comes after, by name, and if need be by outcome."""

    after: After = UNSET


class FunctionWords(StepWords, frozen=True, kw_only=True):
    """What a step with a function may have."""

    arguments: Arguments = field(default=UNSET, name="with")
    expand: ExpandWords | UnsetType = UNSET
    retry: RetryWords | UnsetType = UNSET
    pool: str | UnsetType = UNSET
    slots: Count = UNSET
    priority: Count = UNSET
    isolation: Isolation | UnsetType = UNSET
    memory: int | str | UnsetType = UNSET
    trigger_rule: TriggerRule | UnsetType = UNSET
    max_active: Count = UNSET
    depends_on_past: bool | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class WorkWords(FunctionWords, frozen=True, kw_only=True):
    """What a step whose function does something may have: ``timeout`` bounds one try."""

    timeout: Duration | UnsetType = UNSET


class RunStep(WorkWords, frozen=True, kw_only=True):
    """A step that calls a function."""

    run: FunctionName


class BranchStep(WorkWords, frozen=True, kw_only=True):
    """A step whose function names the steps right after it that go on."""

    branch: FunctionName


class ShortCircuitStep(WorkWords, frozen=True, kw_only=True):
    """A step whose function answers whether what comes after it goes on."""

    short_circuit: FunctionName


class SensorStep(FunctionWords, frozen=True, kw_only=True):
    """A step whose function answers whether what is waited for is there."""

    sensor: FunctionName
    every: Duration
    timeout: Duration


class WaitForFileStep(StepWords, frozen=True, kw_only=True):
    """A step that waits for a file."""

    wait_for_file: str
    every: Duration | UnsetType = UNSET
    timeout: Duration | UnsetType = UNSET


class RunDagStep(StepWords, frozen=True, kw_only=True):
    """A step that makes a run of another dag."""

    run_dag: str
    arguments: Arguments = field(default=UNSET, name="with")
    wait: bool | UnsetType = UNSET


class WaitForDagStep(StepWords, frozen=True, kw_only=True):
    """A step that waits until intervals of another dag have succeeded."""

    wait_for_dag: str
    task: str | UnsetType = UNSET
    shift: Duration | UnsetType = UNSET
    size: Duration | UnsetType = UNSET
    intervals: Count = UNSET
    last: Count = UNSET
    if_any: bool | UnsetType = UNSET


class ApprovalStep(StepWords, frozen=True, kw_only=True):
    """A step that waits for a person's yes."""

    approval: str
    timeout: Duration | UnsetType = UNSET
    no: Literal["skip", "fail"] | UnsetType = UNSET


class GroupStep(StepWords, frozen=True, kw_only=True):
    """Steps under a common name."""

    group: Steps


class GuardedWords(Words, frozen=True, kw_only=True):
    """The steps between a setup and a teardown, which are steps beside this one."""

    setup: list[str]
    teardown: list[str]
    tasks: Steps


class GuardedStep(StepWords, frozen=True, kw_only=True):
    """Steps between a setup and a teardown."""

    guarded: GuardedWords


class EachWords(Words, frozen=True, kw_only=True):
    """The steps performed for each item of a list."""

    over: Any
    tasks: Steps
    limit: Count = UNSET
    max_active: Count = UNSET
    trigger_rule: TriggerRule | UnsetType = UNSET


class EachStep(StepWords, frozen=True, kw_only=True):
    """Steps that are performed for each item of a list."""

    each: EachWords


class LoopWords(Words, frozen=True, kw_only=True):
    """The steps performed turn after turn, until the output of ``until`` is true; that of ``carry`` is handed on."""

    start: Any
    until: str
    tasks: Steps
    carry: str | UnsetType = UNSET
    limit: Count = UNSET
    trigger_rule: TriggerRule | UnsetType = UNSET


class LoopStep(StepWords, frozen=True, kw_only=True):
    """Steps that are performed turn after turn."""

    loop: LoopWords


AnyStep = (
    RunStep
    | BranchStep
    | ShortCircuitStep
    | SensorStep
    | WaitForFileStep
    | RunDagStep
    | WaitForDagStep
    | ApprovalStep
    | GroupStep
    | GuardedStep
    | EachStep
    | LoopStep
)

KINDS: Final[dict[str, type[AnyStep]]] = {
    "run": RunStep,
    "branch": BranchStep,
    "short_circuit": ShortCircuitStep,
    "sensor": SensorStep,
    "wait_for_file": WaitForFileStep,
    "run_dag": RunDagStep,
    "wait_for_dag": WaitForDagStep,
    "approval": ApprovalStep,
    "group": GroupStep,
    "guarded": GuardedStep,
    "each": EachStep,
    "loop": LoopStep,
}
"""Every step has exactly one of these keys, which says what it is."""


class CronWords(Words, frozen=True, kw_only=True):
    """A tick at each match of a cron expression, or of each of a list of them."""

    cron: str | list[str]
    tz: str | UnsetType = UNSET
    gap: Gap | UnsetType = UNSET
    fold: Fold | UnsetType = UNSET


class EveryWords(Words, frozen=True, kw_only=True):
    """A tick every so often."""

    every: Duration
    offset: Duration | UnsetType = UNSET


class CalendarWords(Words, frozen=True, kw_only=True):
    """The ticks of a cron schedule but for those on some dates and days of the week."""

    calendar: CronWords
    dates: list[str] | UnsetType = UNSET
    weekdays: list[Weekday] | UnsetType = UNSET


class MomentsWords(Words, frozen=True, kw_only=True):
    """A tick at each of some moments but the first, which only begins the first interval."""

    moments: list[str]
    tz: str | UnsetType = UNSET


class ContinuousOptions(Words, frozen=True, kw_only=True):
    """How long an interval is at least."""

    at_least: Duration | UnsetType = UNSET


class ContinuousWords(Words, frozen=True, kw_only=True):
    """A run as soon as the previous one is over."""

    continuous: ContinuousOptions


class AfterWords(Words, frozen=True, kw_only=True):
    """A run for each of these intervals, once another dag, or each of some, has succeeded for all of it."""

    after: str | Annotated[list[str], Meta(min_length=1)]
    each: dict[str, Any]


TickingWords = CronWords | EveryWords | CalendarWords | MomentsWords
AnySchedule = TickingWords | ContinuousWords | AfterWords

TICKING: Final[dict[str, type[TickingWords]]] = {
    "cron": CronWords,
    "every": EveryWords,
    "calendar": CalendarWords,
    "moments": MomentsWords,
}
"""What says for which intervals a dag runs after others has exactly one of these keys."""

SCHEDULES: Final[dict[str, type[AnySchedule]]] = {**TICKING, "continuous": ContinuousWords, "after": AfterWords}
"""Every schedule has exactly one of these keys, which says what it is."""


class DeadlineWords(Words, frozen=True, kw_only=True):
    """Done by a time of day, in the schedule's time zone or another."""

    by: str
    tz: str = ""


class ForEachWords(Words, frozen=True, kw_only=True):
    """The dag once for each item of a list, or of the YAML or JSON file of that name; ``${item}`` stands for it."""

    item: Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")]
    items: list[Any] | str = field(name="in")


class DagWords(Words, frozen=True, kw_only=True):
    """A dag. ``params`` pairs names with defaults, or with ``{type: ...}`` and keywords of JSON Schema."""

    dag: str
    tasks: Steps
    for_each: ForEachWords | UnsetType = UNSET
    description: str = ""
    schedule: dict[str, Any] | UnsetType = field(default=UNSET)
    start: str | UnsetType = UNSET
    end: str | UnsetType = UNSET
    deadline: DeadlineWords | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    catchup: Catchup | UnsetType = UNSET
    max_active_runs: Count = UNSET
    max_active_tasks: Count = UNSET
    outcome: RunOutcome | UnsetType = UNSET
    overlap: Overlap | UnsetType = UNSET
    previous: bool | UnsetType = UNSET
    clock: ClockGuard | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one document of a ``*.dag.yaml`` file."""
    words = [DagWords, *get_args(AnySchedule), *get_args(AnyStep)]
    _, found = schema_components(words, ref_template="#/$defs/{name}")
    defs: dict[str, Any] = dict(found)
    for each in found.values():
        for part in each["properties"].values():
            if part.get("additionalProperties") == {"type": "object"}:  # it is Steps
                part["additionalProperties"] = {"$ref": "#/$defs/Step"}
    defs["Step"] = _one_of("Step", KINDS)
    defs["Ticking"] = _one_of("Ticking", TICKING)
    defs["Schedule"] = _one_of("Schedule", SCHEDULES)
    defs["AfterWords"]["properties"]["each"] = {"$ref": "#/$defs/Ticking"}
    defs["DagWords"]["properties"]["schedule"] = {"$ref": "#/$defs/Schedule"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A dag of Ostinato in YAML",
        "$ref": "#/$defs/DagWords",
        "$defs": defs,
    }


def _one_of(title: str, kinds: Mapping[str, type[Words]]) -> dict[str, Any]:
    """A mapping with exactly one of some keys, which says what else it has."""
    return {
        "title": title,
        "type": "object",
        "oneOf": [{"required": [kind]} for kind in kinds],
        "allOf": [
            {"if": {"type": "object", "required": [kind]}, "then": {"$ref": f"#/$defs/{words.__name__}"}}
            for kind, words in kinds.items()
        ],
    }
