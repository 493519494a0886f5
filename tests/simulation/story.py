"""A failure told in short: the seed, the one command that shows it again (and makes it simpler), and what happened last."""

from ostinato.model.change import Event
from ostinato.model.record import UNMAPPED

from .shrink import Case
from .simulation import Simulation
from .timeline import BEGIN
from .trace import Violation

LINES = 25
LONGEST = 1_000


def story(case: Case, simulation: Simulation, violation: BaseException) -> str:
    """What went wrong, and the last events of the run that it went wrong in."""
    lines = [
        f"seed {case.seed}: {str(violation)[:LONGEST]}",
        f"at {(simulation.timeline.now - BEGIN) / 1000:.3f} s; again: {case.command()}",
        "what happened last:",
        *simulation.trace.lines(LINES),
    ]
    run_id = violation.run_id if isinstance(violation, Violation) else None
    seen = simulation.witness.runs.get(run_id or 0)
    if seen is not None:
        tasks = ", ".join(
            f"{task.task_id}{list(task.upstream) or ''}{'' if task.trigger_rule == 'all_success' else f' {task.trigger_rule}'}"
            for task in seen.spec.tasks
        )
        lines.append(f"run {run_id} of {seen.run.dag_id}, {seen.run.kind}, {seen.run.run_key}: {tasks}")
        lines += [_line(event) for event in seen.events[-LINES:]]
    return "\n".join(lines)


def _line(event: Event) -> str:
    index = "" if event.map_index == UNMAPPED else f"[{event.map_index}]"
    what = "run" if event.task_no is None else f"t{event.task_no}{index}"
    attempt = f" attempt {event.attempt}" if event.attempt is not None else ""
    at = (event.at - BEGIN) / 1000
    return f"{at:>9.3f} s  #{event.seq} {what}: {event.was} -> {event.becomes} by {event.cause}{attempt} {event.facts or ''}"
