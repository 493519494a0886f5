"""Parameters: declared by default or type, checked when they are given."""

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, dictionaries, floats, integers, lists, text

from ostinato.authoring.params import declared, fill, from_text
from ostinato.model.errors import DagFileInvalid, UsageError
from ostinato.model.spec import Param

DECLARED = declared({"region": "eu", "limit": int, "share": 0.5, "dry": False, "tables": ["a"], "options": dict})
GIVEN = {"limit": 1, "options": {}}


def test_a_value_is_the_default_and_a_type_must_be_given() -> None:
    assert (
        Param("region", "string", default="eu"),
        Param("limit", "integer", required=True),
        Param("share", "number", default=0.5),
        Param("dry", "boolean", default=False),
        Param("tables", "array", default=["a"]),
        Param("options", "object", required=True),
    ) == DECLARED


@pytest.mark.parametrize(
    "wrong", [{"a": None}, {"a": object()}, {"a": set}, {"a b": 1}, {1: 2}, {"a": [object()]}, {"a": {1: {2}}}]
)
def test_what_cannot_be_a_parameter_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DagFileInvalid, match="OST-144"):
        declared(wrong)


def test_what_is_not_given_has_its_default() -> None:
    assert fill(DECLARED, GIVEN) == {
        "region": "eu",
        "limit": 1,
        "share": 0.5,
        "dry": False,
        "tables": ["a"],
        "options": {},
    }


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        fill(DECLARED, {"regoin": "us", "limit": "many", "dry": 1})
    for part in (
        "'regoin'",
        "did you mean 'region'",
        "'limit' is of type integer",
        "'dry' is",
        "'options' must be given",
    ):
        assert part in refused.value.what


@pytest.mark.parametrize(
    ("name", "value"), [("limit", True), ("limit", 1.5), ("share", True), ("region", 3), ("tables", {})]
)
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is of type"):
        fill(DECLARED, {**GIVEN, name: value})


def test_a_whole_number_is_a_number() -> None:
    share = fill(DECLARED, {**GIVEN, "share": 1})["share"]
    assert (share, type(share)) == (1.0, float)


def test_what_is_typed_in_a_shell_is_read_by_the_declared_type() -> None:
    typed = {"region": "12", "limit": "12", "share": "2", "dry": "true", "tables": '["x"]', "options": '{"a": 1}'}
    assert from_text(DECLARED, typed) == {
        "region": "12",
        "limit": 12,
        "share": 2.0,
        "dry": True,
        "tables": ["x"],
        "options": {"a": 1},
    }


@pytest.mark.parametrize("wrong", ["", "x", "1.5", "[", "null"])
def test_what_cannot_be_read_by_its_type_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="'limit' is of type integer"):
        from_text(DECLARED, {"limit": wrong, "options": "{}"})


@given(
    dictionaries(
        text(min_size=1).filter(str.isidentifier),
        text() | integers(-(2**60), 2**60) | booleans() | floats(allow_nan=False) | lists(integers(0, 9)),
        max_size=5,
    )
)
def test_defaults_fit_their_own_declaration(params: dict[str, object]) -> None:
    assert fill(declared(params), params) == params
