"""The orchestrator for partitioned data pipelines: what dag files are written with."""

from .authoring.context import Context, Interval, context
from .authoring.dag import Dag, dag
from .authoring.define import retry, sensor, task, wait_for_file
from .authoring.durations import Duration
from .authoring.params import param
from .authoring.schedule import by, cron, every
from .authoring.step import Step, step
from .authoring.task import Task
from .model.errors import LogicError, ResourceError, Skip, TransientError

__all__ = [
    "Context",
    "Dag",
    "Duration",
    "Interval",
    "LogicError",
    "ResourceError",
    "Skip",
    "Step",
    "Task",
    "TransientError",
    "by",
    "context",
    "cron",
    "dag",
    "every",
    "param",
    "retry",
    "sensor",
    "step",
    "task",
    "wait_for_file",
]
