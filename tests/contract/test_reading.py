"""What a scheduler needs to begin again, and what people read of runs."""

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, NewAttempt, RejectedRecords, TaskMove
from ostinato.model.errors import ErrorClass
from ostinato.model.message import DeadLetters, Failure, LogRange
from ostinato.model.record import UNMAPPED, Attempt, LoggedEvent, OpenRun, Rejected, Task
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval
from ostinato.store import Store
from tests.contract.leader import DAY, MAY_1, Leader, deploy, new_backfill, new_run


def test_an_empty_state_has_no_open_work(store: Store) -> None:
    assert store.open_work() == []
    assert store.last_attempt() == 0


def test_a_queued_run_is_open_work_with_only_its_first_event(store: Store) -> None:
    [run] = store.create_runs([new_run(deploy(store))])
    assert store.open_work() == [OpenRun(run, (), (), {}, {}, 1)]


def test_open_work_has_all_that_is_known_of_each_run(store: Store) -> None:
    version = deploy(store, tasks=5)
    leader = Leader(store)
    first, second = leader.begin(version, 0), leader.begin(version, 1)
    leader.dispatch(first.run_id, 0, 1)
    leader.dispatch(second.run_id, 0)
    leader.commit()
    leader.succeed(first.run_id, 0)
    leader.fail(first.run_id, 1, ErrorClass.TRANSIENT, TaskState.UP_FOR_RETRY, due_at=MAY_1)
    leader.commit()
    for becomes in (ErrorClass.TRANSIENT, ErrorClass.RESOURCE):
        leader.dispatch(first.run_id, 1, was=TaskState.UP_FOR_RETRY)
        leader.commit()
        leader.fail(first.run_id, 1, becomes, TaskState.UP_FOR_RETRY, due_at=MAY_1 + 99)
        leader.commit()
    leader.dispatch(first.run_id, 2)
    leader.commit()

    one, two = store.open_work()
    assert (one.run, two.run) == (store.run(first.run_id), store.run(second.run_id))
    assert list(one.tasks) == store.tasks(first.run_id)
    assert [(task.task_no, task.state, task.due_at) for task in one.tasks] == [
        (0, TaskState.SUCCESS, None),
        (1, TaskState.UP_FOR_RETRY, MAY_1 + 99),
        (2, TaskState.QUEUED, None),
    ]
    assert list(one.live) == store.attempts(first.run_id, 2)
    assert one.tries == {(0, UNMAPPED): 1, (1, UNMAPPED): 3, (2, UNMAPPED): 1}
    assert one.failures == {(1, UNMAPPED): {"transient": 2, "resource": 1}}
    assert one.next_seq == len(store.events(first.run_id))
    assert (two.tries, two.failures, len(two.live)) == ({(0, UNMAPPED): 1}, {}, 1)


