"""The orchestrator for partitioned data pipelines: what dag files are written with."""

from .authoring.after import after
from .authoring.block import group, guarded
from .authoring.calendars import calendar, continuous, moments
from .authoring.context import Context, Interval, context
from .authoring.dag import Dag, dag
from .authoring.define import StepOptions, TaskOptions, branch, retry, sensor, short_circuit, task
from .authoring.durations import Duration
from .authoring.expand import Expansion
from .authoring.field import field
from .authoring.params import param
from .authoring.schedule import by, cron, every
from .authoring.scope import Turn, each, gathered, loop
from .authoring.step import Step, step
from .authoring.task import Task
from .authoring.waits import approval, run_dag, wait_for_dag, wait_for_file
from .model.errors import LogicError, ResourceError, Skip, TransientError

__all__ = [
    "Context",
    "Dag",
    "Duration",
    "Expansion",
    "Interval",
    "LogicError",
    "ResourceError",
    "Skip",
    "Step",
    "StepOptions",
    "Task",
    "TaskOptions",
    "TransientError",
    "Turn",
    "after",
    "approval",
    "branch",
    "by",
    "calendar",
    "context",
    "continuous",
    "cron",
    "dag",
    "each",
    "every",
    "field",
    "gathered",
    "group",
    "guarded",
    "loop",
    "moments",
    "param",
    "retry",
    "run_dag",
    "sensor",
    "short_circuit",
    "step",
    "task",
    "wait_for_dag",
    "wait_for_file",
]
