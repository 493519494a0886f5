"""The words that several commands share, declared once."""

from typing import Annotated

import typer

DagId = Annotated[str, typer.Argument(metavar="DAG", help="the dag's id")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="a run: its number, or dag@date, as in sales@2025-05-01")]
Selected = Annotated[
    str, typer.Argument(metavar="TASK", help="a task, an instance (load[3]), or several (see `ostinato rerun --help`)")
]
AsJson = Annotated[bool, typer.Option("--json", help="answer with one JSON document on stdout")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="a parameter of the dag; may be given several times"),
]
Timeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="wait no longer than this (exit 8); the work goes on")
]
Wait = Annotated[bool, typer.Option("--wait", help="wait until it is done; exit 1 if it did not succeed")]
DagPaths = Annotated[
    list[str] | None, typer.Argument(metavar="PATHS", help="dag files, or folders of them (default: this folder)")
]
Slots = Annotated[int | None, typer.Option(min=1, metavar="N", help="so many tasks at once (default: one a processor)")]


def declaration() -> typer.Typer:
    """A new command or group. Completion, help and errors are drawn elsewhere, the same for all."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)
