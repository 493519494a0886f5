"""A database with a million runs, as the second version of the schema had them, opened by today's program."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter

from ostinato.store import migrate, open_store
from ostinato.store.database import engine_for, writing

RUNS = 1_000_000
_COUNT = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS})"
_OLD = f"""
    INSERT INTO meta VALUES (1, 4, 'leader', 5, 6, 7);
    INSERT INTO source VALUES ('s', x'00');
    INSERT INTO dag_version VALUES (1, 'v', 'f', 's', x'00', 1);
    INSERT INTO dag VALUES (1, 'hourly', 1, 'f', NULL, NULL, NULL, NULL);
    INSERT INTO agent VALUES (3, 'a1');
    {_COUNT} INSERT INTO run SELECT i, 1, 1, i, 1, 5, i * 1000, i * 1000 + 1000, x'80', i, i, i, NULL, NULL, NULL, '' FROM n;
    {_COUNT} INSERT INTO task_instance SELECT i, 0, 5, i, i, NULL, NULL FROM n;
    {_COUNT} INSERT INTO attempt SELECT i, i, 0, 1, 5, 3, i, i, i, NULL, NULL, NULL, NULL, NULL, 5, 60 FROM n;
    {_COUNT} INSERT INTO event SELECT i, 0, i, 1, 0, 1, NULL, NULL, NULL FROM n;
    {_COUNT} INSERT INTO event SELECT i, 1, i, 16, 1, 5, 0, i, NULL FROM n;
"""


def figures() -> dict[str, float]:
    """Seconds until it can be used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        engine = engine_for(path)
        with writing(engine) as connection:
            migrate.upgrade(connection, "0002")
        engine.dispose()
        with closing(sqlite3.connect(path)) as old, old:
            old.executescript(_OLD)
        before = path.stat().st_size
        began = perf_counter()
        store = open_store(path)
        seconds = perf_counter() - began
        if len(store.runs(limit=1)) != 1 or store.run(RUNS).run_id != RUNS:
            raise RuntimeError("runs are missing")
        store.close()
        return {"seconds": seconds, "MB before": before / 1e6, "MB after": path.stat().st_size / 1e6}
