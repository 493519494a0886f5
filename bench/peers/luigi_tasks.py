"""Luigi: its local scheduler, a file for each task that is done."""

import sys
import time
from pathlib import Path
from typing import Any

import luigi

TASKS, WORKERS = int(sys.argv[1]), int(sys.argv[2])
FOLDER = Path(sys.argv[3])


class Nothing(luigi.Task):
    """Do nothing but say so."""

    round_no = luigi.IntParameter()
    number = luigi.IntParameter()

    def output(self) -> Any:
        """The file that says it is done."""
        return luigi.LocalTarget(str(FOLDER / f"{self.round_no}-{self.number}"))

    def run(self) -> None:
        """Make it."""
        with self.output().open("w"):
            pass


def seconds(round_no: int, tasks: int) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work = [Nothing(round_no=round_no, number=number) for number in range(tasks)]
    if not luigi.build(work, workers=WORKERS, local_scheduler=True, log_level="ERROR"):
        raise RuntimeError("a task failed")
    return time.perf_counter() - began


if __name__ == "__main__":
    seconds(0, 10)
    print(seconds(1, TASKS))
