"""What a plan says is run again is what the board then runs, and nothing else; and the run comes to its end."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ostinato.decide.board import Board
from ostinato.decide.past import Past
from ostinato.decide.reach import Reach
from ostinato.decide.rerun import NotMarkable, rerun
from ostinato.decide.shape import Shape
from ostinato.model.cause import Cause
from ostinato.model.change import Carried, Commit
from ostinato.model.limits import Limits
from ostinato.model.message import Finished, Hello
from ostinato.model.record import UNMAPPED, Instance, OpenRun, Pool, Task
from ostinato.model.state import FINAL_RUN, FINAL_TASK, TaskState
from tests.unit.decide.boards import NOW, run_of
from tests.unit.decide.parts import pasts


class Office:
    """A board that goes on with a run which was based on another; everything that runs succeeds."""

    def __init__(self, shape: Shape, carried: tuple[Carried, ...], items: Mapping[int, int]) -> None:
        self.board = Board(Limits(), 1, lambda: 0.0)
        self.board.capacity.set_pools([Pool("default", 1_000)])
        self.board.agent_joined(Hello("a1", 1, 2, 1_000, (), ()), NOW)
        self.states = {(each.task_no, each.map_index): each.becomes for each in carried}
        self.ran: list[Instance] = []
        self.shape = shape
        rows = tuple(Task(1, each.task_no, each.becomes, NOW, map_index=each.map_index) for each in carried)
        run = structs.replace(run_of(1), based_on=7)
        self.board.adopt(OpenRun(run, rows, (), {}, {}, 1 + len(rows), dict(items)), shape, NOW)
        self.ended = False

    def work(self) -> None:
        """Until nothing is left to be done."""
        while True:
            self.board.tick(NOW)
            step = self.board.take()
            self._write(step.commit)
            for asked in step.unfolds:
                turns = self.shape.scopes[asked.scope_no].spec.kind == "loop"
                self.board.unfolded(asked, ([] if asked.turn else [b""]) if turns else [b"", b""], NOW)
            for attempt, dispatch in step.dispatches.items():
                self.ran.append((dispatch.task_no, dispatch.map_index))
                self.board.finished("a1", Finished(attempt, "success", NOW, NOW), NOW)
            if not (step.unfolds or step.dispatches):
                return

    def _write(self, commit: Commit) -> None:
        for move in commit.tasks:
            instance = move.task_no, move.map_index
            assert self.states.get(instance, TaskState.NONE) not in FINAL_TASK
            self.states[instance] = move.becomes
        self.ended = self.ended or any(move.becomes in FINAL_RUN for move in commit.runs)


@given(pasts(), st.data())
def test_the_board_runs_what_the_plan_says(dag: tuple[Shape, Past], data: st.DataObject) -> None:
    shape, past = dag
    everything = Reach(shape, past.items).everything()
    selected = data.draw(st.sets(st.sampled_from(everything), max_size=3))
    causes = st.sampled_from([Cause.MARKED_SUCCESS, Cause.MARKED_FAILED, Cause.MARKED_SKIPPED])
    marked = data.draw(st.dictionaries(st.sampled_from(everything), causes, max_size=1))
    try:
        made = rerun(shape, past, () if marked else selected, marked)
    except NotMarkable:
        return
    taken = dict(made.scopes)
    office = Office(shape, made.carried, {no: past.items[no] for no in taken})
    office.work()
    assert office.ended
    known = {each for each in office.ran if each[1] == UNMAPPED or shape.tasks[each[0]].scope in taken}
    assert known <= set(made.again)
    if not marked and all(each.cause in {Cause.CARRIED_SUCCESS, Cause.EXPANDED} for each in made.carried):
        anew = {each for each in made.again if shape.tasks[each[0]].scope in {None, *taken}}
        assert known == anew
