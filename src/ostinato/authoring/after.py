"""A schedule that other dags give: a run once they have succeeded."""

from ostinato.model.spec import After, Every, Ticking

from .check import listed, report, shown
from .dag import Dag
from .mistakes import Mistake
from .options import identifier

_STAND_IN = Every(86_400)


def after(*dags: Dag | str, each: Ticking | None = None) -> After:
    """A run for each interval of ``each``, made as soon as all of these dags have succeeded for all of that interval.

    Dags are given as they are or, if they are defined elsewhere, by their id. Without ``each`` the intervals are those of
    the dags, which then are given as they are and all have the same::

        @dag(schedule=after(hourly_clicks))
        @dag(schedule=after("hourly_clicks", "hourly_prices", each=cron("0 0 * * *", tz="Europe/Berlin")))
    """
    names: dict[str, None] = {}
    for given in dags:
        if isinstance(given, Dag | str):  # pyright: ignore[reportUnnecessaryIsInstance]
            names[given.dag_id if isinstance(given, Dag) else identifier("after", given)] = None
        else:
            report(Mistake.BAD_AFTER, f"{shown(given)} is not a dag", "give a dag, or the id of one")
    if not names:
        report(Mistake.BAD_AFTER, "after() names no dag", "for example after('hourly_clicks', each=every('1h'))")
    return After(tuple(names), _theirs(dags) if each is None else _checked(each))


def _theirs(dags: tuple[Dag | str, ...]) -> Ticking:
    """The ticks that all of the dags have. Where they have none, or not the same, that is reported."""
    schedules = [dag.options.schedule if isinstance(dag, Dag) else None for dag in dags]
    ticking = [schedule.each if isinstance(schedule, After) else schedule for schedule in schedules]
    first = ticking[0] if ticking else _STAND_IN
    if isinstance(first, Ticking) and all(other == first for other in ticking):
        return first
    unknown = [dag if isinstance(dag, str) else dag.dag_id for dag, of in zip(dags, ticking, strict=True) if of is None]
    what = f"the intervals of {listed(unknown)} are not known here" if unknown else "the dags differ in their intervals"
    report(Mistake.BAD_AFTER, what, "say which a run is for: each=every('1h')", near="after")
    return _STAND_IN


def _checked(each: Ticking) -> Ticking:
    if isinstance(each, Ticking):  # pyright: ignore[reportUnnecessaryIsInstance]
        return each
    help = "write each=cron(...), every(...), calendar(...) or moments(...)"
    report(Mistake.BAD_AFTER, f"each={shown(each)} does not say which intervals a run is for", help, near="each=")
    return _STAND_IN
