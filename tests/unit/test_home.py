"""The state folder is where the environment says, and its owner's alone."""

from pathlib import Path

import pytest

from ostinato.home import Home
from ostinato.model.errors import HomeUnusable


def test_the_environment_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTINATO_HOME", str(tmp_path / "state"))
    assert Home.from_environment().path == tmp_path / "state"


@pytest.mark.parametrize("unset", [True, False])
def test_without_a_name_it_is_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, unset: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTINATO_HOME", "")
    if unset:
        monkeypatch.delenv("OSTINATO_HOME")
    assert Home.from_environment().path == tmp_path / ".ostinato"


def test_a_new_home_is_its_owners_alone_and_making_it_again_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b").create()
    home.database.write_text("kept")
    assert home.create().database.read_text() == "kept"
    for folder in (home.path, home.logs, home.sources, home.agent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeUnusable) as raised:
        Home(tmp_path / "file" / "home").create()
    assert raised.value.where == str(tmp_path / "file" / "home")
