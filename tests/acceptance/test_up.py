"""`ostinato up` goes on whatever becomes of those who look at it."""

from pathlib import Path

from ostinato.home import Home
from ostinato.store import open_store
from tests.acceptance.shell import going, until

TICKS = """
from ostinato import dag, every, task


@task
def tick() -> None:
    pass


@dag(schedule=every("1s"))
def ticks() -> None:
    tick()
"""


def test_when_nobody_reads_any_more_what_it_says_it_goes_on(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "ticks.py"
    file.write_text(TICKS)
    with going("up", str(file), "--slots", "1") as up:
        up.until("run 1 ticks")
        assert up.process.stdout is not None
        up.process.stdout.close()
        store = open_store(home.database)
        until(lambda: len(store.runs(limit=9)) >= 4)
        store.close()
        assert up.process.poll() is None
