"""What asks the clock or chance, by its full name. The lint and the guard of a running task read the same table."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

Kind = Literal["clock", "chance"]

ALWAYS: Final = 1_000
"""More arguments than a call has."""

NOW_TEXT: Final = -1
"""The number of arguments of a call whose first one is the text "now" or "today"."""


class Asking(NamedTuple):
    """Something that asks the clock or chance.

    ``told`` is the number of arguments from which on it does not ask, because it is told: ``time.localtime(at)``.
    ``by_word`` asks only for the text "now" or "today": ``Timestamp("now")``.
    """

    name: str
    kind: Kind
    told: int = ALWAYS
    by_word: bool = False

    def asks(self, arguments: int) -> bool:
        """Whether a call with so many arguments asks."""
        return arguments == NOW_TEXT if self.by_word else arguments < self.told

    def is_seeded(self, seeded: tuple[str, ...]) -> bool:
        """Whether a seed that was set for these beginnings of names makes it repeatable. New generators have their own."""
        is_function = self.name.rpartition(".")[2].islower()
        return self.kind == "chance" and self.told == ALWAYS and is_function and self.name.startswith(seeded)

    @property
    def asks_by_itself(self) -> bool:
        """Whether it asks however it is called, so that to hand it on is enough: ``default_factory=datetime.now``."""
        return self.told == ALWAYS and not self.by_word


SEEDS: Final = {"random.seed": "random.", "numpy.random.seed": "numpy.random."}
"""What makes the chance of a module repeatable, and how the names begin that it does so for."""

ALTERNATIVE: Final[dict[Kind, str]] = {
    "clock": "take ctx.logical_date or ctx.interval, which are the same whenever it runs; "
    "time.monotonic() measures how long something takes",
    "chance": 'seed it by what the run is for: random.Random(f"{ctx.dag_id} {ctx.interval.start}"); '
    "uuid.uuid5 makes an id of a text",
}
"""What to do instead."""

MEANS: Final[dict[Kind, str]] = {"clock": "asks the clock", "chance": "is chance without a seed"}
"""How a sentence about it goes on."""


def _table() -> Iterator[Asking]:
    for name in (
        *_in("datetime", "datetime.now datetime.utcnow datetime.today date.today"),
        *_in("time", "time time_ns"),
        *_in("pandas", "Timestamp.now Timestamp.utcnow Timestamp.today Period.now"),
        *_in("pendulum", "now today tomorrow yesterday DateTime.now DateTime.utcnow DateTime.today Date.today"),
        *_in("arrow", "now utcnow Arrow.now Arrow.utcnow"),
        *_in("whenever", "Instant.now ZonedDateTime.now OffsetDateTime.now SystemDateTime.now Date.today_in_system_tz"),
        *_in("django.utils.timezone", "now localdate"),
        *_in("pyspark.sql.functions", "current_date current_timestamp now localtimestamp curdate"),
        *_in("sqlalchemy.func", "now current_date current_time current_timestamp localtime localtimestamp sysdate"),
    ):
        yield Asking(name, "clock")
    for name in _in("time", "localtime gmtime ctime asctime"):
        yield Asking(name, "clock", told=1)
    yield Asking("time.strftime", "clock", told=2)
    yield Asking("arrow.get", "clock", told=1)
    yield Asking("pyspark.sql.functions.unix_timestamp", "clock", told=1)
    for name in (
        *_in("pandas", "Timestamp to_datetime Period"),
        *_in("numpy", "datetime64"),
    ):
        yield Asking(name, "clock", by_word=True)
    yield from _chances()


def _chances() -> Iterator[Asking]:
    for name in (
        *_in(
            "random",
            "random uniform triangular randint randrange choice choices sample shuffle getrandbits randbytes "
            "betavariate binomialvariate expovariate gammavariate gauss lognormvariate normalvariate paretovariate "
            "vonmisesvariate weibullvariate SystemRandom",
        ),
        *_in("uuid", "uuid1 uuid4 uuid6 uuid7"),
        *_in("secrets", "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom"),
        *_in("os", "urandom getrandom"),
        *_in(
            "numpy.random",
            "rand randn randint random random_sample ranf sample choice bytes shuffle permutation beta binomial "
            "exponential gamma geometric laplace lognormal normal pareto poisson standard_normal uniform weibull",
        ),
        *_in("pyspark.sql.functions", "uuid shuffle"),
        *_in("sqlalchemy.func", "random rand gen_random_uuid newid uuid"),
    ):
        yield Asking(name, "chance")
    for name in (
        *_in("random", "Random"),
        *_in("numpy.random", "default_rng RandomState PCG64 MT19937 SFC64 Philox SeedSequence"),
        *_in("pyspark.sql.functions", "rand randn"),
    ):
        yield Asking(name, "chance", told=1)


def _in(module: str, names: str) -> Iterator[str]:
    return (f"{module}.{name}" for name in names.split())


ASKING: Final = {asking.name: asking for asking in _table()}
"""By full name."""
