"""A task runs in its dag file's folder, as the file did when it was compiled."""

import subprocess
import sys
from pathlib import Path

from ostinato.home import Home

DAG = """
from ostinato import dag, task

NAMES = open("names.txt").read().split()

@task
def greet(name: str) -> str:
    return open("names.txt").read() + name

@dag()
def greetings() -> None:
    for name in NAMES:
        greet.named(f"greet_{name}")(name)
"""


def test_files_beside_the_dag_file_are_found_from_anywhere(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "greetings.py").write_text(DAG)
    (folder / "names.txt").write_text("ada grace\n")
    command = [sys.executable, "-m", "ostinato", "run", str(folder / "greetings.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "success" in done.stdout
