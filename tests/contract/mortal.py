"""A process that commits until it is killed: ``python -m tests.contract.mortal DATABASE (between|inside)``.

It writes one line to its output for each commit that was acknowledged. ``inside``: after ten of them it says ``inside``
in the middle of a transaction, and waits there.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ostinato.store import open_store
from tests.contract.leader import Leader, deploy

BATCH = 50


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


class Snare(list[Any]):
    """A list that is never read to its end."""

    def __iter__(self) -> Iterator[Any]:
        say("inside")
        sys.stdin.read()
        return super().__iter__()


def main(database: Path | str, where: str) -> None:
    store = open_store(database)
    leader = Leader(store)
    run = leader.begin(deploy(store, tasks=100_000))
    done = 0
    while True:
        leader.dispatch(run.run_id, *range(done * BATCH, (done + 1) * BATCH))
        if where == "inside" and done == 10:
            leader.change.events = Snare(leader.change.events)
        leader.commit()
        done += 1
        say(str(done))


if __name__ == "__main__":
    place = sys.argv[1]
    main(place if "://" in place else Path(place), sys.argv[2])
