"""``ostinato api``: the state over HTTP, for programs and for what watches over servers."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ostinato.home import Home

from .terminal import next_step, say
from .version import installed_version
from .words import declaration

if TYPE_CHECKING:
    from ostinato.api.server import Server

app = declaration()

PORT: Final = 8470
TOKEN_VARIABLE: Final = "OSTINATO_API_TOKEN"  # noqa: S105 - the name of one


@app.command(
    epilog="ostinato api\nostinato api --port 9000\nostinato api --host 0.0.0.0   (with OSTINATO_API_TOKEN set)"
)
def api(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help=f"where to listen; others than this machine need {TOKEN_VARIABLE}")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, metavar="N", help="the port; 0: any that is free")] = PORT,
) -> None:
    """Answer over HTTP until interrupted: how it fares (/health/ready), and what the state says (/api/v1/openapi.json).

    It only reads. As many may run as one likes, on any machine that reaches the state; none of them needs a scheduler.
    """
    server = serving(host, port)
    say(f"{server.address}; stop with Ctrl-C")
    next_step(f"curl {server.address}/api/v1/runs")
    try:
        server.wait()
    finally:
        server.close()


def serving(host: str, port: int) -> "Server":
    """A server for the home that the environment names. Raises AddressUnusable, HomeUnusable."""
    from ostinato.api.server import Server  # noqa: PLC0415 - loads the web library

    token = os.environ.get(TOKEN_VARIABLE, "").strip() or None
    return Server(Home.from_environment().create(), host, port, token, installed_version())
