"""What people have asked for, and how much of it the scheduler knows: it knows what stood when it looked last."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from ostinato.model.cause import Cause
from ostinato.model.change import Decision, Event, SwitchedOff
from ostinato.model.record import Instance, instance_name
from ostinato.model.state import FINAL_RUN, FINAL_TASK, RunState, TaskState

from .seen import SeenRun
from .trace import demand

_ANSWERS: Final = {"approve": {Cause.APPROVED}, "decline": {Cause.DECLINED, Cause.DECLINED_AS_FAILURE}}
_MARKS: Final = {
    "mark_success": {Cause.MARKED_SUCCESS},
    "mark_failed": {Cause.MARKED_FAILED},
    "mark_skipped": {Cause.MARKED_SKIPPED},
}
ENDS_BY: Final[Mapping[Decision, set[Cause]]] = {**_ANSWERS, **_MARKS}
"""The causes by which a task instance ends that somebody has decided about."""


class Granted(Struct, frozen=True):
    """What a backfill may have."""

    most: int
    paused: bool = False


class Decided(Struct, frozen=True):
    """What somebody has decided about a task instance."""

    run_id: int
    at: Instance
    what: Decision


class Wishes:
    """See the module. ``asked_to_stop`` are runs; what is ``known`` of the rest is what the scheduler may go by."""

    def __init__(self) -> None:
        self.off: dict[tuple[str, str], SwitchedOff] = {}
        self.known_off = dict(self.off)
        self.granted: dict[int, Granted] = {}
        self.known_granted = dict(self.granted)
        self.asked_to_stop: set[int] = set()
        self.decisions: dict[int, Decided] = {}

    def looked(self) -> None:
        """The scheduler has looked."""
        self.known_off = dict(self.off)
        self.known_granted = dict(self.granted)

    def hold(self, backfill_id: int, *, paused: bool) -> None:
        """Somebody pauses a backfill, or lets it go on."""
        self.granted[backfill_id] = structs.replace(self.granted[backfill_id], paused=paused)


class TakenIn:
    """The decisions that one commit takes in, in their order; made before the commit is looked at.

    Of those about one task instance that still can be decided the first one counts. Each has its effect or is recorded
    as one that has none, unless its run is over.
    """

    def __init__(self, wishes: Wishes, taken: Iterable[int], runs: Mapping[int, SeenRun]) -> None:
        self._runs = runs
        self._first: dict[tuple[int, Instance], Decision] = {}
        self._early: set[tuple[int, Instance, Decision]] = set()
        self._left: Counter[tuple[int, str]] = Counter()
        for each in dict.fromkeys(taken):
            decided = wishes.decisions.pop(each, None)
            demand(decided is not None, f"decision {each} is taken in, and nobody has made it, or it was before")
            assert decided is not None
            seen = runs[decided.run_id]
            self._left[decided.run_id, _name(seen, decided.at)] += 1
            if _counts(seen, decided):
                self._first.setdefault((decided.run_id, decided.at), decided.what)
            else:
                self._early.add((decided.run_id, decided.at, decided.what))  # a question that comes by another answer

    def hold(self, run_id: int, at: Instance, cause: Cause) -> None:
        """Raise Violation unless this is how somebody has decided that a task instance is to end."""
        what = self._first.get((run_id, at))
        also = [early for run, instance, early in self._early if (run, instance) == (run_id, at)]
        fits = any(cause in ENDS_BY[each] for each in ([what, *also] if what else also))
        demand(fits, f"task {at} ends by {cause}, decided was {what}", run_id)
        self._left[run_id, _name(self._runs[run_id], at)] -= 1

    def hold_refusal(self, seen: SeenRun, event: Event) -> None:
        """Raise Violation unless what an event says had no effect was decided, and says why."""
        run_id, facts = event.run_id, event.facts or {}
        demand(event.was == event.becomes == seen.run.state is RunState.RUNNING, "a refusal moves a run", run_id)
        demand(facts.get("why") and facts.get("by") == "people", f"a refusal says too little: {facts}", run_id)
        self._left[run_id, str(facts["task"])] -= 1
        demand(self._left[run_id, str(facts["task"])] >= 0, f"refused, and nobody has decided it: {facts}", run_id)

    def hold_effects(self) -> None:
        """Raise Violation if a decision that counts has had no effect, or one without effect was not recorded."""
        for (run_id, at), what in self._first.items():
            seen = self._runs[run_id]
            demand(seen.cancelling or seen.states[at] in FINAL_TASK, f"{what} of task {at} has no effect", run_id)
        for (run_id, name), left in self._left.items():
            over = self._runs[run_id].run.state in FINAL_RUN
            demand(left == 0 or over, f"{left} decisions about {name} had no effect and are not recorded", run_id)


def _name(seen: SeenRun, at: Instance) -> str:
    return instance_name(seen.spec, *at)


def _counts(seen: SeenRun, decided: Decided) -> bool:
    """Whether what it is about can still be decided so; in a run that has not begun, once it begins."""
    at = decided.at
    if seen.run.state in FINAL_RUN or seen.cancelling or at not in seen.states:
        return False
    if decided.what in _ANSWERS:
        return seen.states[at] is TaskState.DEFERRED and seen.task(at).approval is not None
    return seen.states[at] not in FINAL_TASK and not seen.is_whole(at)


def open_runs(runs: Mapping[int, SeenRun], backfill_id: int) -> list[int]:
    """The runs of a backfill that have not ended."""
    return [
        run_id
        for run_id, seen in runs.items()
        if seen.run.backfill_id == backfill_id and seen.run.state not in FINAL_RUN
    ]
