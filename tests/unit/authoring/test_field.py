"""Parameters with a schema."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from ostinato import field
from ostinato.authoring.params import declared, fill, from_text
from ostinato.model.errors import UsageError
from ostinato.model.spec import Param
from tests.unit.authoring.files import only_problem

REGION = field("eu", enum=["eu", "us"], description="where")


def test_a_field_is_a_default_or_a_type_with_a_meaning_and_a_schema() -> None:
    assert declared({"region": REGION, "rows": field(int, minimum=1)}) == (
        Param("region", "string", default="eu", description="where", schema={"enum": ["eu", "us"]}),
        Param("rows", "integer", required=True, schema={"minimum": 1}),
    )


@given(integers(-100, 100))
def test_a_value_is_taken_exactly_if_it_satisfies_the_schema(value: int) -> None:
    params = declared({"n": field(int, minimum=-10, exclusiveMaximum=50, multipleOf=5)})
    if -10 <= value < 50 and value % 5 == 0:
        assert fill(params, {"n": value}) == {"n": value}
    else:
        with pytest.raises(UsageError, match="n: "):
            fill(params, {"n": value})


@pytest.mark.parametrize(
    ("declaration", "right", "wrong"),
    [
        (field(str, format="date"), "2024-02-29", "2024-02-30"),
        (field(str, pattern="^[a-z]+$"), "abc", "ABC"),
        (field(list, items={"type": "string"}, minItems=1), ["a"], [1]),
        (field(dict, required=["a"], properties={"a": {"type": "integer"}}), {"a": 1}, {"a": "1"}),
    ],
)
def test_the_words_are_those_of_json_schema(declaration: object, right: object, wrong: object) -> None:
    params = declared({"p": declaration})
    assert fill(params, {"p": right}) == {"p": right}
    with pytest.raises(UsageError, match=r"p"):
        fill(params, {"p": wrong})


def test_the_place_inside_of_a_value_is_told() -> None:
    with pytest.raises(UsageError) as refused:
        fill(declared({"p": field(list, items={"type": "integer"})}), {"p": [1, 2, "x"]})
    assert "p[2]: 'x' is not of type 'integer'" in refused.value.what


def test_what_is_typed_in_a_shell_satisfies_the_schema_too() -> None:
    assert from_text(declared({"region": REGION}), {"region": "us"}) == {"region": "us"}
    with pytest.raises(UsageError, match="region: 'cn' is not one of"):
        from_text(declared({"region": REGION}), {"region": "cn"})


@pytest.mark.parametrize(
    ("written", "code", "what"),
    [
        ("field('eu', enum=['us'])", "OST-175", "the default of the parameter 'p' does not satisfy its schema"),
        ("field(1, minumum=1)", "OST-175", "no keyword 'minumum'"),
        ("field(1, minimum='x')", "OST-175", "is wrong: minimum"),
        ("field('a', pattern='[')", "OST-175", "is wrong: pattern"),
        ("field('a', format='nosuch')", "OST-175", "there is no 'nosuch'"),
        ("field([], items={'$ref': 'https://example.org/x'})", "OST-175", "refers to another"),
        ("field([], anyOf=[{'items': {'$ref': '#'}}])", "OST-175", "refers to another"),
        ("field('a', description=3)", "OST-139", "is not text"),
        ("field('a', enum=[object()])", "OST-144", "cannot be kept"),
        ("field(None)", "OST-144", "cannot be None"),
    ],
)
def test_a_wrong_declaration_is_reported_where_it_is_written(written: str, code: str, what: str) -> None:
    problem = only_problem(f"@dag(params={{'p': {written}}})\ndef d() -> None:\n    load('a')\n")
    assert (problem.code, problem.line) == (code, 1)
    assert what in problem.what
