"""Log segments."""

import os
from pathlib import Path

import pytest

from ostinato.agent import segment as module
from ostinato.agent.segment import Segment, Segments, note


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches."""
    monkeypatch.setattr(module, "ATTEMPT_BYTES", 10)
    monkeypatch.setattr(module, "SEGMENT_BYTES", 100)


def test_a_segment_is_used_by_one_after_another_until_it_is_large(tmp_path: Path) -> None:
    segments = Segments(tmp_path, "agent")
    first, second = segments.take(), segments.take()
    assert (first.name, second.name) == ("agent-1.log", "agent-2.log")
    segments.give_back(first)
    assert segments.take() is first
    os.write(first.fd, b"x" * 100)
    segments.give_back(first)
    third = segments.take()
    assert third.name == "agent-3.log"
    second.close()
    third.close()


def test_output_beyond_the_limit_is_cut_once_and_for_all(tmp_path: Path) -> None:
    segment = Segment(tmp_path, "log")
    os.write(segment.fd, b"before\n")
    os.write(segment.fd, b"0123456789abcdef")
    end = segment.bound(7)
    text = (tmp_path / "log").read_text()
    assert text == "before\n0123456789\n[ostinato] more was printed, but only the first 0 MiB are kept\n"
    assert end == len(text)
    os.write(segment.fd, b"more of the same")
    assert segment.bound(7) == end
    assert (tmp_path / "log").read_text() == text
    segment.close()


def test_output_within_the_limit_is_left_alone(tmp_path: Path) -> None:
    segment = Segment(tmp_path, "log")
    os.write(segment.fd, b"0123456789")
    assert segment.bound(0) == 10
    segment.close()


@pytest.mark.parametrize(
    ("printed", "wanted"), [(b"", "[ostinato] so\n"), (b"x\n", "x\n[ostinato] so\n"), (b"x", "x\n[ostinato] so\n")]
)
def test_a_note_has_a_line_to_itself(tmp_path: Path, printed: bytes, wanted: str) -> None:
    segment = Segment(tmp_path, "log")
    os.write(segment.fd, printed)
    note(segment.fd, 0, "so")
    assert (tmp_path / "log").read_text() == wanted
    segment.close()


def test_without_a_disk_there_is_a_segment_that_keeps_nothing(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "not there", "agent")
    segment = segments.take()
    assert segment.name == ""
    assert "no log can be written" in segment.trouble
    os.write(segment.fd, b"lost")
    assert (segment.end(), segment.bound(0)) == (0, 0)
    segments.give_back(segment)
    again = segments.take()
    assert again is not segment, "perhaps the disk is back"
    again.close()
