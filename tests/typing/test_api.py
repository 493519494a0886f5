"""The vocabulary is typed: pyright accepts right uses and reports wrong ones, line by line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

API = Path(__file__).with_name("api.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reported() -> dict[int, str]:
    """What pyright says about each line that it does not accept."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(API)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {entry["range"]["start"]["line"] + 1: entry["message"] for entry in found}


def test_wrong_uses_are_reported_on_exactly_their_lines(reported: dict[int, str]) -> None:
    lines = API.read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(wrong) > 30
    assert {number: lines[number - 1] for number in wrong - set(reported)} == {}
    assert {number: reported[number] for number in set(reported) - wrong} == {}
