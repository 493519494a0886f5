"""Which alert channels there are, by what the environment says."""

import os
from typing import Final

from ostinato.home import Home

from .console import Console
from .file import AlertFile
from .pagerduty import ENDPOINT, PagerDuty
from .port import AlertChannel

ROUTING_KEY: Final = "OSTINATO_PAGERDUTY_ROUTING_KEY"
ENDPOINT_OVERRIDE: Final = "OSTINATO_PAGERDUTY_ENDPOINT"


def channels_from_environment(home: Home) -> list[AlertChannel]:
    """PagerDuty if there is a routing key, else the alert file of the home; the console in any case, last."""
    routing_key = os.environ.get(ROUTING_KEY, "").strip()
    if routing_key:
        endpoint = os.environ.get(ENDPOINT_OVERRIDE, "").strip() or ENDPOINT
        return [PagerDuty(routing_key, endpoint), Console()]
    return [AlertFile(home.alerts), Console()]
