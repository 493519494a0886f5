"""What a scheduler does while another one leads: look whether it still does, and see to the agent of its own machine."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from threading import Event
from typing import Final

from ostinato.executors.local import LocalAgent
from ostinato.home import Home, agent_alive
from ostinato.model.errors import HomeInUse, StoreUnavailable
from ostinato.store import Lease, Store

from .hint import is_heard
from .warden import Warden

_LOOK_S: Final = 0.25
_LOOKS_BETWEEN: Final = 8
"""So many looks at who leads for each look after the agent."""

_PATIENCE_S: Final = 10.0


def wait_for_lead(lease: Lease, store: Store, home: Home, stands_by: Callable[[str], None] | None) -> None:
    """Look until nobody leads, and meanwhile see to the agent; ``stands_by`` is told who leads.

    While the database is away, nothing can be said of either. Raises HomeInUse if somebody leads and nobody is to be told,
    StoreUnavailable if the database is away from the start.
    """
    told, pause = None, Event()
    warden = Warden(store, home, partial(LocalAgent, home, None))
    for nth in count():
        try:
            leader = lease.look()
            if leader is None:
                return
            if stands_by is None:
                raise HomeInUse(f"another scheduler ({leader}) works on this state", where=store.place)
            if leader != told:
                stands_by(leader)
                told = leader
            if nth % _LOOKS_BETWEEN == 0:
                warden.look()
        except StoreUnavailable:
            if told is None:
                raise
        pause.wait(_LOOK_S)


def end_former_agent(home: Home) -> None:
    """End the agent that is left of an earlier lead of ours, unless another scheduler of this home leads and has it now."""
    agent = agent_alive(home)
    if agent is None or is_heard(home):
        return
    with suppress(ProcessLookupError):
        os.kill(agent, signal.SIGTERM)
    pause = Event()
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        if agent_alive(home) is None:
            return
        pause.wait(_LOOK_S)
