"""Rows as a scheduler would write them, and what a command says about them."""

import json
from typing import Any

from ostinato.home import Home
from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import (
    Alert,
    AttemptMove,
    Commit,
    Delivery,
    Event,
    NewAttempt,
    NewRun,
    RejectedRecords,
    RunMove,
    TaskMove,
)
from ostinato.model.message import DeadLetters, Failure, LogRange
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import (
    CompiledDag,
    Cron,
    DagSpec,
    Deadline,
    Param,
    Source,
    TaskSpec,
)
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.value import encode
from ostinato.store import Store

DAY = 86_400_000
MAY_1 = 1_746_072_000_000
"""2025-05-01 00:00 in New York, 04:00 UTC."""


class Answer:
    """What a command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


def spec_of(dag_id: str = "sales") -> DagSpec:
    """A dag of three tasks: extract, load, report."""
    return DagSpec(
        dag_id,
        (TaskSpec("extract"), TaskSpec("load", upstream=(0,)), TaskSpec("report", upstream=(1,))),
        schedule=Cron("0 0 * * *", "America/New_York"),
        deadline=Deadline("08:00", "America/New_York"),
        params=(Param("region", "string", default="eu"), Param("limit", "integer", default=10)),
    )


class Planter:
    """Writes rows as a scheduler would."""

    def __init__(self, home: Home, store: Store) -> None:
        self.home = home
        self.store = store
        self.epoch = store.take_lead("test", MAY_1)
        self._attempt = 0
        self._seq: dict[int, int] = {}

    def dag(self, spec: DagSpec, file: str = "/dags/sales.py") -> None:
        """Deploy a dag."""
        source = canonical(Source(file, b"code"))
        compiled = CompiledDag(spec, file, digest(source), digest(canonical(spec), digest(source).encode()))
        self.store.put_dags([Deployment(file, (compiled,), source)], MAY_1, "ada")

    def run(self, day: int = 0, dag_id: str = "sales", nth: int = 1) -> Run:
        """A queued run for a day counted from May 1st."""
        start = MAY_1 + day * DAY
        version = self.store.dag(dag_id).version
        key = run_key(start, nth)
        params = encode({"region": "eu", "limit": 10})
        new = NewRun(dag_id, version, key, "manual", start, start + DAY, params, start + DAY, by="ada")
        (created,) = self.store.create_runs([new])
        self._seq[created.run_id] = 1
        return created

    def move(self, run: Run, was: RunState, becomes: RunState, cause: Cause, at: int) -> None:
        """Move a run."""
        self._commit(
            Commit(runs=[RunMove(run.run_id, was, becomes, at)], events=[self.event(run, at, cause, was, becomes)])
        )

    def event(
        self,
        run: Run,
        at: int,
        cause: Cause,
        was: str,
        becomes: str,
        task_no: int | None = None,
        facts: dict[str, object] | None = None,
    ) -> Event:
        """The next line of a run's story."""
        seq = self._seq[run.run_id]
        self._seq[run.run_id] = seq + 1
        return Event(run.run_id, seq, at, cause, was, becomes, task_no, None, facts)

    def attempt(
        self,
        run: Run,
        task_no: int,
        at: int,
        *,
        number: int = 1,
        failure: Failure | None = None,
        error_class: str | None = None,
        becomes: TaskState = TaskState.SUCCESS,
        was: TaskState = TaskState.NONE,
        log: str = "",
        letters: DeadLetters | None = None,
    ) -> int:
        """A whole try of a task: dispatched, run, ended."""
        self._attempt += 1
        attempt = self._attempt
        ready = Cause.READY if was == TaskState.NONE else Cause.RETRY_DUE
        queued = TaskMove(run.run_id, task_no, was, TaskState.QUEUED, at, attempt)
        self._commit(
            Commit(
                tasks=[queued],
                new_attempts=[NewAttempt(attempt, run.run_id, task_no, number, "agent", at)],
                events=[self.event(run, at, ready, was, TaskState.QUEUED, task_no)],
            )
        )
        end = at + 1_500
        facts: dict[str, object] | None = None
        cause = Cause.REPORTED_SUCCESS
        if failure is not None:
            facts = {"class": error_class, "rule": "type", "error": failure.types[0] if failure.types else failure.how}
            cause = Cause.FAILED_WILL_RETRY if becomes == TaskState.UP_FOR_RETRY else Cause.FAILED_FINALLY
        ended = AttemptState.FAILED if failure is not None else AttemptState.SUCCESS
        rejected = [RejectedRecords(run.run_id, task_no, attempt, end, letters)] if letters else []
        self._commit(
            Commit(
                attempts=[
                    AttemptMove(
                        attempt,
                        AttemptState.QUEUED,
                        ended,
                        at + 5,
                        end,
                        error_class,
                        failure,
                        self.log(log) if log else None,
                        peak_kib=40_960,
                        cpu_ms=900,
                    )
                ],
                tasks=[TaskMove(run.run_id, task_no, TaskState.QUEUED, becomes, end, attempt)],
                events=[self.event(run, end, cause, TaskState.QUEUED, becomes, task_no, facts)],
                rejected=rejected,
            )
        )
        return attempt

    def damage(self) -> None:
        """Make the database something that is none."""
        self.store.close()
        for file in self.home.path.glob("state.db-*"):
            file.unlink()
        self.home.database.write_bytes(b"this is no database" * 1_000)

    def log(self, text: str) -> LogRange:
        """Output in a segment file, between the output of others."""
        segment = self.home.logs / "segment-1"
        with segment.open("ab") as file:
            file.write(b"somebody else\n")
            offset = file.tell()
            file.write(text.encode())
            length = file.tell() - offset
            file.write(b"somebody else\n")
        return LogRange(segment.name, offset, length)

    def alert(self, run: Run, *, delivered: bool, error: str = "") -> None:
        """An alert about a run."""
        key = f"ostinato/{run.dag_id}/{run.run_key}"
        alert = Alert(key, "trigger", "error", f"{run.dag_id} failed", run.interval.end, {"run": run.run_id})
        self._commit(Commit(alerts=[alert]))
        outbox_id = self.store.alerts(limit=1)[0].outbox_id
        again = None if delivered else run.interval.end + DAY
        self._commit(Commit(deliveries=[Delivery(outbox_id, run.interval.end + 5, delivered, again, error)]))

    def _commit(self, commit: Commit) -> None:
        self.store.commit(commit, self.epoch)


BOOM = Failure(
    how="raised",
    message="no such column: fare",
    types=("builtins.KeyError", "builtins.LookupError", "builtins.Exception"),
    traceback='Traceback (most recent call last):\n  File "sales.py", line 12, in load\nKeyError: no such column: fare\n',
)
BLIP = Failure(
    how="raised",
    message="connection reset",
    types=("builtins.ConnectionResetError", "builtins.ConnectionError", "builtins.OSError"),
)
