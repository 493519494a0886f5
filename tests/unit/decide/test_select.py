"""The language in which people name parts of a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.decide.reach import Reach
from ostinato.decide.select import SelectorUnreadable, SelectsNothing, select
from ostinato.decide.shape import Shape
from ostinato.model.record import UNMAPPED, Instance, instance_name
from ostinato.model.spec import CompiledDag, DagSpec, Scope, TaskSpec, Value
from ostinato.model.state import TaskState
from tests.unit.decide.parts import parts

SPEC = DagSpec(
    "sales",
    (
        TaskSpec("list", tags=("cheap",)),
        TaskSpec("stations.berlin", upstream=(0,)),
        TaskSpec("stations.tokyo", upstream=(0,), tags=("cheap",)),
        TaskSpec("merge", upstream=(1, 2)),
        TaskSpec("fetch", scope=0),
        TaskSpec("load", upstream=(4,), scope=0),
        TaskSpec("total", upstream=(5,)),
        TaskSpec("turn", scope=1),
        TaskSpec("check", upstream=(7,), scope=1),
    ),
    scopes=(
        Scope("partners", "each", upstream=(3,), over=(("partner", Value([1, 2, 3])),)),
        Scope("pages", "loop", upstream=(6,), until=8),
    ),
)
SHAPE = Shape(CompiledDag(SPEC, "sales.py", "source", "version"))
STATES = {
    (3, UNMAPPED): TaskState.SUCCESS,
    (4, 1): TaskState.FAILED,
    (5, 1): TaskState.UPSTREAM_FAILED,
    (7, UNMAPPED): TaskState.FAILED,
}


def chosen(*selectors: str) -> list[str]:
    found = select(selectors, Reach(SHAPE, {0: 3, 1: 2}), STATES)
    return [instance_name(SPEC, *each) for each in sorted(found)]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("merge", "merge"),
        ("+merge", "list stations.berlin stations.tokyo merge"),
        ("1+merge", "stations.berlin stations.tokyo merge"),
        ("0+merge+0", "merge"),
        ("stations.*", "stations.berlin stations.tokyo"),
        ("stations.t?kyo", "stations.tokyo"),
        ("stations.*+1", "stations.berlin stations.tokyo merge"),
        ("fetch", "fetch[0] fetch[1] fetch[2]"),
        ("fetch[1]", "fetch[1]"),
        ("fetch[1]+1", "fetch[1] load[1]"),
        ("fetch[1]+2", "fetch[1] load[1] total"),
        ("partners", "fetch[0] fetch[1] fetch[2] load[0] load[1] load[2]"),
        ("partners[2]", "fetch[2] load[2]"),
        ("1+load[2]", "merge fetch[2] load[2]"),
        ("1+total", "load[0] load[1] load[2] total"),
        ("check[0]+", "turn[1] check[0] check[1]"),
        ("1+turn[1]", "total turn[0] turn[1] check[0]"),
        ("1+turn[0]", "total turn[0]"),
        ("merge+1", "merge fetch[0] fetch[1] fetch[2] load[0] load[1] load[2]"),
        ("state:failed", "fetch[1] turn[0] turn[1]"),
        ("state:success", "merge"),
        ("state:failed+ & partners", "fetch[1] load[1]"),
        ("state:skipped", ""),
        ("tag:cheap", "list stations.tokyo"),
        ("tag:cheap & stations.*", "stations.tokyo"),
        ("tag:nothing", ""),
        ("list, merge", "list merge"),
    ],
)
def test_a_selector_means_these_instances(selector: str, names: str) -> None:
    assert chosen(selector) == names.split()


def test_a_star_alone_is_everything() -> None:
    assert select(["*"], Reach(SHAPE, {0: 3}), {}) == set(Reach(SHAPE, {0: 3}).everything())


def test_several_selectors_mean_what_any_of_them_means() -> None:
    assert chosen("merge", "list") == ["list", "merge"]


def test_a_scope_that_has_not_unfolded_is_its_tasks_as_wholes() -> None:
    found = select(["+load"], Reach(SHAPE, {}), {})
    assert [instance_name(SPEC, *each) for each in sorted(found)] == [
        "list", "stations.berlin", "stations.tokyo", "merge", "fetch", "load",
    ]  # fmt: skip
    assert select(["fetch+"], Reach(SHAPE, {}), {}) >= {(4, UNMAPPED), (5, UNMAPPED), (6, UNMAPPED)}


@pytest.mark.parametrize(
    ("selector", "what", "help"),
    [
        ("mergee", 'sales has no task "mergee"', "Did you mean merge?"),
        ("partner", 'sales has no task "partner"', "Did you mean partners?"),
        ("zzz", "no task", "There are list, stations.berlin,"),
        ("zzz.*", "no task", "There are"),
        ("load[3]", 'there is no "load[3]"', "It has instances 0 to 2."),
        ("merge[0]", 'there is no "merge[0]"', "It has no instances."),
        ("state:faild", 'there is no state "faild"', "Did you mean failed?"),
        ("state:zzz", 'there is no state "zzz"', "There are none, queued,"),
    ],
)
def test_what_is_not_there_is_said_with_what_looks_like_it(selector: str, what: str, help: str) -> None:
    with pytest.raises(SelectsNothing) as caught:
        chosen(selector)
    assert what in caught.value.what
    assert help in caught.value.help


def test_a_short_list_of_names_is_shown_whole() -> None:
    shape = Shape(CompiledDag(DagSpec("d", (TaskSpec("alone"),)), "d.py", "s", "v"))
    with pytest.raises(SelectsNothing) as caught:
        select(["zzz"], Reach(shape, {}), {})
    assert caught.value.help == "There are alone."


@pytest.mark.parametrize(
    "selector", ["", "+", "a b", "load[", "load[x]", "state:", "merge &", "colour:red", "load[1][2]"]
)
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(SelectorUnreadable):
        chosen(selector)


@given(parts(), st.data())
def test_before_and_after_are_each_others_opposite(reach: Reach, data: st.DataObject) -> None:
    everything = reach.everything()
    one: Instance = data.draw(st.sampled_from(everything))
    other: Instance = data.draw(st.sampled_from(everything))
    for steps in (0, 1, 2, None):
        assert (other in reach.after([one], steps)) == (one in reach.before([other], steps))


@given(parts(), st.data())
def test_what_is_barred_is_never_entered(reach: Reach, data: st.DataObject) -> None:
    everything = reach.everything()
    start: Instance = data.draw(st.sampled_from(everything))
    barred = data.draw(st.sets(st.sampled_from(everything)))
    found = reach.after([start], barred=barred)
    assert found - {start} <= set(everything) - barred
    assert found <= reach.after([start])
