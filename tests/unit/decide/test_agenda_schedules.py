"""A schedule that means nothing on this machine concerns its own dag only."""

from ostinato.decide.agenda import Agenda
from ostinato.model.change import Commit
from ostinato.model.record import Dag
from ostinato.model.spec import Cron, DagSpec, Every, TaskSpec

SPECS = {
    "v1": DagSpec("lost", (TaskSpec("t"),), schedule=Cron("0 6 * * *", "Atlantis/Poseidonis")),
    "v2": DagSpec("hourly", (TaskSpec("t"),), schedule=Every(3_600)),
}
DAGS = [Dag("lost", "v1", "lost.py"), Dag("hourly", "v2", "hourly.py")]
HOUR = 3_600_000


def test_a_zone_that_is_not_known_here_is_told_and_the_other_dags_go_on() -> None:
    agenda = Agenda()
    agenda.replan(DAGS, SPECS.__getitem__, 10 * HOUR + 1)
    commit = Commit()
    agenda.tick(11 * HOUR, commit, lambda _dag, _start: False, lambda _dag: False)
    assert [new.dag_id for new in commit.new_runs] == ["hourly"]
    assert [(alert.dedup_key, alert.action) for alert in commit.alerts] == [("ostinato/lost/schedule", "trigger")]
    assert "Atlantis" in commit.alerts[0].summary


def test_it_is_told_once() -> None:
    agenda = Agenda()
    agenda.replan(DAGS, SPECS.__getitem__, 10 * HOUR + 1)
    agenda.tick(10 * HOUR + 2, Commit(), lambda _dag, _start: False, lambda _dag: False)
    again = Commit()
    agenda.replan(DAGS, SPECS.__getitem__, 10 * HOUR + 3)
    agenda.tick(10 * HOUR + 4, again, lambda _dag, _start: False, lambda _dag: False)
    assert again.alerts == []
