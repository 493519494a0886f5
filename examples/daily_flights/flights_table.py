"""What the table of flights holds, made from the airline's records and the weather. DuckDB does the work."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

ROWS = """
    SELECT flights.*, dep_time IS NULL AS cancelled, dep_time IS NOT NULL AND arr_delay IS NULL AS diverted,
           coalesce(arr_delay > 15, FALSE) AS late, round(distance / (air_time / 60), 1) AS miles_per_hour,
           temp, wind_speed, precip, visib, make_date(flights.year, flights.month, flights.day) AS date
    FROM flights LEFT JOIN weather USING (origin, time_hour)
"""

FIGURES = """
    SELECT count(*) FILTER (cancelled) AS cancelled, count(*) FILTER (diverted) AS diverted,
           count(*) FILTER (late) AS late, round(avg(dep_delay), 1) AS mean_delay, max(arr_delay) AS worst_delay
    FROM rows
"""


def with_weather(flights: "DuckDBPyRelation", weather: "pa.Table") -> "DuckDBPyRelation":  # noqa: ARG001 - by its name
    """The rows of the table: flights with what the sky was like in the hour they were to leave."""
    return flights.query("flights", ROWS)


def figures(rows: "DuckDBPyRelation") -> dict[str, Any]:
    """What a report says of some rows of the table; delays are in minutes."""
    answer = rows.query("rows", FIGURES)
    return dict(zip(answer.columns, answer.fetchall()[0], strict=True))
