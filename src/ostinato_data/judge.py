"""The engine's part of a check: records of text go in, typed rows marked good or bad come out, and why.

Statements are put together here and nowhere else: their parts are constants of ours, and names and conditions of the
contract, which cannot be bound parameters; ``criteria`` quotes them.
"""

# ruff: noqa: S608 - see above

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import duckdb
import pyarrow as pa

from .contract import Contract
from .criteria import Criterion, criteria, declared, identifier, text_column, typed
from .engine import session
from .errors import ContractInvalid
from .partition import PartitionValue

ROW: Final = "__row"
"""The running number of a record over all files of a check."""

_PIECE: Final = "__piece"
_GOOD: Final = "__good"
GOOD_ROWS: Final = "__good_rows"
"""The name under which the good rows can be queried, typed, in the order they came."""

_CHECKED: Final = "__checked"
_DUPLICATES: Final = "__duplicates"
_RECORDS: Final = "__records"


class Judge:
    """Judges records by one contract, in temporary tables of one engine session. Raises ContractInvalid."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, contract: Contract, given: Mapping[str, PartitionValue]
    ) -> None:
        _try_out(contract)
        if missing := contract.given - given.keys():
            names = ", ".join(f"${name}" for name in sorted(missing))
            raise ContractInvalid(f"a rule uses {names}, which is not given", where=contract.asset)
        self.engine = engine
        self._contract = contract
        self._given = {name: given[name] for name in contract.given}
        self._names = ", ".join(identifier(column.name) for column in contract.columns)
        self._criteria = criteria(contract)
        self._fails = f"(({' OR '.join(f'({each.fails})' for each in self._criteria) or 'FALSE'}) IS TRUE)"
        self._typed = f"(SELECT *, {typed(contract)} FROM {_RECORDS})"
        self._taken = self._bad = 0
        self._query(f"CREATE TEMP TABLE {_CHECKED} ({ROW} BIGINT, {_PIECE} INT, {declared(contract)}, {_GOOD} BOOL)")
        self._query(f"CREATE TEMP VIEW {GOOD_ROWS} AS SELECT {self._names} FROM {_CHECKED} WHERE {_GOOD}")
        self._query(f"CREATE TEMP TABLE {_DUPLICATES} ({ROW} BIGINT)")

    def take(self, piece: int, records: pa.Table) -> None:
        """Take in the well-formed records of a piece."""
        self._taken += len(records)
        with self._registered(records):
            self._query(
                f"INSERT INTO {_CHECKED} SELECT {ROW}, {piece}, {self._names}, NOT {self._fails} FROM {self._typed}",
                self._given,
            )

    def settle(self) -> int:
        """Judge which records are duplicates, now that all are there; how many are good.

        Of a key the first good row is kept. All others that have its key are noted: they have one more reason.
        """
        names = [identifier(name) for name in self._contract.key]
        if not names:
            [(kept,)] = self._query(f"SELECT count(*) FROM {_CHECKED} WHERE {_GOOD}")
        else:
            key = ", ".join(names)
            groups = f"SELECT {key}, min({ROW}) AS {ROW}, count(*) AS n FROM {_CHECKED} WHERE {_GOOD} GROUP BY {key}"
            [(kept, good)] = self._query(f"SELECT count(*), coalesce(sum(n), 0) FROM ({groups})")
            same = " AND ".join(f"c.{name} = k.{name}" for name in names)
            if good > kept:
                self._query(
                    f"UPDATE {_CHECKED} c SET {_GOOD} = FALSE FROM ({groups} HAVING n > 1) k "
                    f"WHERE {same} AND c.{_GOOD} AND c.{ROW} > k.{ROW}"
                )
            if self._taken > kept:
                self._query(
                    f"INSERT INTO {_DUPLICATES} SELECT c.{ROW} FROM {_CHECKED} k JOIN {_CHECKED} c ON {same} "
                    f"WHERE k.{_GOOD} AND NOT c.{_GOOD} AND c.{ROW} > k.{ROW}"
                )
        self._bad = self._taken - kept
        return kept

    def pieces_with_bad(self) -> set[int]:
        """The pieces that have bad rows."""
        if not self._bad:
            return set()
        return {piece for (piece,) in self._query(f"SELECT DISTINCT {_PIECE} FROM {_CHECKED} WHERE NOT {_GOOD}")}

    def bad_rows(self, piece: int) -> dict[int, bool]:
        """The bad rows of a piece, each with whether it has the key of an earlier row that is kept."""
        duplicate = f"{ROW} IN (FROM {_DUPLICATES})"
        return dict(
            self._query(f"SELECT {ROW}, {duplicate} FROM {_CHECKED} WHERE {_PIECE} = ? AND NOT {_GOOD}", [piece])
        )

    def failed(self, records: pa.Table) -> dict[int, list[Criterion]]:
        """Everything each of these records fails on."""
        verdicts = ", ".join(map(_is_true, self._criteria))
        with self._registered(records):
            judged = self._query(f"SELECT {ROW}, [{verdicts}]::BOOL[] FROM {self._typed}", self._given)
        return {
            row: [each for each, fails in zip(self._criteria, verdict, strict=True) if fails] for row, verdict in judged
        }

    def _query(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        return self.engine.execute(sql, parameters).fetchall()

    @contextmanager
    def _registered(self, records: pa.Table) -> Generator[None]:
        self.engine.register(_RECORDS, records)
        try:
            yield
        except (duckdb.DataError, duckdb.ProgrammingError) as error:
            raise ContractInvalid(f"a rule cannot be applied: {error}", where=self._contract.asset) from error
        finally:
            self.engine.unregister(_RECORDS)


def _is_true(criterion: Criterion) -> str:
    return f"(({criterion.fails}) IS TRUE)"


@lru_cache(maxsize=128)
def _try_out(contract: Contract) -> None:
    """Raise ContractInvalid if the engine does not understand one of the contract's conditions."""
    texts = ", ".join(f"NULL::VARCHAR AS {text_column(n)}" for n in range(len(contract.columns)))
    with session() as engine:
        for each in criteria(contract):
            statement = f"SELECT {_is_true(each)} FROM (SELECT *, {typed(contract)} FROM (SELECT {texts}))"
            try:
                engine.execute(statement, dict.fromkeys(each.given)).fetchall()
            except duckdb.Error as error:
                raise ContractInvalid(f"{each.reason!r} is not understood: {error}", where=contract.asset) from error
