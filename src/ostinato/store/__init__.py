"""The only place that knows SQL. What is acknowledged here survives a kill and a loss of power."""

from .backup import Contents, drill, restore_backup, verify_backup
from .lease import Lease
from .read import Totals
from .setback import SetBack
from .store import Store, open_store

__all__ = [
    "Contents",
    "Lease",
    "SetBack",
    "Store",
    "Totals",
    "drill",
    "open_store",
    "restore_backup",
    "verify_backup",
]
