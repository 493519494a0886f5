"""How rehearsed runs went: what tests assert on."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct

from ostinato.decide.alarm import key_of
from ostinato.model.cause import Cause
from ostinato.model.change import Alert
from ostinato.model.message import DeadLetters
from ostinato.model.record import Attempt, Instance, LoggedEvent, Run, Task, instance_name
from ostinato.model.spec import DagSpec
from ostinato.model.state import TaskState
from ostinato.model.time import stamp
from ostinato.model.value import decode

from .ledger import Ledger

T = TypeVar("T")

_LONGEST_MESSAGE: Final = 200


class Rehearsal:
    """One run, as it went: records as the product keeps them, by the ids of tasks.

    An instance of a task that is for items is ``load[3]``, a loop's turn ``look[0]``; ``load`` is then the task as a whole.
    """

    def __init__(self, ledger: Ledger, run_id: int, specs: Mapping[str, DagSpec]) -> None:
        self._ledger = ledger
        self._account = ledger.accounts[run_id]
        self._specs = specs
        self._spec = specs[self._account.run.version]

    @property
    def run(self) -> Run:
        """The run; ``run.state`` says how it ended. One that waits for something that never comes is still running."""
        return self._account.run

    @property
    def tasks(self) -> dict[str, Task]:
        """The task instances that have moved at all, in the order in which the dag has them."""
        return self._named(self._account.tasks)

    @property
    def states(self) -> dict[str, TaskState]:
        """The states of the task instances."""
        return {name: task.state for name, task in self.tasks.items()}

    @property
    def attempts(self) -> dict[str, list[Attempt]]:
        """The attempts of each task instance that had any; ``failure`` says how one failed, with its traceback."""
        known = self._ledger.attempts
        return {name: [known[each] for each in ids] for name, ids in self._named(self._account.attempts).items()}

    @property
    def outputs(self) -> dict[str, Any]:
        """What task instances returned, but for None."""
        return {name: decode(output) for name, output in self._named(self._account.outputs).items()}

    @property
    def events(self) -> list[LoggedEvent]:
        """The run's history, in order: every move with its cause, its instant and the facts that were decisive."""
        return self._account.events

    @property
    def dead_letters(self) -> dict[str, list[DeadLetters]]:
        """The records that tasks rejected, by task."""
        found: dict[str, list[DeadLetters]] = {}
        for rejected in self._account.rejected:
            found.setdefault(self._name((rejected.task_no, rejected.map_index)), []).append(rejected.letters)
        return found

    @property
    def called(self) -> dict[str, "Rehearsal"]:
        """The runs of other dags that it called for, by the task that did; those that are rehearsed."""
        found: dict[str, Rehearsal] = {}
        for run_id, account in self._ledger.accounts.items():
            parent = account.run.parent
            if parent is not None and parent[0] == self.run.run_id and account.run.version in self._specs:
                found[self._name(parent[1:])] = Rehearsal(self._ledger, run_id, self._specs)
        return found

    @property
    def alerts(self) -> list[Alert]:
        """What people would have been told about the run's interval, its deadline included."""
        key = key_of(self.run.dag_id, self.run.interval.start)
        return [alert for alert in self._ledger.alerts if alert.dedup_key in {key, f"{key}/deadline"}]

    def causes(self, name: str | None = None) -> list[Cause]:
        """Why a task instance moved, each time; without a name, why the run did. Raises KeyError for one that never did."""
        if name is None:
            return [event.cause for event in self.events if event.task_no is None]
        instance = {self._name(each): each for each in self._account.tasks}[name]
        return [event.cause for event in self.events if (event.task_no, event.map_index) == instance]

    def _named(self, found: Mapping[Instance, T]) -> dict[str, T]:
        return {self._name(instance): found[instance] for instance in sorted(found)}

    def _name(self, instance: Instance) -> str:
        return instance_name(self._spec, *instance)

    def __repr__(self) -> str:
        run = self.run
        return "\n".join([f"<{run.dag_id} for {stamp(run.interval.start)}: {run.state}", *self._lines()]) + ">"

    def _lines(self) -> Iterator[str]:
        """A line for each task instance: its state, and how its last attempt failed if it did."""
        attempts = self.attempts
        width = max(map(len, self.tasks), default=0)
        for name, state in self.states.items():
            tries = attempts.get(name, [])
            failure = tries[-1].failure if tries else None
            kind = (failure.types or (failure.how,))[0].removeprefix("builtins.") if failure else ""
            said = f"  {kind}: {failure.message[:_LONGEST_MESSAGE]}" if failure else ""
            many = f"  ({len(tries)} attempts)" if len(tries) > 1 else ""
            yield f"  {name:<{width}}  {state}{said}{many}"


class Simulation(Struct, frozen=True):
    """What a span of schedule brought: its runs in the order in which they were made, and everything people were told."""

    runs: list[Rehearsal]
    alerts: list[Alert]

    def of(self, dag_id: str) -> list[Rehearsal]:
        """The runs of one dag."""
        return [each for each in self.runs if each.run.dag_id == dag_id]

    def __repr__(self) -> str:
        counted: dict[str, int] = {}
        for each in self.runs:
            words = f"{each.run.dag_id} {each.run.state}"
            counted[words] = counted.get(words, 0) + 1
        lines = [f"  {words}: {count}" for words, count in sorted(counted.items())]
        return "\n".join([f"<{len(self.runs)} runs, {len(self.alerts)} alerts", *lines]) + ">"
