"""Which version of this program is installed."""

import os
import sys


def installed_version() -> str:
    """The version by the name of our metadata folder. Reading the folder itself would cost a third of the command."""
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - pathlib is not needed otherwise
        except OSError:
            continue
        for name in names:
            package, _, version = name.removesuffix(".dist-info").partition("-")
            if package == "ostinato" and name.endswith(".dist-info"):
                return version
    return "of a checkout that is not installed"
