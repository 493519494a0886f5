"""The generated pages of the reference are those that the code gives."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_the_code_says_now() -> None:
    generated = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    committed = {path.name: path.read_text() for path in (DOCS / "reference").iterdir()}
    assert sorted(generated) == sorted(committed)
    differing = [name for name in generated if generated[name] != committed[name]]
    assert differing == [], "write them anew: python3 do docs"


def test_every_error_has_a_code_of_its_own_and_says_what_it_means() -> None:
    errors = runpy.run_path(str(DOCS / "generate.py"))["coded_errors"]()
    codes = [code for code, _ in errors]
    assert len(codes) > 10
    assert len(set(codes)) == len(codes)
    assert all(found.__doc__ for _, found in errors)
