"""What is wrong with a dag in YAML is found without running anything, all at once, each at its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy, binary, dictionaries, lists, none, recursive, sampled_from, text
from msgspec import json

from ostinato.authoring.check import Collecting
from ostinato.authoring.load import build_all, import_file, local_modules
from ostinato.authoring.mistakes import Mistake
from ostinato.authoring.yaml_words import KINDS, SCHEDULES, DagWords, Words, json_schema
from ostinato.model.record import DagProblem
from ostinato.model.spec import Source

FILE = "/dags/x.dag.yaml"
WORK = ("work", "/dags/work.py", b"def load(path=None): ...\n")
STEP = "dag: d\ntasks:\n  a: {run: 'work:load'}\n"


def problems(code: str | bytes, *more: tuple[str, str, bytes]) -> list[DagProblem]:
    """All that is wrong with a file."""
    source = Source(FILE, code.encode() if isinstance(code, str) else code, (WORK, *more))
    gathered = Collecting(FILE, {FILE: source.code})
    import_file(gathered, source.code, local_modules(source))
    build_all(gathered)
    return gathered.problems


WRONG = {
    "a tab": ("dag: d\n\ttasks:", "OST-190", 2, 1),
    "a tag": ("dag: !!python/name:os.system d\n", "OST-190", 1, 6),
    "a key twice": (STEP + "dag: e\n", "OST-190", 4, 1),
    "an alias of nothing": ("dag: *d\n", "OST-190", 1, 6),
    "too deep": ("dag: " + "[" * 100 + "]" * 100, "OST-191", 1, 46),
    "no text": (b"dag: \xff", "OST-101", 1, 0),
    "no dag": ("", "OST-192", 1, 0),
    "an unknown key": ("shedule: x\n" + STEP, "OST-192", 1, 1),
    "a step of no kind": ("dag: d\ntasks:\n  a: {pool: p}\n", "OST-192", 3, 3),
    "a step of two kinds": ("dag: d\ntasks:\n  a: {run: 'work:load', approval: ok}\n", "OST-192", 3, 3),
    "a step that is a list": ("dag: d\ntasks:\n  a: [1]\n", "OST-192", 3, 6),
    "an option of another type": ("dag: d\ntasks:\n  a: {run: 'work:load', slots: many}\n", "OST-192", 3, 32),
    "an option out of bounds": ("dag: d\ntasks:\n  a: {run: 'work:load', slots: 0}\n", "OST-136", 3, 25),
    "an unknown step": (STEP + "  b: {run: 'work:load', after: c}\n", "OST-193", 4, 32),
    "a circle": ("dag: d\ntasks:\n  a: {run: 'work:load', after: a}\n", "OST-120", 3, 3),
    "an unknown function": ("dag: d\ntasks:\n  a: {run: 'work:lod'}\n", "OST-194", 3, 12),
    "an unknown module": ("dag: d\ntasks:\n  a: {run: 'wrok:load'}\n", "OST-194", 3, 12),
    "an item of nothing": ("dag: d\ntasks:\n  a: {run: 'work:load', with: {path: {$item: x}}}\n", "OST-195", 3, 38),
    "a list that is not there": ("for_each: {item: x, in: xs.yaml}\n" + STEP, "OST-196", 1, 25),
    "a hole that nothing fills": ("for_each: {item: x, in: [1]}\ntags: ['${y}']\n" + STEP, "OST-196", 2, 8),
    "a wrong date": ("start: tomorrow\n" + STEP, "OST-138", 1, 8),
    "a schedule of no kind": ("schedule: {tz: UTC}\n" + STEP, "OST-192", 1, 1),
    "a schedule of two kinds": ("schedule: {every: 1h, cron: 0 6 * * *}\n" + STEP, "OST-192", 1, 1),
    "a schedule that is text": ("schedule: 0 6 * * *\n" + STEP, "OST-192", 1, 11),
    "a wrong choice": ("schedule: {cron: 0 2 * * *, fold: third}\n" + STEP, "OST-192", 1, 35),
    "a wrong cron": ("schedule:\n  cron: [0 6 * * *,\n    0 24 * * *]\n" + STEP, "OST-130", 3, 5),
    "a wrong holiday": ("schedule: {calendar: {cron: 0 6 * * *}, dates: [2025-12-25, xmas]}\n" + STEP, "OST-138", 1, 61),
    "a wrong moment": ("schedule: {moments: [2025-01-01, 2025-02-01, soon]}\n" + STEP, "OST-138", 1, 46),
    "moments that go back": ("schedule: {moments: [2025-02-01, 2025-01-01]}\n" + STEP, "OST-152", 1, 11),
    "after nothing": ("schedule: {after: [], each: {every: 1h}}\n" + STEP, "OST-192", 1, 19),
    "after something, for no intervals": ("schedule: {after: a}\n" + STEP, "OST-192", 1, 1),
    "after something, for intervals of no kind": ("schedule: {after: a, each: {tz: UTC}}\n" + STEP, "OST-192", 1, 22),
    "after something, continuously": ("schedule: {after: a, each: {continuous: {}}}\n" + STEP, "OST-192", 1, 22),
    "after something, in a wrong calendar": (
        "schedule: {after: a, each: {calendar: {cron: 0 6 * * *}, dates: [xmas]}}\n" + STEP, "OST-138", 1, 66),
    "after what cannot be a dag": ("schedule: {after: a/b, each: {every: 1h}}\n" + STEP, "OST-110", 1, 19),
    "too short a run": ("schedule: {continuous: {at_least: 1ms}}\n" + STEP, "OST-132", 1, 35),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_shown_at_its_place(wrong: str) -> None:
    code, expected, line, column = WRONG[wrong]
    assert [(p.code, p.line, p.column) for p in problems(code)] == [(expected, line, column)]


def test_all_that_is_wrong_is_shown_at_once() -> None:
    code = "dag: d\nowner: me\ntasks:\n  a: {run: load}\n  b: {}\n"
    assert sorted(p.line for p in problems(code)) == [2, 4, 5]


def test_aliases_that_stand_for_too_much_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert [p.code for p in problems("\n".join(lines))] == ["OST-191"]


def test_every_kind_of_step_and_of_schedule_has_a_schema() -> None:
    kinds: dict[str, type[Words]] = {**KINDS, **SCHEDULES}
    assert {kind for kind, words in kinds.items() if kind in words.__struct_fields__} == set(kinds)


def _parts() -> SearchStrategy[object]:
    words = [*KINDS, *DagWords.__struct_fields__, "with", "tasks", "over", "start", "until", "$output", "$item", "cron"]
    values = (
        none()
        | text(max_size=8)
        | sampled_from([0, -1, 1.5, True, "work:load", "a", "b", "{{ logical_date }}", "${x}"])
    )
    return recursive(
        values,
        lambda inner: lists(inner, max_size=3) | dictionaries(sampled_from([*words, "a", "b"]), inner, max_size=4),
    )


@given(text() | binary())
def test_any_text_gives_problems_with_codes_and_never_an_error(code: str | bytes) -> None:
    encoded = code.encode(errors="replace") if isinstance(code, str) else code
    found = problems(encoded)
    assert found
    assert all(Mistake(p.code) not in {Mistake.IMPORT, Mistake.DAG_RAISED} for p in found)


@given(
    dictionaries(
        sampled_from(["a", "b", "c"]), dictionaries(sampled_from([*KINDS, "with", "after", "expand"]), _parts())
    ),
    _parts(),
)
def test_any_mixture_of_the_words_gives_problems_with_codes_and_never_an_error(tasks: object, params: object) -> None:
    found = problems(json.encode({"dag": "d", "params": params, "tasks": tasks}))
    assert all(Mistake(p.code) not in {Mistake.IMPORT, Mistake.DAG_RAISED} for p in found)


OPTIONS = ["tz", "gap", "fold", "offset", "dates", "weekdays", "at_least", "each"]
TIMES = (
    sampled_from(["0 6 * * *", "1h", "2025-01-01", "2025-02-01T06:00", "monday", "UTC", "skip", "", "x"])
    | sampled_from([0, 60, True])
    | none()
)


@given(
    dictionaries(
        sampled_from([*SCHEDULES, *OPTIONS]),
        TIMES | lists(TIMES, max_size=3) | dictionaries(sampled_from(["cron", "every", *OPTIONS]), TIMES, max_size=2),
        max_size=3,
    )
)
def test_any_schedule_gives_problems_with_codes_and_never_an_error(schedule: object) -> None:
    found = problems(json.encode({"dag": "d", "schedule": schedule, "tasks": {"a": {"run": "work:load"}}}))
    assert all(Mistake(p.code) not in {Mistake.IMPORT, Mistake.DAG_RAISED} for p in found)


def test_the_schema_that_is_published_is_the_one_that_checks() -> None:
    published = Path(__file__).parents[3] / "docs" / "reference" / "dag.schema.json"
    assert json.decode(published.read_bytes()) == json_schema()
