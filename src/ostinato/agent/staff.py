"""The executors in the flesh: what the ledger orders is done here, and it is told what they and the zygote say."""

import select
from signal import SIGKILL
from typing import Final

from msgspec import MsgspecError

from ostinato.model.errors import AgentFailed, InvariantBroken
from ostinato.model.message import Assignment
from ostinato.model.time import Instant

from .allotment import AGAIN_MS
from .ending import Exit
from .journal import Journal
from .lane import Lane
from .ledger import Ledger
from .log import AgentLog
from .message import Exited, Fork, Forked, NotForked, Report, Signal
from .nursery import Nursery
from .order import Hand, Kill, Make, Order, TakeBack
from .segment import Segment, Segments

FAILED: Final = "failed"


class Staff:
    """See the module. ``epoll`` is readable when an executor or the zygote has something to say."""

    def __init__(self, ledger: Ledger, nursery: Nursery, segments: Segments, journal: Journal, log: AgentLog) -> None:
        self.epoll = select.epoll()
        self._ledger = ledger
        self._nursery = nursery
        self._segments = segments
        self._journal = journal
        self._log = log
        self._lanes: dict[int, Lane] = {}
        self._by_fd: dict[int, Lane] = {}
        self._coming: dict[int, Lane] = {}
        self._zygote_at: Instant | None = None
        self._start_zygote()

    # --- orders -------------------------------------------------------------------------------------------------

    def settle(self, now: Instant) -> None:
        """Do what the ledger orders until it has no more orders."""
        while orders := self._ledger.decide(now):
            for order in orders:
                self._do(order, now)

    def _do(self, order: Order, now: Instant) -> None:
        match order:
            case Hand(number, assignments):
                self._hand(self._lanes[number], assignments, now)
            case TakeBack(number):
                self._take_back(self._lanes[number], now)
            case Kill(number, signal):
                self._nursery.tell(Signal(number, signal))
            case Make(number):
                self._make(number, now)

    def _hand(self, lane: Lane, assignments: tuple[Assignment, ...], now: Instant) -> None:
        attempts = [assignment.attempt for assignment in assignments]
        try:
            self._journal.begin(attempts)
        except OSError as error:
            self._log.say(f"nothing is begun for now, since the journal cannot be written: {error}")
            self._ledger.pause(now + AGAIN_MS)
            self._ledger.taken_back(lane.number, attempts, now)
            return
        rest = [assignment.attempt for assignment in lane.hand(assignments)]
        if rest:
            self._log.say(f"executor {lane.number} did not take {len(rest)} of {len(attempts)} attempts")
            self._ledger.refuses(lane.number)
            self._returned(lane, rest, now)

    def _take_back(self, lane: Lane, now: Instant) -> None:
        self._returned(lane, lane.take_back(), now)

    def _returned(self, lane: Lane, attempts: list[int], now: Instant) -> None:
        self._journal.forget(attempts)
        self._ledger.taken_back(lane.number, attempts, now)

    def _make(self, number: int, now: Instant) -> None:
        if self._nursery.dead:
            self._ledger.not_made(number, now + AGAIN_MS)
            return
        segment = self._segments.take()
        self._complain(segment)
        try:
            lane = Lane(number, segment)
        except OSError as error:
            self._segments.give_back(segment)
            self._not_made(number, str(error), now)
            return
        self._coming[number] = lane
        self._nursery.tell(Fork(number, segment.name), lane.for_executor)

    # --- what executors say -------------------------------------------------------------------------------------

    def listen(self, now: Instant) -> None:
        """Take in all that executors and the zygote have said, and see to it that there is a zygote."""
        zygote = False
        for fd, _ in self.epoll.poll(0):
            lane = self._by_fd.get(fd)
            if lane is None:
                zygote = True
            elif not self._hear(lane, now):
                self.epoll.unregister(fd)
                del self._by_fd[fd]
        if zygote:
            self._hear_zygote(now)
        if self._nursery.dead:
            self._mend(now)

    def next_due(self) -> Instant | None:
        """When `listen` will have something to do although nothing else happens; None: never."""
        return self._zygote_at

    def _hear(self, lane: Lane, now: Instant) -> bool:
        """Take in what one executor has said. Whether it can say more."""
        try:
            reports, more = lane.read()
            for report in reports:
                self._ledger.reported(lane.number, report, now)
                if report.leaving:
                    self._note_leaving(lane, report)
        except (AgentFailed, MsgspecError, InvariantBroken) as error:
            self._log.say(f"executor {lane.number} is killed, since it does not speak as it should: {error}")
            self._nursery.tell(Signal(lane.number, SIGKILL))
            return False
        return more

    def _note_leaving(self, lane: Lane, report: Report) -> None:
        if report.leaving != FAILED:
            self._log.say(f"executor {lane.number} is replaced: attempt {report.finished.attempt} {report.leaving}")

    # --- what the zygote says -----------------------------------------------------------------------------------

    def _hear_zygote(self, now: Instant) -> None:
        for message in self._nursery.hear():
            match message:
                case Forked(number, _):
                    self._joined(self._coming.pop(number))
                case NotForked(number, error):
                    lane = self._coming.pop(number)
                    self._discard(lane)
                    self._not_made(number, error, now)
                case Exited():
                    lane = self._lanes[message.executor]
                    self._gone(lane, message, now)
        if self._nursery.dead:
            self._log.say("the zygote is gone, and its executors with it")

    def _mend(self, now: Instant) -> None:
        """After a zygote's death: once nothing of its executors runs any more, say so, and start another.

        One that never made an executor is not replaced at once, or we would do nothing else.
        """
        if not self._nursery.buried():
            return  # the end of what is left is told by a signal
        for lane in list(self._lanes.values()):
            self._gone(lane, None, now)
        for lane in self._coming.values():
            self._discard(lane)
            self._ledger.not_made(lane.number, now)
        self._coming.clear()
        if self._zygote_at is None:
            self._zygote_at = now if self._zygote_proved else now + AGAIN_MS
        if now >= self._zygote_at:
            self._start_zygote()

    def bound_logs(self, now: Instant) -> None:
        """Cut what running attempts have printed to what they may."""
        for number, begin in self._ledger.running(now):
            segment = self._lanes[number].segment
            segment.bound(begin)
            self._complain(segment)

    def _start_zygote(self) -> None:
        self._zygote_proved = False
        self._zygote_at = None
        self._nursery.start()
        self.epoll.register(self._nursery, select.EPOLLIN)

    def _joined(self, lane: Lane) -> None:
        self._zygote_proved = True
        lane.opened()
        self._lanes[lane.number] = lane
        self._by_fd[lane.fileno()] = lane
        self.epoll.register(lane, select.EPOLLIN)
        self._ledger.joined(lane.number, lane.segment.name, lane.segment.end())

    def _gone(self, lane: Lane, exited: Exited | None, now: Instant) -> None:
        """An executor ended: first what it said before, then what it had not begun, then its end."""
        if self._by_fd.pop(lane.fileno(), None) is not None:
            self._hear(lane, now)
            self.epoll.unregister(lane)
        self._take_back(lane, now)
        end = lane.segment.bound(self._ledger.log_begin(lane.number))
        how = Exit(None, end) if exited is None else Exit(exited.code, end, exited.peak_kib, exited.cpu_ms)
        self._ledger.gone(lane.number, how, now)
        del self._lanes[lane.number]
        self._discard(lane)

    def _discard(self, lane: Lane) -> None:
        lane.close()
        self._segments.give_back(lane.segment)

    def _not_made(self, number: int, why: str, now: Instant) -> None:
        self._log.say(f"there is no executor to be had for now: {why}")
        self._ledger.not_made(number, now + AGAIN_MS)

    def _complain(self, segment: Segment) -> None:
        if segment.trouble:
            self._log.say(segment.trouble)
            segment.trouble = ""
