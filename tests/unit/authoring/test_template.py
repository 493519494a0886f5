"""Templates: a fixed list of names and filters, everything else is refused before anything runs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis.strategies import from_regex, text

from ostinato import cron
from ostinato.authoring.template import NAMES, Hole, faults, parts, render, values
from ostinato.model.errors import UsageError
from ostinato.model.spec import DagSpec, Param, TaskSpec
from ostinato.model.time import DataInterval, instant

NEW_YORK = DagSpec("daily", (TaskSpec("load"),), schedule=cron("0 6 * * *", tz="America/New_York"))
MAY = DataInterval(instant(datetime(2013, 5, 1, 2, tzinfo=UTC)), instant(datetime(2013, 5, 2, 10, tzinfo=UTC)))
KNOWN = values(NEW_YORK, 7, MAY, {"region": "eu", "n": 3, "on": True, "none": None, "x": 1.5})


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("raw/{{ logical_date }}.csv", "raw/2013-04-30.csv"),
        ("{{logical_date|nodash}}", "20130430"),
        ("{{ logical_date | year }}/{{ logical_date | month }}/{{ logical_date | day }}", "2013/04/30"),
        ("{{ interval_start }}", "2013-04-30T22:00:00-04:00"),
        ("{{ interval_end | hour }}", "06"),
        ("{{ interval_start | nodash }}", "20130430T220000"),
        ("{{ dag_id }}/{{ task_id }}/{{ run_id }}", "daily/load/7"),
        ("{{ params.region }} {{ params.n }} {{ params.on }} {{ params.x }}[{{ params.none }}]", "eu 3 true 1.5[]"),
        ("no names } here {", "no names } here {"),
    ],
)
def test_names_are_filled_from_the_run_in_the_schedules_zone(template: str, filled: str) -> None:
    assert render(template, KNOWN, "load") == filled


@given(text())
def test_text_without_holes_is_itself(plain: str) -> None:
    if "{{" not in plain:
        assert render(plain, KNOWN, "load") == plain


@given(text())
def test_the_parts_of_any_text_put_together_are_the_text(any_text: str) -> None:
    assert "".join(part.written if isinstance(part, Hole) else part for part in parts(any_text)) == any_text


@given(
    from_regex(
        r"(a|\{\{ ?(logical_date|run_id|x|params\.n|params\.l) ?(\| ?(year|hour|z))? ?\}\}|\{\{|\}\}){0,6}",
        fullmatch=True,
    )
)
def test_a_template_without_faults_can_be_filled_and_one_with_a_fault_is_found(template: str) -> None:
    params = {"n": Param("n", "integer"), "l": Param("l", "array")}
    if not list(faults(template, params)):
        assert "{{" not in render(template, KNOWN, "load")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ date }}", ("name", "{{ date }}", "date")),
        ("{{ logical_date.year }}", ("name", "{{ logical_date.year }}", "logical_date.year")),
        ("{{ params.m }}", ("param", "{{ params.m }}", "m")),
        ("{{ params.l }}", ("text", "{{ params.l }}", "l")),
        ("{{ logical_date | upper }}", ("filter", "{{ logical_date | upper }}", "upper")),
        ("{{ logical_date | hour }}", ("filter", "{{ logical_date | hour }}", "hour")),
        ("{{ run_id | year }}", ("filter", "{{ run_id | year }}", "year")),
        ("{{ x + 1 }}", ("syntax", "{{ x + 1 }}", "")),
        ("{{ }}", ("syntax", "{{ }}", "")),
        ("a {{ logical_date", ("syntax", "{{ logical_date", "")),
        ("{{ __import__('os') }}", ("syntax", "{{ __import__('os') }}", "")),
    ],
)
def test_what_cannot_be_filled_is_found(template: str, fault: tuple[str, str, str]) -> None:
    params = {"l": Param("l", "array")}
    assert list(faults(template, params)) == [fault]


def test_all_faults_of_a_template_are_found_at_once() -> None:
    assert [kind for kind, _, _ in faults("{{ a }}{{ b | c }}{{ params.d }}", {})] == [
        "name",
        "name",
        "filter",
        "param",
    ]


def test_every_name_has_a_value() -> None:
    for name in NAMES:
        assert render(f"{{{{ {name} }}}}", KNOWN, "load")


def test_a_hole_that_nothing_fills_is_refused_and_not_left_empty() -> None:
    with pytest.raises(UsageError, match=r"params\.gone"):
        render("{{ params.gone }}", KNOWN, "load")
