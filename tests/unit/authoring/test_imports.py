"""What a text imports is found without running it."""

import pytest
from hypothesis import given
from hypothesis.strategies import binary, lists, sampled_from

from ostinato.authoring.imports import imported_names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d, e", {"a", "a.b", "a.b.c", "e"}),
        ("from a.b import c", {"a", "a.b", "a.b.c"}),
        ("def f():\n    if x:\n        import a\n    else:\n        import b", {"a", "b"}),
        ("class C:\n    import a\n    def m(self):\n        with x:\n            import b", {"a", "b"}),
        (
            "try:\n    import a\nexcept E:\n    import b\nelse:\n    import c\nfinally:\n    import d",
            {"a", "b", "c", "d"},
        ),
        ("for x in y:\n    import a\nelse:\n    import b", {"a", "b"}),
        ("match x:\n    case 1:\n        import a", {"a"}),
        ("async def f():\n    async with x:\n        import a", {"a"}),
        ("import", set()),
        ("x = 'import a'", set()),
    ],
)
def test_imports_are_found_wherever_they_stand(code: str, names: set[str]) -> None:
    assert set(imported_names(code.encode(), "m", is_package=False)) == names


@pytest.mark.parametrize(
    ("code", "name", "is_package", "names"),
    [
        ("from . import x", "p.m", False, {"p", "p.x"}),
        ("from . import x", "p", True, {"p", "p.x"}),
        ("from .y import x", "p.q.m", False, {"p", "p.q", "p.q.y", "p.q.y.x"}),
        ("from .. import x", "p.q.m", False, {"p", "p.x"}),
        ("from ... import x", "p.m", False, set()),
        ("from . import x", "m", False, {"x"}),
    ],
)
def test_relative_imports_are_made_absolute(code: str, name: str, is_package: bool, names: set[str]) -> None:
    assert {found for found in imported_names(code.encode(), name, is_package=is_package) if found} == names


@given(
    binary()
    | lists(sampled_from(["import a", "from . import b", "if 1:", " ", "\n", "(", "\0"])).map(
        lambda p: "".join(p).encode()
    )
)
def test_any_bytes_import_something_or_nothing(code: bytes) -> None:
    assert all(isinstance(name, str) for name in imported_names(code, "m", is_package=False))
