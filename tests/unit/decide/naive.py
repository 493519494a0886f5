"""What a dag must come to, said the slow and obvious way: step by step, each looked at once all before it has ended."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from ostinato.model.message import Verdict
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import DagSpec, Outcome, TaskSpec, TriggerRule
from ostinato.model.state import TaskState

S, F, K, U = TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.UPSTREAM_FAILED
BAD = {F, U, TaskState.CANCELLED}
OUTCOMES: dict[Outcome, set[TaskState]] = {"succeeded": {S}, "failed": BAD, "skipped": {K}, "completed": BAD | {S}}
END: dict[Verdict, TaskState] = {"success": S, "skipped": K, "failed": F}


class Play(Struct, frozen=True):
    """How everything ends that a run of a dag begins.

    ``ends`` are of task instances that start; ``follow`` is what those that steer go on with, if they succeed; ``items``
    how many instances a scope has, for a loop after how many turns it is done.
    """

    spec: DagSpec
    ends: Mapping[Instance, Verdict] = field(default_factory=dict[Instance, Verdict])
    follow: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    items: Mapping[int, int] = field(default_factory=dict[int, int])

    def end_of(self, instance: Instance) -> Verdict:
        """How a task instance ends if it starts."""
        return self.ends.get(instance, "success")


def rule_says(rule: TriggerRule, ends: Sequence[TaskState], setups: Sequence[TaskState]) -> TaskState | None:
    """How a task ends whose upstreams ended so; None: it starts."""
    good, skipped = ends.count(S), ends.count(K)
    bad = len(ends) - good - skipped
    starts: dict[TriggerRule, bool] = {
        "all_success": good == len(ends),
        "all_failed": bad == len(ends),
        "all_done": True,
        "all_done_min_one_success": good > 0,
        "all_skipped": skipped == len(ends),
        "one_success": good > 0,
        "one_failed": bad > 0,
        "one_done": good + bad > 0,
        "none_failed": bad == 0,
        "none_failed_min_one_success": bad == 0 and good > 0,
        "none_skipped": skipped == 0,
        "always": True,
        "all_done_setup_success": not setups or S in setups,
    }
    if starts[rule]:
        return None
    if rule == "all_done_setup_success":
        return K if set(setups) == {K} else U
    asks_for_success = rule.startswith(("all_success", "all_done", "one_success", "none_failed"))
    return U if bad and asks_for_success else K


def end_of_run(play: Play) -> dict[Instance, TaskState]:
    """How every task instance of a run ends."""
    states: dict[Instance, TaskState] = {}
    whole: dict[int, TaskState] = {}
    skipped: set[int] = set()
    for no, task in enumerate(play.spec.tasks):
        if no in whole:
            continue
        if task.scope is not None:
            _scope(play, task.scope, whole, skipped, states)
            continue
        whole[no] = _before(no, task, whole, skipped) or END[play.end_of((no, UNMAPPED))]
        if whole[no] is S and no in play.follow:
            skipped |= _left_aside(play, no, _neighbours(play.spec))
    return states | {(no, UNMAPPED): state for no, state in whole.items()}


def _before(no: int, task: TaskSpec, states: Mapping[int, TaskState], skipped: set[int]) -> TaskState | None:
    """How a task ends by what was before it; None: it starts."""
    if no in skipped:
        return K
    if task.conditions:
        edges = zip(task.upstream, task.conditions, strict=True)
        fits = [any(states[up] in OUTCOMES[outcome] for outcome in outcomes) for up, outcomes in edges]
        return None if all(fits) else K
    if not task.upstream:
        return None
    return rule_says(task.trigger_rule, [states[up] for up in task.upstream], [states[up] for up in task.setups])


def _scope(
    play: Play, scope_no: int, whole: dict[int, TaskState], skipped: set[int], states: dict[Instance, TaskState]
) -> None:
    scope = play.spec.scopes[scope_no]
    members = [no for no, task in enumerate(play.spec.tasks) if task.scope == scope_no]
    end = K if members[0] in skipped else None
    if end is None and scope.upstream:
        end = rule_says(scope.trigger_rule, [whole[up] for up in scope.upstream], [])
    count = play.items[scope_no]
    if end is None and not count:
        end = K
    if end is not None:
        whole.update(dict.fromkeys(members, end))
        return
    for index in range(count):
        of_turn = _instance(play, members, index)
        states.update({(no, index): state for no, state in of_turn.items()})
        if scope.kind == "loop" and scope.until is not None and of_turn[scope.until] is not S:
            count = index + 1
            break
    worst = [K, S, TaskState.CANCELLED, U, F]
    whole.update({no: max((states[no, at] for at in range(count)), key=worst.index) for no in members})


def _instance(play: Play, members: Sequence[int], index: int) -> dict[int, TaskState]:
    states: dict[int, TaskState] = {}
    skipped: set[int] = set()
    after = {no: [down for down in members if no in play.spec.tasks[down].upstream] for no in members}
    for no in members:
        states[no] = _before(no, play.spec.tasks[no], states, skipped) or END[play.end_of((no, index))]
        if states[no] is S and no in play.follow:
            skipped |= _left_aside(play, no, after)
    return states


def _neighbours(spec: DagSpec) -> dict[int, list[int]]:
    """What comes right after each task, where a scope stands for its tasks."""
    after: dict[int, list[int]] = {no: [] for no in range(len(spec.tasks))}
    for no, task in enumerate(spec.tasks):
        for up in task.upstream if task.scope is None else spec.scopes[task.scope].upstream:
            after[up].append(no)
    return after


def _left_aside(play: Play, no: int, after: Mapping[int, list[int]]) -> set[int]:
    """What a branch or a short circuit skips."""
    tasks = play.spec.tasks
    names = play.follow[no]
    followed = {each for each in after if tasks[each].task_id in names}
    scopes = {at for at, scope in enumerate(play.spec.scopes) if scope.scope_id in names}
    scopes |= {scope for each in followed if (scope := tasks[each].scope) is not None}
    if tasks[no].scope is None:
        followed |= {each for each in after if tasks[each].scope in scopes}
    candidates = _reach(set(after[no]), after) if tasks[no].kind == "short_circuit" else set(after[no])
    left_aside = candidates - _reach(followed, after)
    return {each for each in left_aside if tasks[each].role != "teardown" or tasks[each].scope != tasks[no].scope}


def _reach(start: set[int], after: Mapping[int, list[int]]) -> set[int]:
    """These and all that comes after them."""
    found = set(start)
    for no in sorted(after):
        if no in found:
            found |= set(after[no])
    return found
