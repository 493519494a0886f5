"""``ostinato audit``: who did what from where, and whether that record is whole."""

import json
import sys
from typing import Annotated, Any, Final

import typer

from ostinato.model.record import AuditEntry
from ostinato.model.time import moment
from ostinato.view.documents.state import AuditDocument, AuditEntryDocument, ChainDocument
from ostinato.view.when import local

from .session import present_state
from .terminal import Ink, next_step, out, out_json, plain, say, shortened, table
from .words import AsJson, declaration

app = declaration()

_MOST: Final = 100_000
_FACTS: Final = 80


@app.command("ls", epilog="ostinato audit\nostinato audit ls --who ada --limit 100")
def ls(
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="only what this person did")] = None,
    subject: Annotated[
        str | None, typer.Option("--to", metavar="WHAT", help="only what was done to this: a dag, `run 12`, a pool")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, metavar="N", help="at most so many")] = 30,
    before: Annotated[
        int | None, typer.Option("--before", min=1, metavar="N", help="only entries before this one, to go on from")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what people did, newest first: deployments, runs, pauses, answers, limits."""
    with present_state() as store:
        found = [_document(entry) for entry in store.audit(limit, before, who, subject)]
    if as_json:
        out_json(AuditDocument(entries=found))
        return
    if not found:
        say("nobody has done anything like that yet")
        return
    ink = Ink(sys.stdout)
    rows = [
        (str(each.seq), local(each.at), plain(each.who), plain(each.action), plain(each.subject), _facts(each.facts))
        for each in found
    ]
    out(table(("NO", "AT", "WHO", "DID", "TO", "MORE"), rows, right=(0,), ink=ink))
    next_step("ostinato audit verify")


@app.command("verify", epilog="ostinato audit verify\nostinato audit verify --head 5ab0...")
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="DIGEST", help="a digest that was noted earlier, which must still be in the chain"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go through the whole record: that no entry was changed or taken out.

    Note the digest of the last entry somewhere else from time to time: with it, this also finds that later entries were
    cut off, or everything was written anew.
    """
    with present_state() as store:
        chain = store.verify_audit(head)
    document = ChainDocument(entries=chain.entries, head=chain.head)
    if as_json:
        out_json(document)
        return
    out(f"{document.entries:,} entries, each as it was written")
    if document.head:
        out(f"the last has the digest {document.head}")
        next_step(f"ostinato audit verify --head {document.head}, another day")


def _document(entry: AuditEntry) -> AuditEntryDocument:
    return AuditEntryDocument(
        seq=entry.seq,
        at=moment(entry.at),
        who=entry.who,
        via=entry.via,
        action=entry.action,
        subject=entry.subject,
        facts=json.loads(entry.facts),
    )


def _facts(facts: dict[str, Any]) -> str:
    said = ", ".join(f"{name} {_words(value)}" for name, value in facts.items() if value is not None)
    return plain(shortened(said, _FACTS))


def _words(value: object) -> str:
    """A fact in a few words: of what has names, the names."""
    return " ".join(map(str, value)) if isinstance(value, dict) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
