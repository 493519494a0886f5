"""What becomes of a run, said as simply as can be: a task at a time, from the ends of its upstreams.

This knows nothing of gates, counts, orders or time. ``RULES`` has one line for each trigger rule.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from ostinato.model.spec import TriggerRule

End = Literal["success", "failed", "skipped", "upstream_failed"]
Verdict = Literal["run", "skipped", "upstream_failed"]


class Planned(Struct, frozen=True):
    """A task: the numbers of its upstreams, its trigger rule, and how it ends if it runs."""

    upstream: tuple[int, ...]
    rule: TriggerRule
    end: Literal["success", "failed", "skipped"]


class Ends:
    """How the upstreams of a task ended."""

    def __init__(self, ends: Sequence[End]) -> None:
        self.succeeded = ends.count("success")
        self.skipped = ends.count("skipped")
        self.bad = len(ends) - self.succeeded - self.skipped


def _all_success(ends: Ends) -> Verdict:
    if ends.bad:
        return "upstream_failed"
    return "skipped" if ends.skipped else "run"


def _all_done(ends: Ends) -> Verdict:
    del ends
    return "run"


RULES: Mapping[TriggerRule, Callable[[Ends], Verdict]] = {"all_success": _all_success, "all_done": _all_done}


def ends_of(plan: Sequence[Planned]) -> list[End]:
    """How each task of a plan ends."""

    def end(number: int) -> End:
        task = plan[number]
        if not task.upstream:
            return task.end
        verdict = RULES[task.rule](Ends([end(up) for up in task.upstream]))
        return task.end if verdict == "run" else verdict

    return [end(number) for number in range(len(plan))]
