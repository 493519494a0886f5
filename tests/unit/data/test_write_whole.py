"""A file is the old one or the new one, never in between."""

from pathlib import Path

import pytest

from ostinato_data import write_whole
from ostinato_data.files import remove


def test_a_file_is_replaced_whole_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    assert write_whole(path, [b"one", b"two"]) == 6
    assert write_whole(path, [b"three"]) == 5
    assert path.read_bytes() == b"three"
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_sees_the_old_content_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    write_whole(path, [b"old"])
    seen: list[bytes] = []

    def parts():
        yield b"new"
        seen.append(path.read_bytes())

    write_whole(path, parts())
    assert seen == [b"old"]


def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    write_whole(path, [b"old"])
    with pytest.raises(TypeError):
        write_whole(path, [b"new", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    remove(path)
    write_whole(path, [b"x"])
    remove(path)
    assert not path.exists()
