"""The command line: run seeds, on every processor, and tell of each that fails."""

import os
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from time import perf_counter
from typing import Final

from ostinato.decide.transition import ATTEMPT, RUN, TASK

from .shrink import Case, shrunk
from .simulation import Outcome
from .story import story
from .trace import Violation

MACHINES: Final = {"run": RUN, "task": TASK, "attempt": ATTEMPT}


def attempt(case: Case) -> Outcome | str:
    """What a seed comes to: its outcome, or the story of its failure."""
    simulation = case.simulation()
    try:
        return simulation.run()
    except Violation as violation:
        return story(case, simulation, violation)
    except Exception as error:  # noqa: BLE001 - whatever breaks, its seed has to be named
        return f"{story(case, simulation, error)}\n{''.join(traceback.format_exception(error))}"


def attempts(cases: Sequence[Case], jobs: int) -> Iterator[tuple[int, Outcome | str]]:
    """What every seed comes to, in their order."""
    seeds = [case.seed for case in cases]
    if jobs == 1:
        yield from zip(seeds, map(attempt, cases), strict=True)
        return
    with get_context("fork").Pool(jobs) as pool:
        yield from zip(seeds, pool.imap(attempt, cases, chunksize=4), strict=True)


def main() -> int:
    """See the package."""
    parser = ArgumentParser(prog="python -m tests.simulation", description="Simulate the control plane.")
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds (default: 2000)")
    parser.add_argument("--start", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a processor)")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first seed that fails")
    parser.add_argument("--histories", action="store_true", help="print the history hash of every seed")
    parser.add_argument(
        "--storm-ms", type=int, help="how long faults come, in virtual time (default: as each seed says)"
    )
    parser.add_argument(
        "--without", default="", metavar="NAMES", help="leave out faults and deeds, separated by commas"
    )
    options = parser.parse_args()
    begun = perf_counter()
    seeds = range(options.start, options.start + options.seeds)
    cases = [Case(seed, frozenset(filter(None, options.without.split(","))), options.storm_ms) for seed in seeds]
    done, failed, counted = 0, [], {"runs": 0, "attempts": 0, "commits": 0, "schedulers": 0, "agents": 0}
    never = {(name, was, cause) for name, table in MACHINES.items() for was, cause in table}
    for seed, outcome in attempts(cases, min(options.jobs, options.seeds)):
        done += 1
        if isinstance(outcome, str):
            print(outcome, flush=True)
            failed.append(seed)
            if options.seeds == 1:
                print("", _simpler(cases[0]), sep="\n", flush=True)
            if not options.keep_going:
                break
            continue
        if options.histories or options.seeds == 1:
            print(f"seed {seed}: history {outcome.history}, {outcome.runs} runs, {outcome.virtual_s:.0f} s", flush=True)
        never -= outcome.moves
        for name in counted:
            counted[name] += getattr(outcome, name)
    took = perf_counter() - begun
    what = ", ".join(f"{count:,} {name}" for name, count in counted.items())
    print(f"{done:,} seeds in {took:.1f} s, {done / took:.1f} seeds/s: {what}; {len(failed)} failed {failed or ''}")
    if never and not failed:
        print("never moved so:", ", ".join(sorted(" ".join(move) for move in never)))
    return 1 if failed else 0


def _simpler(case: Case) -> str:
    """The story of the simplest case that fails as well."""
    simplest = shrunk(case, print)
    if simplest == case:
        return "nothing can be left out"
    return str(attempt(simplest))


if __name__ == "__main__":
    sys.exit(main())
