"""Every batch, wait and buffer of the control plane is bounded here."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Units are in the names: ``_ms`` milliseconds, ``_s`` seconds, ``_bytes`` bytes; the rest are counts."""

    commit_batch: int = 2_000
    coalesce_ms: int = 2
    window_per_slot: int = 128
    open_runs: int = 100_000
    default_pool_slots: int = 1_024
    agent_grace_ms: int = 2_000
    beat_s: float = 0.25
    safety_scan_s: float = 30.0
    compile_s: float = 30.0
    compile_bytes: int = 2 << 30
    log_line_bytes: int = 64 << 10
    message_bytes: int = 64 << 20
    executor_tasks: int = 10_000
    store_retry_ms: int = 500
    outbox_tries: int = 12
