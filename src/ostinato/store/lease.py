"""The lead of one of several schedulers that share a database on a server, and how the others see that it lives.

A leader shows two signs of life: a lock that its session holds, which goes at once with a process that dies, and a beat,
which stops when one hangs. Neither keeps a leader that was given up from writing: that is the epoch, which every commit
compares. So the signs only decide how soon another one takes over; and no two clocks are ever compared.
"""

import os
from collections.abc import Callable
from select import select
from threading import Thread
from time import monotonic
from typing import Final

from sqlalchemy import Engine

from ostinato.model.errors import FencedOut, OstinatoError
from ostinato.model.time import Instant

from . import commit, database, hot
from .dialect import Session

BEAT_S: Final = 0.5
HUNG_S: Final = 1.5
"""A leader whose beat stands still for so long, by the clock of who looks, is given up."""

IDLE_S: Final = 90.0
"""A leader whose loop has not turned for so long hangs, although its thread could go on with the beat."""

_PATIENCE_S: Final = 5.0


class Lease:
    """A scheduler's claim on the lead: it looks who leads, takes the lead, and keeps it until another one takes it.

    ``heard`` is called, from a thread, when another process has changed the state, and when the lead was lost. Every
    method may raise StoreUnavailable, StoreDamaged and InvariantBroken.
    """

    def __init__(self, engine: Engine, owner: str, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._owner = owner
        self._heard = heard
        self._clock = monotonic
        self._session: Session | None = None
        self._looked_at: int | None = None
        self._seen: tuple[int, int] | None = None
        self._since = 0.0
        self._holds = False
        self._turned = 0.0
        self._lost: FencedOut | None = None
        self._thread: Thread | None = None
        self._stop_read, self._stop = os.pipe2(os.O_CLOEXEC)

    def look(self) -> str | None:
        """Who leads. None: nobody, or somebody who has shown no life for `HUNG_S` of looking again and again."""
        try:
            with database.translated(self._engine):
                session = self._connected()
                [(epoch, leader, beat)] = session.query(hot.GET_LEAD)
                self._looked_at = epoch
                if epoch == 0 or session.is_free(_lock(epoch)):
                    return None
        except OstinatoError:
            self._seen = None  # who cannot look sees no life in anybody
            self._hang_up()
            raise
        if (epoch, beat) != self._seen:
            self._seen, self._since = (epoch, beat), self._clock()
        return leader if self._clock() - self._since < HUNG_S else None

    def take(self, now: Instant) -> int:
        """Take the lead and return the new epoch. Raises FencedOut if another one was quicker since the last `look`."""
        try:
            with database.translated(self._engine):
                session = self._connected()
                [(epoch, leader, _)] = session.query(hot.GET_LEAD)
                unseen = self._looked_at not in {None, epoch} and leader != self._owner
                if unseen or not session.lock(_lock(epoch + 1)):
                    raise FencedOut(f"another scheduler was quicker to take the lead after {leader}")
                with database.writing(self._engine) as connection:  # locked before others can see the epoch
                    taken = commit.take_lead(connection, self._owner, now)
                    if taken != epoch + 1:
                        raise FencedOut(f"another scheduler was quicker to take the lead after {leader}")
        except OstinatoError:
            self._hang_up()
            raise
        self._holds, self._turned = True, self._clock()
        self._thread = Thread(target=self._live, args=(taken,), name="ostinato-lease", daemon=True)
        self._thread.start()
        return taken

    def turned(self) -> None:
        """The leader's loop turns. Raises FencedOut once another scheduler has taken the lead."""
        self._turned = self._clock()
        if self._lost is not None:
            raise self._lost

    def close(self) -> None:
        """Let go of the lead: another scheduler may take it at once."""
        os.write(self._stop, b".")
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            if self._thread.is_alive():
                return  # a server that does not answer: the session ends with this process
        self._hang_up()
        os.close(self._stop)
        os.close(self._stop_read)

    # --- the thread of a leader ---------------------------------------------------------------------------------

    def _live(self, epoch: int) -> None:
        """Show life and listen, on and on; when the database is away, until it is back."""
        beats_at = 0.0
        while self._lost is None:
            try:
                with database.translated(self._engine):
                    session = self._connected()
                    if self._clock() >= beats_at:
                        self._beat(session, epoch)
                        beats_at = self._clock() + BEAT_S
                    if session.heard():
                        self._heard()
            except OstinatoError:
                self._hang_up()
            sources = [self._stop_read] if self._session is None else [self._stop_read, self._session]
            if self._stop_read in select(sources, [], [], max(0, beats_at - self._clock()) or BEAT_S)[0]:
                return

    def _beat(self, session: Session, epoch: int) -> None:
        if self._clock() - self._turned > IDLE_S:
            return
        if not self._holds:  # a former session of ours may be gone only now
            self._holds = session.lock(_lock(epoch))
        if not session.execute(hot.BEAT, epoch):
            [(newest, leader, _)] = session.query(hot.GET_LEAD)
            self._lost = FencedOut(f"the lead was taken by {leader} (epoch {newest}, ours is {epoch})")
            self._heard()

    def _connected(self) -> Session:
        if self._session is None:
            self._session = database.session(self._engine)
            self._session.listen()
        return self._session

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session, self._holds = None, False


def _lock(epoch: int) -> str:
    return f"epoch {epoch}"
