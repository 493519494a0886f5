"""Whether and when a failed task instance is tried again. Each class of error has a budget of its own."""

from typing import Final

from ostinato.model.errors import ErrorClass
from ostinato.model.spec import Retry

_MOST_DOUBLINGS: Final = 64
"""Far beyond any ``max_delay``; it keeps the arithmetic finite for every number of failures."""


def next_try(retry: Retry, error_class: ErrorClass, failures_of_class: int, spread: float) -> int | None:
    """Milliseconds to wait before the next try; None: the budget of this class is spent.

    ``failures_of_class`` counts the task instance's failures of this class, the present one included. ``spread`` in
    [0, 1) is the chance that keeps a crowd from coming back together: it takes up to the share ``jitter`` off a delay.
    """
    if error_class is ErrorClass.TRANSIENT and failures_of_class <= retry.transient:
        return 0
    if error_class is ErrorClass.RESOURCE and failures_of_class <= retry.resource:
        return _backed_off(retry, failures_of_class, spread)
    return None


def _backed_off(retry: Retry, failures: int, spread: float) -> int:
    delay = min(retry.first_delay * 2 ** min(failures - 1, _MOST_DOUBLINGS), retry.max_delay)
    return round(delay * (1 - retry.jitter * spread) * 1000)
