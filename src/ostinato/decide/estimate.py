"""How long runs will take, from how long earlier ones took; or that too few have been seen to say."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

LEAST: Final = 5
"""With fewer runs to look at, nothing is said."""


class Estimate(Struct, frozen=True):
    """``total_ms`` for everything, if nothing else asks for room."""

    total_ms: int


class TooLittleHistory(Struct, frozen=True):
    """Only ``seen`` runs of a dag, of the `LEAST` it takes, have succeeded for about as much time as is planned."""

    dag_id: str
    seen: int


def estimate(
    counts: Mapping[str, int], took_ms: Mapping[str, Sequence[int]], at_once: int
) -> Estimate | TooLittleHistory:
    """The time for so many runs of each dag, ``at_once`` of them side by side, one dag after the other.

    ``took_ms`` are the durations of earlier runs of each.
    """
    total = 0.0
    for dag_id, count in counts.items():
        seen = took_ms.get(dag_id, ())
        if len(seen) < LEAST:
            return TooLittleHistory(dag_id, len(seen))
        total += median(seen) * -(-count // at_once)
    return Estimate(round(total))
