"""The scheduler's way to the state: the real store, with the trouble that a disk and a sudden death can make."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from ostinato.model.change import Commit
from ostinato.model.errors import StoreFull, StoreUnavailable
from ostinato.model.record import Pool, Run
from ostinato.model.time import Instant
from ostinato.store import Store

from .host import Host
from .weather import Weather
from .witness import Witness


class FaultyStore:
    """Stands where the scheduler expects its `Store`. ``point`` is called wherever the scheduler's process may die."""

    def __init__(
        self, store: Store, witness: Witness, random: Random, host: Host, disk: "Disk", point: Callable[[str], None]
    ) -> None:
        self._store = store
        self._witness = witness
        self._random = random
        self._host = host
        self._disk = disk
        self._point = point
        self._epoch = 0

    def __getattr__(self, name: str) -> Any:
        return partial(self._read, getattr(self._store, name))

    def take_lead(self, owner: str, now: Instant) -> int:
        """Take the lead, which may be done and not answered."""
        self._point("before it takes the lead")
        self._trouble(writes=True)
        self._epoch = self._store.take_lead(owner, now)
        self._witness.leads(self._host.name, self._epoch)
        if self._random.random() < self._disk.lost_answer:
            raise StoreUnavailable("the lead was taken and the answer lost")
        return self._epoch

    def pools(self) -> list[Pool]:
        """The pools; if this scheduler leads, it goes from now on by them, and by what else people have asked for."""
        pools = self._read(self._store.pools)
        if self._epoch == self._witness.epoch:
            self._witness.looked()
        return pools

    def commit(self, change: Commit, epoch: int) -> list[Run]:
        """A commit, which may be refused, or done and not answered."""
        self._point("before a commit")
        self._trouble(writes=True)
        if self._random.random() < self._disk.refused_commit:
            raise self._random.choice((StoreUnavailable, StoreFull))("the commit was refused")
        created = self._store.commit(change, epoch)
        self._witness.committed(change, created)
        self._point("after a commit")
        if self._random.random() < self._disk.lost_answer:
            raise StoreUnavailable("the commit was done and its answer lost")
        return created

    def _read(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._trouble()
        self._point("at a read")
        return method(*args, **kwargs)

    def _trouble(self, *, writes: bool = False) -> None:
        if self._host.cut_off:
            raise StoreUnavailable("the database cannot be reached")
        self._disk.trouble(writes=writes)


class Disk:
    """Whether the database's disk works."""

    def __init__(self, weather: Weather) -> None:
        self.broken = self.full = False
        self.refused_commit = weather.refused_commit
        self.lost_answer = weather.lost_answer

    def trouble(self, *, writes: bool = False) -> None:
        """Raise StoreUnavailable while it does not, StoreFull if it is to be written to and has no room."""
        if self.broken:
            raise StoreUnavailable("the disk does not answer")
        if writes and self.full:
            raise StoreFull("the disk is full")

    def heal(self) -> None:
        """No more trouble."""
        self.broken = self.full = False
        self.refused_commit = self.lost_answer = 0.0
