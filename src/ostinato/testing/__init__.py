"""Rehearsing pipelines in memory, for tests: scripts for `Dag.test`, and `simulate` for a span of schedule."""

from .dag_file import dags_of
from .rehearsal import Rehearsal, Simulation
from .rehearse import simulate
from .script import Outcome, Script, arrives, fails, returns, skips, takes

__all__ = [
    "Outcome",
    "Rehearsal",
    "Script",
    "Simulation",
    "arrives",
    "dags_of",
    "fails",
    "returns",
    "simulate",
    "skips",
    "takes",
]
