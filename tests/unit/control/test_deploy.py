"""Dag files become dag versions, and do so again when they change."""

import select
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from ostinato.clock import SystemClock
from ostinato.control.deploy import Reloader, compile_all, dag_files, deploy
from ostinato.model.errors import NotFound, StoreUnavailable
from ostinato.model.limits import Limits
from ostinato.store import Store, open_store

DAG = """
from ostinato import dag, task
from helper import NUMBER

@task
def work() -> int:
    return {number} + NUMBER

@dag()
def {name}() -> None:
    work()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a dag file and a module of its own."""
    (tmp_path / "one.py").write_text(DAG.format(name="one", number=1))
    (tmp_path / "helper.py").write_text("NUMBER = 1\n")
    return tmp_path


@pytest.fixture
def store() -> Iterator[Store]:
    opened = open_store(None)
    yield opened
    opened.close()


class Reloading:
    """A reloader at work on a folder."""

    def __init__(self, store: Store, folder: Path) -> None:
        known = deploy(store, [folder], SystemClock(), Limits(), "ada")
        self._rung: Queue[None] = Queue()
        self.store = store
        self.reloader = Reloader(store, [folder], known, SystemClock(), Limits(), "ada")
        self.reloader.start(lambda: self._rung.put(None))

    def wait(self) -> None:
        """Until a change has been seen and applied."""
        assert select.select([self.reloader], [], [], 10)[0]
        self.reloader.attend()
        self._rung.get(timeout=10)
        assert self.reloader.apply()

    def versions(self) -> dict[str, str]:
        return {dag.dag_id: dag.version for dag in self.store.dags()}


@pytest.fixture
def reloading(store: Store, folder: Path) -> Iterator[Reloading]:
    made = Reloading(store, folder)
    yield made
    made.reloader.close()


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "_d.py", ".e/f.py", "g/_h/i.py", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert dag_files([tmp_path]) == [tmp_path / "a.py", tmp_path / "b" / "c.py"]


def test_a_path_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        dag_files([tmp_path / "none.py"])


def test_a_changed_file_becomes_a_new_version(reloading: Reloading, folder: Path) -> None:
    before = reloading.versions()
    (folder / "one.py").write_text(DAG.format(name="one", number=2))
    reloading.wait()
    assert reloading.versions().keys() == {"one"}
    assert reloading.versions() != before


def test_what_the_store_does_not_take_now_it_is_given_again(
    reloading: Reloading, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("gone for lunch")

    before = reloading.versions()
    with monkeypatch.context() as lunch:
        lunch.setattr(reloading.store, "put_dags", refuse)
        (folder / "one.py").write_text(DAG.format(name="one", number=2))
        with pytest.raises(AssertionError):
            reloading.wait()
        assert not reloading.reloader.apply()
    assert reloading.versions() == before
    assert reloading.reloader.apply()
    assert reloading.versions() != before
    assert not reloading.reloader.apply()


def test_a_changed_local_module_makes_a_new_version_of_the_dags_that_use_it(reloading: Reloading, folder: Path) -> None:
    before = reloading.versions()
    (folder / "helper.py").write_text("NUMBER = 2\n")
    reloading.wait()
    assert reloading.versions() != before


def test_a_new_file_is_deployed_and_a_removed_one_retired(reloading: Reloading, folder: Path) -> None:
    (folder / "two.py").write_text(DAG.format(name="two", number=2))
    reloading.wait()
    assert reloading.versions().keys() == {"one", "two"}
    (folder / "one.py").unlink()
    reloading.wait()
    assert reloading.versions().keys() == {"two"}


def test_a_file_that_breaks_leaves_its_dags_as_they_were_and_says_why(reloading: Reloading, folder: Path) -> None:
    before = reloading.versions()
    (folder / "one.py").write_text("this is not python")
    reloading.wait()
    assert reloading.versions() == before
    assert [problem.file for problem in reloading.store.problems()] == [str(folder / "one.py")]
    (folder / "one.py").write_text(DAG.format(name="one", number=1))
    reloading.wait()
    assert reloading.store.problems() == []


DAILY = """
from ostinato import cron, dag, wait_for_dag

@dag(schedule=cron("0 0 * * *", tz="Europe/Berlin"))
def daily() -> None:
    wait_for_dag("clicks")
"""
CLICKS = """
from ostinato import dag, every, task

@task
def work() -> None: ...

@dag(schedule=every("{length}"))
def clicks() -> None:
    work()
"""


def test_a_file_that_waits_for_what_another_file_never_has_is_refused_until_that_changes(
    tmp_path: Path, store: Store
) -> None:
    (tmp_path / "daily.py").write_text(DAILY)
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="2h"))
    reloading = Reloading(store, tmp_path)
    (problem,) = store.problems()
    assert (problem.file, problem.line, problem.code) == (str(tmp_path / "daily.py"), 6, "OST-177")
    assert [dag.dag_id for dag in store.dags()] == ["clicks"]
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="1h"))
    reloading.wait()
    reloading.reloader.close()
    assert store.problems() == []
    assert {dag.dag_id for dag in store.dags()} == {"clicks", "daily"}


def test_a_file_that_another_one_puts_in_the_wrong_is_refused_when_that_happens_and_right_again_later(
    tmp_path: Path, store: Store
) -> None:
    (tmp_path / "daily.py").write_text(DAILY)
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="1h"))
    reloading = Reloading(store, tmp_path)
    before = reloading.versions()
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="2h"))
    reloading.wait()
    assert [(problem.file, problem.code) for problem in store.problems()] == [(str(tmp_path / "daily.py"), "OST-177")]
    assert reloading.versions()["daily"] == before["daily"]
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="1h"))
    reloading.wait()
    reloading.reloader.close()
    assert (store.problems(), reloading.versions()) == ([], before)


