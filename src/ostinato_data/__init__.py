"""The data plane: read, check, dead-letter, commit. Knows no scheduler.

Nothing heavy is imported here, so that a dag file can import it. ``ostinato_data.check``, ``commit`` and ``digest`` need
the engines (``pip install 'ostinato[data]'``) and are imported where they are used.
"""

from .contract import Column, Contract, Rule
from .errors import DataError
from .files import write_whole
from .land import Landed, land
from .partition import Partition
from .sift import Sifted, sift

__all__ = ["Column", "Contract", "DataError", "Landed", "Partition", "Rule", "Sifted", "land", "sift", "write_whole"]
