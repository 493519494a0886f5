"""The demonstration's planned faults: what `injected.json` says shall happen to a day's job happens, and says so."""

import json
from pathlib import Path

from ostinato import Context

PLAN = Path(__file__).parent / "injected.json"


def rehearse(ctx: Context) -> None:
    """Fail as planned for this day. Transient and memory faults pass with the second try, the logic error never does."""
    if not PLAN.exists():
        return
    fault = json.loads(PLAN.read_text())["task_faults"].get(str(ctx.logical_date))
    if fault == "transient" and ctx.number == 1:
        raise ConnectionResetError("injected: the connection to the cluster broke")
    if fault == "out_of_memory" and ctx.number == 1:
        raise MemoryError("injected: the job asked for more memory than there was")
    if fault == "logic":
        raise ValueError("injected: a bug in the job, which trying again cannot cure")
