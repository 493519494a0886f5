"""``ostinato demo``: everything at work, on real data, in a folder of its own. Run again, it proves that nothing changes."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.errors import DagFileInvalid
from ostinato.model.record import Run
from ostinato.model.state import RunState
from ostinato.view.documents.backfills import BackfillDocument
from ostinato.view.when import logical_date

from .demo_stage import FOLDER, LATE_DAY, Stage
from .session import state
from .terminal import Ink, out, say
from .words import Slots, declaration

if TYPE_CHECKING:
    from subprocess import Popen

    from ostinato.app import Running
    from ostinato.model.change import Reprocess
    from ostinato.model.record import Backfill
    from ostinato.model.spec import DagSpec
    from ostinato.model.time import Instant
    from ostinato.store import Store

    from .backfill_progress import BackfillView

app = declaration()

DAG: Final = "daily_flights"
FIRST_DAY: Final = "2013-01-01"
LAST_DAY: Final = "2013-12-31"


@app.command(
    epilog="ostinato demo\nostinato demo   (again: runs the year anew and proves that its content is the same)"
)
def demo(slots: Slots = None) -> int:
    """Show what Ostinato does: a year of real flights, some days with planted faults, on this machine.

    Everything happens in ./ostinato-demo. Interrupted, it goes on where it was when it is started again.
    """
    from ostinato.app import start  # noqa: PLC0415 - loads the whole scheduler, which help does without

    stage = Stage(Path(FOLDER).absolute())
    stage.set()
    _opening(stage)
    try:
        with start(stage.home, slots=slots, dag_paths=[stage.dag_file]) as running:
            if running.problems:
                raise DagFileInvalid("the example has problems", problems=tuple(running.problems))
            performance = Performance(stage, running)
            performance.one_day()
            document = performance.year()
    except KeyboardInterrupt:
        say("stopped; `ostinato demo` goes on where it was")
        raise
    with state(stage.home) as store:
        return _closing(stage, store, document)


def _opening(stage: Stage) -> None:
    _heading("A year of real flights from New York, in ./" + FOLDER)
    if not stage.delivered:
        say("laying out a file for each day ...")
        say(stage.deliver())
    out("planted on purpose (injected.json names all of it):")
    for line in stage.planted():
        out(f"  {line}")


class Performance:
    """The two acts: one day, then the year. What is done already, or begun, is seen in the state."""

    def __init__(self, stage: Stage, running: "Running") -> None:
        self._stage = stage
        self._running = running
        self._store: Store = running.store
        self._spec: DagSpec = self._store.compiled(self._store.dag(DAG).version).spec
        newest = self._store.backfills(DAG, limit=1)
        self._before: Backfill | None = newest[0] if newest else None

    def one_day(self) -> None:
        """Run the first day, watched live, unless the year has begun already."""
        from .order import interval_for, new_run  # noqa: PLC0415
        from .watch import view_for_people, watch  # noqa: PLC0415

        if self._before is not None:
            return
        _heading(f"One day: {FIRST_DAY}")
        now = SystemClock().now()
        run = new_run(self._store, self._spec, interval_for(self._spec.schedule, FIRST_DAY, now), [], "demo", now)
        hint(self._stage.home)
        ended = watch(self._store, run, self._running.step, view_for_people(self._stage.home))
        out(f"run {ended.run_id} for {FIRST_DAY}: {Ink().state(ended.state)}")

    def year(self) -> BackfillDocument:
        """Run the year: begun, gone on with, or again."""
        from .backfill_progress import follow_backfill  # noqa: PLC0415
        from .backfill_view import view_for_people  # noqa: PLC0415

        view = LateDelivery(self._stage, view_for_people())
        return follow_backfill(self._store, self._backfill(), self._running.step, view)

    def _backfill(self) -> int:
        from .backfill_progress import is_over  # noqa: PLC0415

        if self._before is None:
            _heading(f"The year: every day from {FIRST_DAY} to {LAST_DAY} that has no run yet")
            return self._begin("missing")
        if not is_over(self._before.runs or {}):
            _heading(f"The year: backfill {self._before.backfill_id} goes on where it was")
            return self._before.backfill_id
        _heading("The year again: all of it, although it is done, to see that nothing changes")
        self._stage.remember(self._stage.result())
        return self._begin("all")

    def _begin(self, reprocess: "Reprocess") -> int:
        from ostinato.decide.backfill import Wish  # noqa: PLC0415

        from .backfill_plan import Manner, between, ordered, planned  # noqa: PLC0415

        now = SystemClock().now()
        chosen = between(self._spec, FIRST_DAY, LAST_DAY)
        wish = Wish(DAG, chosen.intervals, reprocess)
        made = planned(self._store, wish, now)
        begun, _ = self._store.create_backfill(*ordered(self._store, wish, chosen, made, Manner(), "demo", now))
        hint(self._stage.home)
        return begun.backfill_id


class LateDelivery:
    """Shows a backfill, and brings the late file when half of it is done."""

    def __init__(self, stage: Stage, view: "BackfillView") -> None:
        self._stage = stage
        self._view = view
        self._script: Popen[bytes] | None = None

    def show(self, document: BackfillDocument, now: "Instant") -> None:
        """Draw the progress; see to the file."""
        from .backfill_progress import over  # noqa: PLC0415

        self._view.show(document, now)
        if self._script is not None:
            if self._script.poll() is not None:
                self._script = None
                say(f"the file of {LATE_DAY} has come: its sensor goes on")
        elif not self._stage.late_file.exists() and 2 * over(document.runs) >= sum(document.runs.values()):
            say(f"the file of {LATE_DAY} is on its way ...")
            self._script = self._stage.deliver_late()

    def close(self) -> None:
        """Wait for the delivery; leave the terminal as it was."""
        if self._script is not None:
            self._script.wait()
        self._view.close()


def _closing(stage: Stage, store: "Store", document: BackfillDocument) -> int:
    from .demo_story import told  # noqa: PLC0415

    spec = store.compiled(store.dag(DAG).version).spec
    runs = store.runs(backfill_id=document.backfill_id, limit=1_000)
    runs.sort(key=lambda run: run.interval)
    _heading("What happened")
    for title, lines in told(store, stage.home, spec, runs):
        out(f"{title}:")
        for line in lines or ["nothing"]:
            out(f"  {line}")
    out(_found(stage, store, spec, runs))
    _heading("The result")
    out(stage.result_for_people())
    code = compared(stage) if document.reprocess == "all" else 0
    _heading("Now try")
    for line in _next(runs):
        out(f"  {line}")
    return code


def _found(stage: Stage, store: "Store", spec: "DagSpec", runs: list[Run]) -> str:
    """Whether the dead letters are what was planted, and what else they are."""
    days = {run.run_id: logical_date(run.interval, spec.schedule) for run in runs}
    planted, caught = stage.broken_days(), Counter[str]()
    for each in store.rejected(dag_id=DAG, limit=10_000):
        if each.run_id in days:
            caught[days[each.run_id]] += each.letters.count
    there = sum(min(caught[day], count) for day, count in planted.items())
    real = caught.total() - there
    return f"{there} of {sum(planted.values())} planted records were caught, and {real} of the real ones"


def compared(stage: Stage) -> int:
    """Say whether the content is what it was before the year was run again; the exit code."""
    before, now = stage.last_digest(), stage.result()["digest"]
    ink = Ink(sys.stdout)
    if before == now:
        out(
            ink(
                "the content is the same as the last time: running a pipeline twice gives what running it once gave",
                "green",
            )
        )
        return 0
    out(ink(f"the content differs from the last time: its digest was {before}", "red"))
    return 1


def _next(runs: list[Run]) -> list[str]:
    failed = next((run for run in runs if run.state == RunState.FAILED), None)
    lines = [f"cd {FOLDER}"]
    if failed is not None:
        lines += [f"ostinato why {failed.run_id}", f"ostinato show {failed.run_id}"]
    lines += [
        f"ostinato show {DAG}@2013-05-20 --events",
        "ostinato dlq show flights 2013-07-04",
        "# mend the bug: in injected.json, take 2013-08-13 out of task_faults; then",
        f"ostinato backfill {DAG} --from 2013-08-13 --to 2013-08-13 --reprocess failed --wait",
        "cd .. && ostinato demo   # the year again: nothing changes",
    ]
    return lines


def _heading(text: str) -> None:
    out()
    out(Ink(sys.stdout)(text, "bold"))
