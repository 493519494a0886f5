"""What a dead agent's journal tells its successor."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostinato.agent.journal import Journal, Predecessors

STEPS = st.lists(st.tuples(st.sampled_from(["begin", "forget"]), st.sets(st.integers(1, 50))), max_size=30)


def test_a_journal_tells_what_was_begun_and_not_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "one")
    journal.begin([5, 3, 9])
    journal.forget([3, 77])
    assert Predecessors(tmp_path).known() == (("one", (5, 9)),)
    journal.close()
    assert Predecessors(tmp_path).known() == (("one", (5, 9)),)


@settings(deadline=None)
@given(STEPS)
def test_the_table_is_what_a_set_would_be(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, set[int]]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal, begun = Journal(folder, "one"), set[int]()
    for step, attempts in steps:
        if step == "begin":
            journal.begin(sorted(attempts - begun))
            begun |= attempts
        else:
            journal.forget(attempts)
            begun -= attempts
    journal.close()
    assert Predecessors(folder).known() == (("one", tuple(sorted(begun))),)


def test_a_journal_grows_with_what_is_begun_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "one")
    attempts = list(range(1, 5_001))
    journal.begin(attempts)
    journal.forget(attempts[:4_000])
    size = (tmp_path / "one.journal").stat().st_size
    journal.begin(list(range(6_000, 9_000)))
    assert (tmp_path / "one.journal").stat().st_size == size
    journal.close()
    assert Predecessors(tmp_path).known() == (("one", (*attempts[4_000:], *range(6_000, 9_000))),)


def test_a_full_disk_stops_growing_and_leaves_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, "one")
    journal.begin([1, 2])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="no space"):
        journal.begin(list(range(3, 5_000)))
    assert Predecessors(tmp_path).known() == (("one", (1, 2)),)
    journal.begin([3])
    journal.close()
    assert Predecessors(tmp_path).known() == (("one", (1, 2, 3)),)


def test_of_lives_before_a_reboot_and_of_broken_journals_nothing_is_known(tmp_path: Path) -> None:
    for name in ("before", "now"):
        journal = Journal(tmp_path, name)
        journal.begin([1])
        journal.close()
    with (tmp_path / "before.journal").open("r+b") as file:
        file.write(b"x")
    (tmp_path / "broken.journal").write_bytes(b"")
    assert Predecessors(tmp_path).known() == (("now", (1,)),)


def test_what_was_told_is_forgotten_and_what_came_later_is_not(tmp_path: Path) -> None:
    Journal(tmp_path, "dead").close()
    predecessors = Predecessors(tmp_path)
    Journal(tmp_path, "mine").close()
    predecessors.forget()
    assert predecessors.known() == ()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.journal"]
