"""A rejected record, with everything needed to understand it, find it, and bring it back."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from .errors import DeadLettersUnreadable


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected record of a file.

    ``record_no`` counts the file's records from 1, without the header. ``raw`` are its bytes as they lie in the file at
    ``byte_offset``, without the line end; of a record too long to hold, only the beginning (``byte_length`` is the whole).
    ``fields`` maps columns to their text where the record has the right number of them and is readable.
    """

    source_file: str
    record_no: int
    byte_offset: int
    byte_length: int
    reasons: tuple[str, ...]
    raw: bytes
    fields: dict[str, str] | None = None

    def line(self) -> bytes:
        """Its line in a dead letter file: JSON, the same bytes for the same reject."""
        shown: dict[str, Any] = {
            "source_file": self.source_file,
            "record_no": self.record_no,
            "byte_offset": self.byte_offset,
            "byte_length": self.byte_length,
            "reasons": self.reasons,
        }
        try:
            shown["raw"] = self.raw.decode()
        except UnicodeDecodeError:
            shown["raw_base64"] = base64.b64encode(self.raw).decode()
        if self.fields is not None:
            shown["fields"] = self.fields
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Reject":
        """The reject that wrote this line. Raises DeadLettersUnreadable."""
        try:
            shown: dict[str, Any] = json.loads(line)
            raw = shown["raw"].encode() if "raw" in shown else base64.b64decode(shown["raw_base64"], validate=True)
            return cls(
                source_file=shown["source_file"],
                record_no=shown["record_no"],
                byte_offset=shown["byte_offset"],
                byte_length=shown["byte_length"],
                reasons=tuple(shown["reasons"]),
                raw=raw,
                fields=shown.get("fields"),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeadLettersUnreadable(f"a line is no dead letter: {error}") from error