def test_ended_runs_are_no_open_work_but_their_attempts_are_remembered(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    [attempt] = leader.dispatch(run.run_id, 0)
    leader.commit()
    leader.succeed(run.run_id, 0)
    leader.move_run(run.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    assert store.open_work() == []
    assert store.last_attempt() == attempt


def test_an_attempt_reads_back_with_all_that_was_said_of_it(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    key = (run.run_id, 0)
    failure = Failure(
        how="raised",
        message="ß \u2028 \x00 '\"",
        types=("a.B", "Exception"),
        traceback="Traceback ...",
        declared="transient",
        http_status=503,
        sqlstate="40001",
        errno=5,
        exit_code=-9,
    )
    queued = [TaskMove(*key, TaskState.NONE, TaskState.QUEUED, MAY_1, 1)]
    store.commit(Commit(new_attempts=[NewAttempt(1, *key, 1, "agent-7", MAY_1)], tasks=queued), leader.epoch)
    fresh = Attempt(1, *key, 1, AttemptState.QUEUED, "agent-7", MAY_1)
    assert store.attempts(run.run_id) == [fresh]

    log = LogRange("executor-1.log", 5_000_000_000, 17)
    started = AttemptMove(1, AttemptState.QUEUED, AttemptState.RUNNING, started_at=MAY_1 - 3, log=log)
    store.commit(Commit(attempts=[started]), leader.epoch)
    [running] = store.attempts(run.run_id)
    assert (running.state, running.started_at, running.log) == (AttemptState.RUNNING, MAY_1 - 3, log)

    ended = AttemptMove(
        1,
        AttemptState.RUNNING,
        AttemptState.FAILED,
        finished_at=MAY_1 + DAY,
        error_class="transient",
        failure=failure,
        peak_kib=1 << 33,
        cpu_ms=1 << 32,
    )
    failed = [TaskMove(*key, TaskState.QUEUED, TaskState.FAILED, MAY_1)]
    store.commit(Commit(attempts=[ended], tasks=failed), leader.epoch)
    assert store.attempts(run.run_id, 0) == [
        Attempt(
            attempt=1,
            run_id=run.run_id,
            task_no=0,
            number=1,
            state=AttemptState.FAILED,
            agent="agent-7",
            queued_at=MAY_1,
            started_at=MAY_1 - 3,
            finished_at=MAY_1 + DAY,
            error_class="transient",
            failure=failure,
            log=log,
            peak_kib=1 << 33,
            cpu_ms=1 << 32,
        )
    ]


def test_a_lost_attempt_has_no_end_time(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    [attempt] = leader.dispatch(run.run_id, 0)
    leader.commit()
    leader.change.attempts.append(AttemptMove(attempt, AttemptState.QUEUED, AttemptState.LOST))
    leader.move_task(run.run_id, 0, TaskState.QUEUED, TaskState.FAILED)
    leader.commit()
    [row] = store.attempts(run.run_id)
    assert (row.state, row.started_at, row.finished_at) == (AttemptState.LOST, None, None)


def test_all_tries_of_a_task_are_shown_oldest_first_and_none_of_another(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    tries = leader.dispatch(run.run_id, 0)
    leader.dispatch(run.run_id, 1)
    leader.commit()
    for _ in range(3):
        leader.fail(run.run_id, 0, ErrorClass.TRANSIENT, TaskState.UP_FOR_RETRY)
        tries += leader.dispatch(run.run_id, 0, was=TaskState.UP_FOR_RETRY)
        leader.commit()
    found = store.attempts(run.run_id, 0)
    assert [row.attempt for row in found] == tries
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert [row.task_no for row in store.attempts(run.run_id)] == [0, 0, 0, 0, 1]
    assert store.attempts(run.run_id, 2) == []


def test_when_a_sensor_first_looked_is_remembered_through_its_looks(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    first = TaskMove(run.run_id, 0, TaskState.NONE, TaskState.DEFERRED, MAY_1, None, MAY_1 + 30, MAY_1)
    again = TaskMove(run.run_id, 0, TaskState.DEFERRED, TaskState.QUEUED, MAY_1 + 30, None, None, None)
    store.commit(Commit(tasks=[first]), leader.epoch)
    assert store.tasks(run.run_id) == [
        Task(run.run_id, 0, TaskState.DEFERRED, MAY_1, due_at=MAY_1 + 30, waiting_since=MAY_1)
    ]
    store.commit(Commit(tasks=[again]), leader.epoch)
    assert store.tasks(run.run_id) == [Task(run.run_id, 0, TaskState.QUEUED, MAY_1 + 30, waiting_since=MAY_1)]


def test_a_history_is_read_in_portions(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    for n in range(2, 9):
        leader.record(
            run.run_id, Cause.CANCEL_REQUESTED, "running", "running", facts={"by": "ada", "n": [n, 1.5, None]}
        )
    leader.commit()
    history = store.events(run.run_id)
    assert [event.seq for event in history] == list(range(9))
    assert history[8] == LoggedEvent(
        run.run_id, 8, MAY_1, Cause.CANCEL_REQUESTED, "running", "running", facts={"by": "ada", "n": [8, 1.5, None]}
    )
    assert store.events(run.run_id, after=3, limit=2) == history[4:6]
    assert store.events(run.run_id, after=8) == []


def test_outputs_are_found_where_there_are_any(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0, 1, 2)
    leader.commit()
    large = bytes(range(256)) * 4_000
    leader.succeed(run.run_id, 0, output=b"\x01")
    leader.succeed(run.run_id, 1)
    leader.succeed(run.run_id, 2, output=large)
    leader.commit()
    first, _, third, _, _ = wanted = [*((run.run_id, task_no, UNMAPPED) for task_no in range(4)), (99, 0, UNMAPPED)]
    assert store.outputs(wanted) == {first: b"\x01", third: large}
    assert store.outputs([]) == {}
    assert [store.output(run.run_id, task_no) for task_no in range(3)] == [b"\x01", None, large]


def reject(leader: Leader, run_id: int, task_no: int, count: int) -> Rejected:
    letters = DeadLetters(
        "sales", "2013-05-01", "dlq/sales/date=2013-05-01/errors.json", count, {"not a number": count}
    )
    row = (run_id, task_no, leader.attempts[run_id, task_no], leader.now, letters)
    leader.change.rejected.append(RejectedRecords(*row))
    return Rejected(*row)


def test_dead_letters_are_listed_newest_first_by_dag_or_run(store: Store) -> None:
    leader = Leader(store)
    daily = leader.begin(deploy(store))
    other = leader.begin(deploy(store, "other", file="other.py"), dag_id="other")
    found: list[Rejected] = []
    for run in (daily, other):
        leader.dispatch(run.run_id, 0)
        leader.commit()
        leader.succeed(run.run_id, 0)
        found += [reject(leader, run.run_id, 0, count) for count in (3, 1)]
        leader.commit()
    assert store.rejected() == list(reversed(found))
    assert store.rejected(limit=1) == [found[3]]
    assert store.rejected(dag_id="daily") == [found[1], found[0]]
    assert store.rejected(run_id=other.run_id, limit=1) == [found[3]]


def test_runs_and_tasks_are_counted_by_state(store: Store) -> None:
    assert store.counts() == {"runs": {}, "tasks": {}}
    version = deploy(store)
    leader = Leader(store)
    run = leader.begin(version)
    store.create_runs([new_run(version, 1)])
    leader.dispatch(run.run_id, 0, 1)
    leader.commit()
    leader.succeed(run.run_id, 0)
    leader.commit()
    assert store.counts() == {"runs": {"running": 1, "queued": 1}, "tasks": {"success": 1, "queued": 1}}


def test_a_backfill_adds_up_what_its_runs_did_and_no_others(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    stranger = leader.begin(version, 50)
    leader.dispatch(stranger.run_id, 0)
    leader.commit()
    runs = [new_run(version, day, kind="backfill") for day in range(2)]
    backfill, (one, two) = store.create_backfill(new_backfill(2), runs)
    empty = store.totals(backfill.backfill_id)
    assert (empty.tasks, empty.attempts, empty.rejected, empty.busy_ms, empty.started_at) == ({}, {}, 0, 0, None)
    for run in (one, two):
        leader.move_run(run.run_id, RunState.QUEUED, RunState.RUNNING)
        leader.dispatch(run.run_id, 0)
        leader.commit()
    leader.fail(one.run_id, 0, ErrorClass.TRANSIENT, TaskState.UP_FOR_RETRY)
    leader.dispatch(one.run_id, 0, was=TaskState.UP_FOR_RETRY)
    leader.commit()
    leader.now += 1_000
    leader.succeed(one.run_id, 0)
    leader.succeed(two.run_id, 0)
    reject(leader, two.run_id, 0, 5)
    reject(leader, two.run_id, 0, 2)
    leader.move_run(two.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    totals = store.totals(backfill.backfill_id)
    assert totals.tasks == {"success": 2}
    assert totals.attempts == {"failed": 1, "success": 2}
    assert totals.failures == {"transient": 1}
    assert totals.rejected == 7
    assert (totals.busy_ms, totals.cpu_ms) == (10 + 30 + 30, 14)
    assert (totals.started_at, totals.finished_at) == (MAY_1, MAY_1 + 1_000)
    assert store.backfill(backfill.backfill_id).runs == {"running": 1, "success": 1}


def test_what_a_dag_has_succeeded_for_is_found_by_interval_and_by_when_it_ended(store: Store) -> None:
    leader, version = Leader(store), deploy(store)
    for day, becomes in ((0, RunState.SUCCESS), (1, RunState.FAILED), (2, RunState.SUCCESS), (3, None)):
        run = leader.begin(version, day)
        leader.now = MAY_1 + 10 * DAY - day  # the later the day, the earlier it ended
        if becomes is not None:
            leader.move_run(run.run_id, RunState.RUNNING, becomes)
            leader.commit()
    first, third = (DataInterval(MAY_1 + day * DAY, MAY_1 + (day + 1) * DAY) for day in (0, 2))
    assert sorted(store.succeeded_over("daily", MAY_1, MAY_1 + 9 * DAY)) == [first, third]
    assert store.succeeded_over("daily", MAY_1 + 1, MAY_1 + 2 * DAY) == [first]
    ended = MAY_1 + 10 * DAY
    assert sorted(store.succeeded_between("daily", ended - 3, ended)) == [first, third]
    assert store.succeeded_between("daily", ended - 3, ended - 1) == [third]
    assert store.succeeded_between("daily", ended - 2, ended - 1) == []
    assert store.succeeded_over("weekly", 0, ended) == store.succeeded_between("weekly", 0, ended) == []
