"""``ostinato dlq``: records that were rejected, where they wait and why."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ostinato.model.errors import NotFound, StoreDamaged
from ostinato.model.record import Rejected
from ostinato.view.documents.runs import DeadLettersDocument, RecordsDocument, RejectedDocument
from ostinato.view.reading import Specs, rejected_document

from .errors import did_you_mean
from .session import present_state
from .terminal import Ink, columns, next_step, out, out_json, plain, say, shortened, table
from .words import AsJson, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

_SEARCHED = 100_000


@app.command("ls", epilog="ostinato dlq\nostinato dlq ls sales")
def ls(
    dag: Annotated[str | None, typer.Argument(metavar="DAG", help="only of this dag")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_SEARCHED, metavar="N", help="at most so many")] = 30,
    as_json: AsJson = False,
) -> None:
    """List the files of rejected records, newest first."""
    with present_state() as store:
        if dag is not None:
            store.dag(dag)
        found = _documents(store, store.rejected(dag_id=dag, limit=limit))
    if as_json:
        out_json(DeadLettersDocument(rejected=found))
        return
    if not found:
        say("no records were rejected")
        return
    _draw(found)
    next_step(f"ostinato dlq show {found[0].asset} {found[0].partition}")


@app.command(
    "show", epilog="ostinato dlq show sales 2025-05-01\nostinato dlq show sales 2025-05-01 --limit 1000 --json"
)
def show(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="the table or file set the records were meant for")],
    partition: Annotated[str, typer.Argument(metavar="DATE", help="the logical date they were meant for")],
    limit: Annotated[int, typer.Option(min=1, max=_SEARCHED, metavar="N", help="at most so many records")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show rejected records as they came, each with every reason."""
    with present_state() as store:
        found = _newest(_documents(store, store.rejected(limit=_SEARCHED)), asset, partition)
    records = _records(Path(found.path), limit)
    document = RecordsDocument(
        asset=asset, partition=partition, path=found.path, total=found.count, reasons=found.reasons, records=records
    )
    if as_json:
        out_json(document)
        return
    _draw_records(document)
    next_step(f"ostinato show {found.run_id}")


def _documents(store: "Store", found: list[Rejected]) -> list[RejectedDocument]:
    specs = Specs(store)
    documents: list[RejectedDocument] = []
    for rejected in found:
        spec = specs.of(store.run(rejected.run_id).version)
        documents.append(rejected_document(rejected, spec.tasks[rejected.task_no].task_id))
    return documents


def _newest(found: list[RejectedDocument], asset: str, partition: str) -> RejectedDocument:
    """The newest file of an asset's partition. Raises NotFound with what comes close."""
    assets = {letters.asset for letters in found}
    if asset not in assets:
        raise NotFound(
            f'no records of "{asset}" wait', help=did_you_mean(asset, sorted(assets)) or "See `ostinato dlq`."
        )
    for letters in found:
        if letters.asset == asset and partition in (letters.partition, letters.partition.rpartition("=")[2]):
            return letters
    partitions = sorted({letters.partition for letters in found if letters.asset == asset})
    some = shortened(", ".join(partitions), 200)
    raise NotFound(f'no records of {asset} wait for "{partition}"', help=f"There are some for {some}.")


def _records(path: Path, limit: int) -> list[dict[str, Any]]:
    """The first records of a dead letter file: JSON lines."""
    from msgspec import MsgspecError, json  # noqa: PLC0415

    records: list[dict[str, Any]] = []
    try:
        with path.open("rb") as file:
            for number, line in zip(range(1, limit + 1), file, strict=False):
                try:
                    records.append(json.decode(line, type=dict[str, Any]))
                except MsgspecError as error:
                    raise StoreDamaged(
                        f"a line of the dead letters is not a JSON object: {error}",
                        where=f"{path}:{number}",
                        help="The file was changed by hand; a new run of its date writes it again.",
                    ) from error
    except OSError as error:
        advice = "A new run of its date writes it again."
        raise NotFound(f"the dead letters cannot be read: {error.strerror}", where=str(path), help=advice) from error
    return records


def _draw(found: list[RejectedDocument]) -> None:
    ink = Ink(sys.stdout)
    rows = [
        (
            letters.asset,
            letters.partition,
            f"{letters.count:,}",
            str(letters.run_id),
            plain(shortened(", ".join(f"{reason} {n:,}" for reason, n in letters.reasons.items()), columns() - 40)),
        )
        for letters in found
    ]
    out(table(("ASSET", "DATE", "ROWS", "RUN", "REASONS"), rows, right=(2, 3), ink=ink))


def _draw_records(document: RecordsDocument) -> None:
    ink = Ink(sys.stdout)
    out(f"{ink(f'{document.total:,} rejected rows', 'yellow')} of {document.asset} for {document.partition}")
    out(ink(document.path, "dim"))
    for record in document.records:
        out()
        for key, content in record.items():
            out(f"  {ink(f'{key:14}', 'dim')} {plain(shortened(_text(content), max(columns() - 20, 40)))}")
    if len(document.records) < document.total:
        say(f"{len(document.records):,} of {document.total:,} are shown; --limit shows more")


def _text(content: object) -> str:
    from msgspec import json  # noqa: PLC0415

    return content if isinstance(content, str) else json.encode(content).decode()
