"""The scheduler: take what arrived, decide, commit, send; then sleep until the next due time.

It keeps one rule above all: *a message leaves only after the commit that recorded it*. An attempt is sent when its row
is durable, a result is acknowledged when its effect is. Everything it remembers can be rebuilt from the store, so
trouble with the store has one cure: forget, and begin again from what is written.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from ostinato.decide.agenda import Agenda
from ostinato.decide.board import Board
from ostinato.decide.shape import Shape
from ostinato.decide.share import Terms
from ostinato.decide.step import Calling, Dispatch, Needing, Probe, Step, Unfolding
from ostinato.executors.port import AgentPort, Arrival
from ostinato.model.change import Delivery, NewRun
from ostinato.model.errors import InvariantBroken, OstinatoError, StoreUnavailable
from ostinato.model.limits import Limits
from ostinato.model.message import Acknowledge, Assignment, CancelAttempts, Finished, Hello, Launch, Started, ToAgent
from ostinato.model.record import Backfill, Outgoing, Run
from ostinato.model.time import Instant
from ostinato.store import Store


class Preparation(Protocol):
    """Turns a dispatch into what an agent needs: arguments filled in, sources in place."""

    def prepare(self, dispatches: Sequence[Dispatch], now: Instant) -> tuple[list[Assignment], list[Finished]]:
        """The assignments, in order, and a failed result for each dispatch that cannot be prepared."""
        ...


class Answers(Protocol):
    """Answers what the board asks. What has no answer raises an OstinatoError that says why."""

    def items(self, asked: Unfolding) -> Sequence[bytes]:
        """The items that a scope unfolds to; for a loop that of its next turn, and none if it is over."""
        ...

    def child(self, calling: Calling, now: Instant) -> NewRun:
        """The run that a task instance calls for."""
        ...

    def met(self, needing: Needing) -> bool:
        """Whether all that a task instance needs of other intervals is there."""
        ...


class Prober(Protocol):
    """Looks whether what a file sensor waits for is there."""

    def look(self, probe: Probe) -> bool:
        """Whether it is there now."""
        ...


class Courier(Protocol):
    """Delivers alerts, in its own time, and says what became of them."""

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """Alerts to deliver. Those already on their way are not taken twice."""
        ...

    def reports(self) -> list[Delivery]:
        """What became of alerts since the last call."""
        ...


class Scheduler:
    """One leader over one store. `step` is the whole of it; who calls it decides where time and messages come from.

    ``lead`` takes the lead and returns its epoch. With ``only_run`` it attends to that run and to nothing else: no other
    run, and no schedule.
    """

    def __init__(
        self,
        store: Store,
        agents: AgentPort,
        preparation: Preparation,
        answers: Answers,
        prober: Prober,
        courier: Courier,
        *,
        limits: Limits,
        lead: Callable[[Instant], int],
        spread: Callable[[], float],
        only_run: int | None = None,
    ) -> None:
        self._store = store
        self._agents = agents
        self._preparation = preparation
        self._answers = answers
        self._prober = prober
        self._courier = courier
        self._limits = limits
        self._take_lead = lead
        self._spread = spread
        self._only_run = only_run
        self._stopping = False
        self._epoch: int | None = None
        self._seen_run = 0
        self._dags_revision = -1
        self._backfills_revision = -1
        self._scan_at = 0
        self._outbox_at: Instant | None = 0
        self._alerts_waiting = True
        self._shape = lru_cache(maxsize=1024)(self._make_shape)
        self.board: Board | None = None
        self.agenda = Agenda()
        self.trouble: Exception | None = None

    def step(self, arrived: Iterable[Arrival], now: Instant, *, hinted: bool = False) -> Instant | None:
        """Deal with all that has happened by ``now``; return when to be called again if nothing happens, None: never.

        ``hinted`` says that another process may have changed the state. Raises FencedOut when another scheduler has
        taken the lead. Trouble with the store is kept in ``trouble`` until it has passed.
        """
        try:
            if self._epoch is None:
                return self._lead(now)
            if self.board is None:
                self._begin_again(now)
            self._step(self._present(), arrived, now, hinted=hinted or now >= self._scan_at)
            self.trouble = None
        except (StoreUnavailable, InvariantBroken) as error:
            self.trouble = error
            self._forget()
            return now + self._limits.store_retry_ms
        except BaseException:
            self._forget()  # an interrupt, say: what the board has taken in may not be written
            raise
        return self._next_due(now)

    def has_plenty(self, *, without: int) -> bool:
        """Whether agents keep at least half of what they may hold, not counting ``without`` results that have come in."""
        if self.board is None:
            return False
        return 2 * (len(self.board.attempts) - without) >= self.board.capacity.window() > 0

    def start_nothing_more(self) -> None:
        """From now on only take in what ends: the agent is about to stop."""
        self._stopping = True
        if self.board is not None:
            self.board.capacity.shut = True

    def idle(self) -> bool:
        """Whether nothing is unfinished: no run is queued or running, and no alert is on its way."""
        return self.board is not None and not self.board.runs and not self.board.admission and not self._alerts_waiting

    # --- what it knows ------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        """What is remembered may not be what is written: remember nothing, and let the agents say it all again."""
        self.board = None
        self._agents.drop()

    def _lead(self, now: Instant) -> Instant:
        """Take the lead. What agents said to one that did not lead yet may be long outdated: they say it again."""
        self._epoch = self._take_lead(now)
        self._agents.drop()
        return now

    def _begin_again(self, now: Instant) -> None:
        """Forget everything and read it anew; the agents say again what they hold and what ended."""
        first_attempt = self._store.last_attempt() + 1
        board = Board(self._limits, first_attempt, self._spread, self._store.attempt_set_back())
        board.capacity.shut = self._stopping
        board.set_switched_off(self._store.switched_off(), now)
        for found in self._store.open_work():
            if self._is_mine(found.run, board):
                board.adopt(found, self._shape(found.run.version), now)
            self._seen_run = max(self._seen_run, found.run.run_id)
        self.agenda = Agenda()
        for expectation in self._store.open_expectations() if self._only_run is None else ():
            self.agenda.expect(expectation)
        self.board = board
        self._dags_revision = -1
        self._backfills_revision = -1
        self._alerts_waiting = True
        self._scan_at = now

    def _look_around(self, board: Board, now: Instant) -> None:
        """Take in what other processes have written: new runs, wishes to cancel, dags, pools."""
        while runs := self._store.runs_after(self._seen_run, self._limits.commit_batch):
            self._open(board, runs, now)
            self._seen_run = runs[-1].run_id
        for run_id, by in self._store.cancel_requests():
            board.cancel(run_id, by, now)
        for intervention in self._store.interventions():
            if self._only_run is None or intervention.run_id in board:
                board.decided(intervention, now)
        board.capacity.set_pools(self._store.pools())
        revision = self._store.backfills_revision()
        if revision != self._backfills_revision:
            board.set_backfills({each.backfill_id: _terms(each) for each in self._store.open_backfills()})
            self._backfills_revision = revision
        revision = self._store.dags_revision()
        if revision != self._dags_revision:
            board.set_switched_off(self._store.switched_off(), now)
            if self._only_run is None:
                self.agenda.replan(self._store.dags(), lambda version: self._store.compiled(version).spec, now)
            self._dags_revision = revision
        self._scan_at = now + round(self._limits.safety_scan_s * 1000)

    def _make_shape(self, version: str) -> Shape:
        return Shape(self._store.compiled(version))

    def _is_mine(self, run: Run, board: Board) -> bool:
        """Whether a run is attended to: if only one is, then so are those that it calls for."""
        if self._only_run in {None, run.run_id}:
            return True
        return run.parent is not None and run.parent[0] in board

    def _open(self, board: Board, runs: Sequence[Run], now: Instant) -> None:
        for run in runs:
            if not self._is_mine(run, board):
                continue
            if run.based_on is None:
                board.open_run(run, self._shape(run.version))
            else:
                board.adopt(self._store.open_run(run.run_id), self._shape(run.version), now)

    # --- one step -----------------------------------------------------------------------------------------------

    def _step(self, board: Board, arrived: Iterable[Arrival], now: Instant, *, hinted: bool) -> None:
        if hinted:
            self._look_around(board, now)
        for arrival in arrived:
            _learn(board, arrival, now)
        deliveries = self._courier.reports()
        while True:
            board.tick(now)
            step = board.take()
            step.commit.deliveries += deliveries
            self.agenda.tick(now, step.commit, self._store, board.is_going)
            self.agenda.succeeded(step.succeeded, now, step.commit, self._store)
            created = self._commit(step)
            self._open(board, created, now)
            refused = self._send(step, now)
            for report in refused:
                board.finished(None, report, now)
            self._answer(board, step, now)
            deliveries = []
            if not (created or refused or step.asks):
                break
        self._deliver(now)

    def _answer(self, board: Board, step: Step, now: Instant) -> None:
        """Answer what the board asks, now that what it asks about is written."""
        for probe in step.probes:
            board.probed(probe, now, found=self._prober.look(probe))
        for needing in step.needs.values():
            if self._answers.met(needing):
                board.needs_met(needing, now)
        for asked in step.unfolds:
            try:
                items = self._answers.items(asked)
            except OstinatoError as error:
                board.not_unfolded(asked, _why(error), now)
            else:
                board.unfolded(asked, items, now)
        for calling in step.calls:
            try:
                child = self._answers.child(calling, now)
            except OstinatoError as error:
                board.not_called(calling, _why(error), now)
            else:
                board.called(calling, child, now)

    def _commit(self, step: Step) -> list[Run]:
        """Write what was decided. An empty commit too, if anything is to be said: it says whether we still lead."""
        if not (step.commit or step.speaks):
            return []
        if step.commit.alerts or step.commit.deliveries:
            self._alerts_waiting = True
        return self._store.commit(step.commit, self._leading())

    def _send(self, step: Step, now: Instant) -> list[Finished]:
        """What was recorded may now be said. Returns failed results for attempts that could not be prepared."""
        refused: list[Finished] = []
        out: dict[str, list[ToAgent]] = {}
        for agent, attempts in step.acknowledge.items():
            out.setdefault(agent, []).append(Acknowledge(tuple(attempts)))
        for agent, attempts in step.cancel.items():
            out.setdefault(agent, []).append(CancelAttempts(tuple(attempts)))
        by_agent: dict[str, list[Dispatch]] = {}
        for dispatch in step.dispatches.values():
            by_agent.setdefault(dispatch.agent, []).append(dispatch)
        for agent, dispatches in by_agent.items():
            assignments, failed = self._preparation.prepare(dispatches, now)
            refused += failed
            if assignments:
                out.setdefault(agent, []).append(Launch(tuple(assignments)))
        for agent, messages in out.items():
            self._agents.send(agent, messages)
        return refused

    def _deliver(self, now: Instant) -> None:
        """Hand waiting alerts to the courier; remember when the next one that failed is to be tried again."""
        if not self._alerts_waiting and (self._outbox_at is None or now < self._outbox_at):
            return
        waiting = self._store.outbox_waiting(self._limits.commit_batch)
        self._courier.take([alert for alert in waiting if alert.next_at is None or alert.next_at <= now])
        later = [alert.next_at for alert in waiting if alert.next_at is not None and alert.next_at > now]
        self._outbox_at = min(later, default=None)
        self._alerts_waiting = len(waiting) > len(later)

    def _next_due(self, now: Instant) -> Instant | None:
        board = self._present()
        due = [at for at in (board.next_due(), self.agenda.next_due(), self._outbox_at) if at is not None]
        return max(now, min([*due, self._scan_at]))

    def _present(self) -> Board:
        if self.board is None:
            raise InvariantBroken("the scheduler has not read its state")
        return self.board

    def _leading(self) -> int:
        if self._epoch is None:
            raise InvariantBroken("the scheduler does not lead")
        return self._epoch


def _terms(backfill: Backfill) -> Terms:
    return Terms(backfill.max_active_runs, backfill.share, paused=backfill.state == "paused")


def _why(error: OstinatoError) -> str:
    """What kept a question from being answered. Trouble with the store is nobody's answer."""
    if isinstance(error, StoreUnavailable | InvariantBroken):
        raise error
    return str(error)


def _learn(board: Board, arrival: Arrival, now: Instant) -> None:
    match arrival.message:
        case Finished() as report:
            board.finished(arrival.agent, report, now)
        case Started() as report:
            board.started(arrival.agent, report, now)
        case Hello() as hello:
            board.agent_joined(hello, now)
        case None:
            board.agent_gone(arrival.agent)
