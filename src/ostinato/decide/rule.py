"""What becomes of the members of a gate, by the ends of its upstreams. Every rule is a function of counts.

Every rule is monotone: what it says once it never takes back, in whatever order the upstreams end. So a failure decides
``all_success`` at once, but a skip only when all are done, or the order would show in the result. Names and meanings are
Airflow's (docs, "Trigger Rules"); where its scheduler decides by what it happens to see first, ours waits. An upstream
that could not start because of a failure (upstream_failed), or was cancelled, counts as failed.
"""

from collections.abc import Callable
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.spec import TriggerRule
from ostinato.model.state import TaskState

from .graph import BAD, Gate


class Count:
    """How the upstreams of one gate, in one run, have ended so far, and whether that was acted on (``decided``).

    ``steered`` counts those that steer and have ended, ``set_up`` and ``not_set_up`` the setups that succeeded or were
    skipped; ``refused`` says that an edge did not take what its upstream came to.
    """

    __slots__ = ("bad", "decided", "done", "not_set_up", "refused", "set_up", "skipped", "steered")

    def __init__(self) -> None:
        self.done = 0
        self.bad = 0
        self.skipped = 0
        self.steered = 0
        self.set_up = 0
        self.not_set_up = 0
        self.refused = False
        self.decided = False

    @property
    def good(self) -> int:
        """How many succeeded."""
        return self.done - self.bad - self.skipped

    def add(self, gate: Gate, upstream: int, state: TaskState) -> None:
        """Count one upstream that ended in ``state``."""
        self.done += 1
        if state is TaskState.SKIPPED:
            self.skipped += 1
        elif state in BAD:
            self.bad += 1
        if gate.takes is not None and state not in gate.takes[upstream]:
            self.refused = True
        if upstream in gate.setups:
            self.set_up += state is TaskState.SUCCESS
            self.not_set_up += state is TaskState.SKIPPED


Verdict = Cause | None
"""READY: the members may start. Another cause: they end by it. None: not decided yet."""


def verdict(gate: Gate, count: Count) -> Verdict:
    """What becomes of a gate's members."""
    if count.steered < gate.steering:
        return None
    if gate.takes is not None:
        if count.refused:
            return Cause.EDGE_NOT_TAKEN
        return Cause.READY if count.done == gate.size else None
    return _RULES[gate.rule](gate, count)


def _all_success(gate: Gate, count: Count) -> Verdict:
    if count.bad:
        return Cause.UPSTREAM_FAILED
    if count.done < gate.size:
        return None
    return Cause.UPSTREAM_SKIPPED if count.skipped else Cause.READY


def _all_failed(gate: Gate, count: Count) -> Verdict:
    if count.bad < count.done:
        return Cause.RULE_NOT_MET
    return Cause.READY if count.done == gate.size else None


def _all_done(gate: Gate, count: Count) -> Verdict:
    return Cause.READY if count.done == gate.size else None


def _all_done_min_one_success(gate: Gate, count: Count) -> Verdict:
    if count.done < gate.size:
        return None
    if count.good:
        return Cause.READY
    return Cause.UPSTREAM_FAILED if count.bad else Cause.UPSTREAM_SKIPPED


def _all_skipped(gate: Gate, count: Count) -> Verdict:
    if count.skipped < count.done:
        return Cause.RULE_NOT_MET
    return Cause.READY if count.done == gate.size else None


def _one_success(gate: Gate, count: Count) -> Verdict:
    if count.good:
        return Cause.READY
    if count.done < gate.size:
        return None
    return Cause.UPSTREAM_FAILED if count.bad else Cause.UPSTREAM_SKIPPED


def _one_failed(gate: Gate, count: Count) -> Verdict:
    if count.bad:
        return Cause.READY
    return Cause.RULE_NOT_MET if count.done == gate.size else None


def _one_done(gate: Gate, count: Count) -> Verdict:
    if count.done > count.skipped:
        return Cause.READY
    return Cause.UPSTREAM_SKIPPED if count.done == gate.size else None


def _none_failed(gate: Gate, count: Count) -> Verdict:
    if count.bad:
        return Cause.UPSTREAM_FAILED
    return Cause.READY if count.done == gate.size else None


def _none_failed_min_one_success(gate: Gate, count: Count) -> Verdict:
    if count.bad:
        return Cause.UPSTREAM_FAILED
    if count.done < gate.size:
        return None
    return Cause.READY if count.good else Cause.UPSTREAM_SKIPPED


def _none_skipped(gate: Gate, count: Count) -> Verdict:
    if count.skipped:
        return Cause.UPSTREAM_SKIPPED
    return Cause.READY if count.done == gate.size else None


def _always(gate: Gate, count: Count) -> Verdict:
    del gate, count
    return Cause.READY


def _all_done_setup_success(gate: Gate, count: Count) -> Verdict:
    """A teardown: all is over, and there is something to tear down."""
    if count.done < gate.size:
        return None
    if count.set_up or not gate.setups:
        return Cause.READY
    return Cause.UPSTREAM_SKIPPED if count.not_set_up == len(gate.setups) else Cause.UPSTREAM_FAILED


_RULES: Final[dict[TriggerRule, Callable[[Gate, Count], Verdict]]] = {
    "all_success": _all_success,
    "all_failed": _all_failed,
    "all_done": _all_done,
    "all_done_min_one_success": _all_done_min_one_success,
    "all_skipped": _all_skipped,
    "one_success": _one_success,
    "one_failed": _one_failed,
    "one_done": _one_done,
    "none_failed": _none_failed,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "none_skipped": _none_skipped,
    "always": _always,
    "all_done_setup_success": _all_done_setup_success,
}