AFTER = """
from ostinato import after, dag, every, task

@task
def work() -> None: ...

@dag(schedule=after("clicks", each=every("1d")))
def daily() -> None:
    work()
"""


def test_a_file_with_a_dag_that_runs_after_one_that_is_not_there_waits_for_its_file(
    tmp_path: Path, store: Store
) -> None:
    (tmp_path / "daily.py").write_text(AFTER)
    reloading = Reloading(store, tmp_path)
    (problem,) = store.problems()
    assert (problem.file, problem.line, problem.code) == (str(tmp_path / "daily.py"), 7, "OST-155")
    assert store.dags() == []
    (tmp_path / "clicks.py").write_text(CLICKS.format(length="1h"))
    reloading.wait()
    assert (store.problems(), reloading.versions().keys()) == ([], {"clicks", "daily"})
    (tmp_path / "clicks.py").write_text(AFTER.replace("clicks", "daily", 1).replace("def daily", "def clicks"))
    reloading.wait()
    reloading.reloader.close()
    assert {problem.code for problem in store.problems()} == {"OST-154"}


def files_of(store: Store) -> dict[str, str]:
    return {dag.dag_id: Path(dag.file).name for dag in store.dags()}


def test_what_was_removed_or_renamed_while_nobody_looked_is_retired_or_goes_on(folder: Path, store: Store) -> None:
    (folder / "two.py").write_text(DAG.format(name="two", number=2))
    deploy(store, [folder], SystemClock(), Limits(), "ada")
    (folder / "one.py").unlink()
    (folder / "two.py").rename(folder / "a.py")
    known = deploy(store, [folder], SystemClock(), Limits(), "ada")
    assert (files_of(store), known.problems) == ({"two": "a.py"}, [])


def test_what_was_deployed_from_elsewhere_stays(
    folder: Path, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "two.py"
    elsewhere.write_text(DAG.replace("from helper import NUMBER", "NUMBER = 1").format(name="two", number=2))
    deploy(store, [elsewhere], SystemClock(), Limits(), "ada")
    deploy(store, [folder], SystemClock(), Limits(), "ada")
    assert files_of(store) == {"one": "one.py", "two": "two.py"}
    elsewhere.rename(folder / "three.py")
    deploy(store, [folder / "three.py"], SystemClock(), Limits(), "ada")
    assert files_of(store) == {"one": "one.py", "two": "three.py"}


def test_two_dags_may_change_places(reloading: Reloading, folder: Path) -> None:
    (folder / "two.py").write_text(DAG.format(name="two", number=2))
    reloading.wait()
    (folder / "one.py").rename(folder / "_other.py")
    (folder / "two.py").rename(folder / "one.py")
    (folder / "_other.py").rename(folder / "two.py")
    reloading.wait()
    assert (files_of(reloading.store), reloading.store.problems()) == ({"one": "two.py", "two": "one.py"}, [])


def test_a_dag_stays_with_its_file_and_the_other_that_has_its_id_is_refused_until_it_is_free(
    reloading: Reloading, folder: Path
) -> None:
    (folder / "a.py").write_text(DAG.format(name="one", number=5) + DAG.format(name="more", number=6))
    reloading.wait()
    assert files_of(reloading.store) == {"one": "one.py"}
    (problem,) = reloading.store.problems()
    assert (problem.file, problem.code) == (str(folder / "a.py"), "OST-111")
    (folder / "one.py").write_text(DAG.format(name="first", number=1))
    reloading.wait()
    assert files_of(reloading.store) == {"one": "a.py", "more": "a.py", "first": "one.py"}
    assert reloading.store.problems() == []


def test_a_dag_whose_file_is_broken_at_the_start_still_keeps_its_id(folder: Path, store: Store) -> None:
    deploy(store, [folder], SystemClock(), Limits(), "ada")
    (folder / "one.py").write_text("this is not python")
    (folder / "a.py").write_text(DAG.format(name="one", number=5))
    known = deploy(store, [folder], SystemClock(), Limits(), "ada")
    assert files_of(store) == {"one": "one.py"}
    assert sorted(Path(problem.file).name for problem in known.problems) == ["a.py", "one.py"]


COUNTED = "open(__file__ + '.times', 'a').write('x')\n"


def test_what_was_compiled_ahead_is_compiled_again_only_if_it_changed(store: Store, folder: Path) -> None:
    paths = {name: folder / f"{name}.py" for name in ("same", "changed", "gone")}
    for name, path in paths.items():
        path.write_text(COUNTED + DAG.format(name=name, number=1))
    ahead = compile_all(dag_files([folder]), Limits())
    paths["changed"].write_text(COUNTED + DAG.format(name="changed", number=2))
    paths["gone"].unlink()
    (folder / "new.py").write_text(DAG.format(name="new", number=1))
    before = {name: len(Path(f"{path}.times").read_text()) for name, path in paths.items()}
    deploy(store, [folder], SystemClock(), Limits(), "ada", ahead)
    after = {name: len(Path(f"{path}.times").read_text()) for name, path in paths.items()}
    assert {name for name in after if after[name] > before[name]} == {"changed"}
    assert {dag.dag_id for dag in store.dags()} == {"one", "same", "changed", "new"}
    expected = {
        dag.spec.dag_id: dag.version for each in compile_all(dag_files([folder]), Limits()) for dag in each.dags
    }
    assert {dag.dag_id: dag.version for dag in store.dags()} == expected
