"""The only place that knows SQL. What is acknowledged here survives a kill and a loss of power."""

from .lease import Lease
from .read import Totals
from .store import Store, open_store

__all__ = ["Lease", "Store", "Totals", "open_store"]
