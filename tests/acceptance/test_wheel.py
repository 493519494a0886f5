"""What is published: a small wheel that works alone with what it declares, and a source archive that makes the same.

The wheel is put into an empty environment by uv, without an index. Beside it stand links to exactly the installed
distributions that its metadata asks for, and what they ask for: an import of anything undeclared fails here.
"""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MAX_WHEEL_BYTES = 3 << 20
MAX_DIRECT = 20
MAX_INSTALLED = 45

HELLO = """
from ostinato import dag, task

@task
def greet(name: str) -> str:
    return f"hello {name}"

@dag
def hello() -> None:
    greet("world")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "wheel", "sdist")
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment that holds the wheel and what the core of it declares."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", folder / "bin" / "python"]
    subprocess.run([*install, only(built, "*.whl")], cwd=folder, check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in required("ostinato"):
        for top in tops(name):
            (packages / top.name).symlink_to(top)
    return folder / "bin"


def test_the_wheel_is_small_and_whole(built: Path) -> None:
    wheel = only(built, "*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size <= MAX_WHEEL_BYTES
    assert {name.split("/")[0].split("-")[0] for name in names} == {"ostinato", "ostinato_data"}
    examples = {str(path.relative_to(ROOT)) for path in (ROOT / "examples").rglob("*.py")}
    assert {f"ostinato/{name}" for name in examples} <= set(names)
    assert {"ostinato/py.typed", "ostinato_data/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_archive_makes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", only(built, "*.tar.gz"), "-C", tmp_path], check=True)
    (source,) = tmp_path.iterdir()
    build(source, tmp_path / "again", "wheel")
    first, second = (
        {entry.filename: entry.CRC for entry in zipfile.ZipFile(wheel).infolist()}
        for wheel in (only(built, "*.whl"), only(tmp_path / "again", "*.whl"))
    )
    assert first == second


def test_the_core_asks_for_few_packages() -> None:
    direct = [Requirement(text) for text in distribution("ostinato").requires or []]
    assert len([one for one in direct if one.marker is None or one.marker.evaluate({"extra": ""})]) <= MAX_DIRECT
    assert len(required("ostinato")) <= MAX_INSTALLED


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    assert said(tmp_path, installed / "ostinato", "--version") == f"ostinato {distribution('ostinato').version}\n"


def test_both_packages_import_and_come_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import ostinato, ostinato_data; print(ostinato.__file__, ostinato_data.__file__, sep='\\n')"
    places = said(tmp_path, installed / "python", "-c", code).splitlines()
    assert len(places) == 2
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_a_dag_runs_where_only_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    assert "success" in said(tmp_path, installed / "ostinato", "run", "hello.py")


def build(source: Path, folder: Path, *targets: str) -> None:
    """Wheel or source archive of a tree, by the build backend that is installed here."""
    for target in targets:
        subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], cwd=source, check=True)


def only(folder: Path, pattern: str) -> Path:
    """The one file that fits."""
    (found,) = folder.glob(pattern)
    return found


def required(name: str, extras: Iterable[str] = ("",)) -> set[str]:
    """The distributions that one needs here, and that those need, without itself."""
    found: set[str] = set()
    open_ends = [(canonicalize_name(name), frozenset(extras))]
    done: set[tuple[str, frozenset[str]]] = set()
    while open_ends:
        at = open_ends.pop()
        done.add(at)
        for one in map(Requirement, distribution(at[0]).requires or []):
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in at[1]):
                found.add(canonicalize_name(one.name))
                following = (canonicalize_name(one.name), frozenset({"", *one.extras}))
                open_ends += [following] if following not in done else []
    return found


def tops(name: str) -> set[Path]:
    """The files and folders that a distribution has put into site-packages."""
    there = distribution(name)
    names = {file.parts[0] for file in there.files or []} - {"..", "__pycache__"}
    return {Path(str(there.locate_file(name))) for name in names}


def said(folder: Path, *command: str | Path) -> str:
    """What a command prints, run in a folder of its own and without the settings of this session."""
    kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "OSTINATO_HOME"}}
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
