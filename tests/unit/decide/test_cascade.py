"""Dags come after those that they need, and a circle is refused."""

import pytest

from ostinato.decide.cascade import CascadeInACircle, downstream
from ostinato.model.spec import DagSpec, Need, TaskSpec


def dags(**needs):
    return {
        dag_id: DagSpec(dag_id, (TaskSpec("first"), TaskSpec("waits", needs=tuple(map(Need, of)))))
        for dag_id, of in needs.items()
    }


def test_a_dag_that_nobody_needs_has_nothing_downstream():
    assert downstream("a", dags(a=["b", ""], b=[])) == []


def test_what_is_needed_through_others_comes_after_them():
    specs = dags(raw=[], report=["clean", "other"], clean=["raw"], other=["clean"], apart=["elsewhere"])
    assert downstream("raw", specs) == ["clean", "other", "report"]


@pytest.mark.parametrize("ids", ["abcd", "dbca"])
def test_the_order_holds_whatever_the_dags_are_called(ids):
    first, left, right, last = ids
    order = downstream(first, dags(**{first: [], left: [first], right: [first, left], last: [right, left]}))
    assert order == [left, right, last]


def test_a_need_of_its_own_earlier_intervals_is_no_circle():
    assert downstream("a", dags(a=["", "a"], b=["a", "b"])) == ["b"]


def test_dags_that_wait_for_each_other_are_refused():
    with pytest.raises(CascadeInACircle, match="b → c → b"):
        downstream("a", dags(a=[], b=["a", "c"], c=["b"]))
