"""A run as somebody sees it who wants to choose a part of it."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ostinato.decide.past import Past, past_of
from ostinato.decide.reach import Reach
from ostinato.decide.select import select
from ostinato.decide.shape import Shape
from ostinato.model.record import Instance, LoggedEvent, Run, instance_name
from ostinato.store import Store

_PAGE = 10_000


class Seen(Struct, frozen=True):
    """A run, and what it has come to, in the numbers of the dag version that ``shape`` is of."""

    run: Run
    shape: Shape
    past: Past

    @property
    def reach(self) -> Reach:
        """Its task instances."""
        return Reach(self.shape, self.past.items)

    def chosen(self, selectors: Iterable[str]) -> set[Instance]:
        """See `decide.select.select`."""
        return select(selectors, self.reach, self.past.states)

    def named(self, instances: Iterable[Instance]) -> list[str]:
        """What people call these task instances, by task."""
        return [instance_name(self.shape.spec, *each) for each in sorted(instances)]


def seen(store: Store, run: Run, version: str | None = None) -> Seen:
    """A run as it stands now, seen from another ``version`` of its dag if one is given. Raises NotFound."""
    old = Shape(store.compiled(run.version))
    new = old if version in {None, run.version} else Shape(store.compiled(version or run.version))
    return Seen(run, new, past_of(old, new, store.open_run(run.run_id), _history(store, run.run_id)))


def _history(store: Store, run_id: int) -> Iterator[LoggedEvent]:
    page: Sequence[LoggedEvent] = store.events(run_id, limit=_PAGE)
    while page:
        yield from page
        page = store.events(run_id, after=page[-1].seq, limit=_PAGE)
