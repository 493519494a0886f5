"""The example of dags in YAML is checked and run by the commands that check and run Python ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "partners"


def ostinato(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A command, ended."""
    environment = {**os.environ, "OSTINATO_HOME": str(home)}
    command = [sys.executable, "-m", "ostinato", *words]
    return subprocess.run(
        command, env=environment, cwd=EXAMPLE, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_dag_of_a_config_list_in_yaml_runs(tmp_path: Path) -> None:
    ended = ostinato("run", "partners.dag.yaml:load_globex", "--json", home=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["run"]["state"] == "success"


def test_a_folder_is_checked_with_its_dags_in_yaml(tmp_path: Path) -> None:
    ended = ostinato("check", ".", home=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("partners.dag.yaml") == 3
