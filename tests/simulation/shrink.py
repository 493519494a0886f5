"""A seed that fails, made simpler: without the faults and deeds that it does not take, in the shortest storm."""

from collections.abc import Callable

from msgspec import Struct

from .people import DEEDS
from .simulation import Simulation
from .weather import Weather

SHORT_MS = 1_000


class Case(Struct, frozen=True):
    """A seed, what of its troubles is left out, and how long its storm lasts."""

    seed: int
    without: frozenset[str] = frozenset()
    storm_ms: int | None = None

    def simulation(self) -> Simulation:
        """It, not yet run."""
        return Simulation(self.seed, without=self.without, storm_ms=self.storm_ms)

    def weather(self) -> Weather:
        """What goes wrong in it."""
        simulation = self.simulation()
        simulation.store.close()
        return simulation.weather

    def failure(self) -> BaseException | None:
        """How it fails."""
        try:
            self.simulation().run()
        except Exception as error:  # noqa: BLE001 - whatever breaks, it is that which is looked for
            return error
        return None

    def command(self) -> str:
        """The command that shows it again."""
        storm = "" if self.storm_ms is None else f" --storm-ms {self.storm_ms}"
        without = f" --without {','.join(sorted(self.without))}" if self.without else ""
        return f"python -m tests.simulation --start {self.seed} --seeds 1{storm}{without}"


def shrunk(case: Case, tell: Callable[[str], None]) -> Case:
    """The simplest case that was found to fail as well, in whatever way; ``tell`` hears how it goes."""
    weather = case.weather()
    names = [*weather.troubles(), *DEEDS]
    storm = case.storm_ms or weather.storm_ms
    before = None
    while case != before:
        before = case
        while storm > SHORT_MS and (shorter := Case(case.seed, case.without, storm // 2)).failure():
            case, storm = shorter, storm // 2
        for name in names:
            simpler = Case(case.seed, case.without | {name}, case.storm_ms)
            if name not in case.without and simpler.failure():
                case = simpler
        tell(
            f"it fails without {len(case.without)} of {len(names)} troubles and deeds, in a storm of {storm / 1000:.1f} s"
        )
    return case
