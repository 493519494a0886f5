"""A run that takes over from another has it all from the moment it is there."""

from msgspec import structs

from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import Carried, Event, Item, Output, TaskMove
from ostinato.model.record import UNMAPPED, Deployment
from ostinato.model.spec import CompiledDag, DagSpec, Scope, TaskSpec, Value
from ostinato.model.state import TaskState
from ostinato.store import Store
from tests.contract.leader import MAY_1, Leader, new_run, source_of

SPEC = DagSpec(
    "daily",
    (TaskSpec("list", kind="branch"), TaskSpec("load", scope=0), TaskSpec("total", upstream=(1,))),
    scopes=(Scope("files", "each", upstream=(0,), over=(("n", Value([1, 2])),)),),
)
TAKEN = (
    Carried(0, UNMAPPED, TaskState.SUCCESS, Cause.CARRIED_SUCCESS, output_of=0, follow=("files",)),
    Carried(1, UNMAPPED, TaskState.RUNNING, Cause.EXPANDED),
    Carried(1, 0, TaskState.SUCCESS, Cause.CARRIED_SUCCESS, output_of=1),
    Carried(1, 1, TaskState.SKIPPED, Cause.MARKED_SKIPPED),
)


def test_ends_outputs_items_and_what_was_said_to_follow_are_taken_over(store: Store) -> None:
    name = digest(source_of("dags.py"))
    dag = CompiledDag(SPEC, "dags.py", name, digest(canonical(SPEC), name.encode()))
    store.put_dags([Deployment("dags.py", (dag,), source_of("dags.py"))], MAY_1, "ada")
    leader = Leader(store)
    old = leader.begin(dag.version).run_id
    for seq, (task_no, index) in enumerate([(0, UNMAPPED), (1, 0), (1, 1)], 2):
        leader.change.tasks.append(TaskMove(old, task_no, TaskState.NONE, TaskState.SUCCESS, MAY_1, map_index=index))
        marked = Event(old, seq, MAY_1, Cause.MARKED_SUCCESS, "none", "success", task_no, map_index=index)
        leader.change.events.append(marked)
    leader.change.outputs += [Output(old, 0, b"list"), Output(old, 1, b"first", 0), Output(old, 1, b"second", 1)]
    leader.change.items += [Item(old, 0, 0, b"one"), Item(old, 0, 1, b"two")]
    leader.commit()
    wanted = structs.replace(new_run(dag.version, nth=2), based_on=old, carried=TAKEN, scopes=((0, 0),), by="ada")
    [new] = store.create_runs([wanted])
    found = store.open_run(new.run_id)
    assert new.based_on == old
    assert [(row.task_no, row.map_index, row.state) for row in found.tasks] == [
        (each.task_no, each.map_index, each.becomes) for each in TAKEN
    ]
    assert found.items == {0: 2}
    assert found.next_seq == 1 + len(TAKEN)
    assert [store.item(new.run_id, 0, index) for index in (0, 1, 2)] == [b"one", b"two", None]
    assert store.output(new.run_id, 0) == b"list"
    assert store.output(new.run_id, 1, 0) == b"first"
    assert store.output(new.run_id, 1, 1) is None
    assert [(event.cause, event.facts) for event in store.events(new.run_id)] == [
        (Cause.RERUN, {"by": "ada", "based_on": old}),
        (Cause.CARRIED_SUCCESS, {"follow": ["files"]}),
        (Cause.EXPANDED, None),
        (Cause.CARRIED_SUCCESS, None),
        (Cause.MARKED_SKIPPED, None),
    ]
    assert [each.run.run_id for each in store.open_work()] == [old, new.run_id]
