"""A home with planted state: dags, runs in every state, retries, dead letters, alerts; and a way to call the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ostinato.cli.main import run
from ostinato.home import Home
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
from ostinato.model.record import Run, run_key
from ostinato.model.spec import (
    CompiledDag,
    Cron,
    DagSpec,
    Deadline,
    Param,
    Source,
    TaskSpec,
    canonical,
    digest,
)
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.value import encode
from ostinato.store import Store, open_store

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


@pytest.fixture
def ostinato(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run a command line in this process, in an empty folder."""
    del home
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words: str) -> Answer:
        capfd.readouterr()
        code = run(words)
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


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
        self.store.put_dags(file, [compiled], source, [], MAY_1)

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


@pytest.fixture
def plant(home: Home) -> Any:
    """A writer of rows; the store is closed at the end."""
    store = open_store(home.database)
    planter = Planter(home, store)
    planter.dag(spec_of())
    yield planter
    store.close()


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


@pytest.fixture
def story(plant: Planter, home: Home) -> dict[str, Run]:
    """Runs of ``sales``: one that succeeded after a retry and with dead letters, one that failed, one that waits."""
    letters_file = home.path / "dlq" / "errors.json"
    letters_file.parent.mkdir()
    lines = [{"reasons": ["carrier: empty"], "record": n, "raw": f"2025,5,1,{n},,"} for n in range(3)]
    letters_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    letters = DeadLetters("sales", "2025-05-01", str(letters_file), 3, {"carrier: empty": 2, "fare: negative": 1})

    good = plant.run(0)
    begin = good.interval.end
    plant.move(good, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, begin + 10)
    plant.attempt(good, 0, begin + 10, log="reading raw/sales.csv\n1,000 rows\n")
    plant.attempt(
        good, 1, begin + 2_000, failure=BLIP, error_class="transient", becomes=TaskState.UP_FOR_RETRY, log="blip\n"
    )
    plant.attempt(good, 1, begin + 4_000, number=2, was=TaskState.UP_FOR_RETRY, letters=letters, log="loaded 997\n")
    plant.attempt(good, 2, begin + 6_000)
    plant.move(good, RunState.RUNNING, RunState.SUCCESS, Cause.TASKS_SUCCEEDED, begin + 8_000)

    bad = plant.run(1)
    begin = bad.interval.end
    plant.move(bad, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, begin + 10)
    plant.attempt(bad, 0, begin + 10)
    plant.attempt(bad, 1, begin + 2_000, failure=BOOM, error_class="logic", becomes=TaskState.FAILED, log="loading\n")
    plant.move(bad, RunState.RUNNING, RunState.FAILED, Cause.TASKS_FAILED, begin + 4_000)
    plant.alert(bad, delivered=False, error="connection refused")

    return {"good": plant.store.run(good.run_id), "bad": plant.store.run(bad.run_id), "waiting": plant.run(2)}
