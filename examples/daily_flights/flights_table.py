"""What the table of flights holds, made from the airline's records and the weather. DuckDB does the work."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

ROWS = """
    SELECT flights.*, dep_time IS NULL AS cancelled, dep_time IS NOT NULL AND arr_delay IS NULL AS diverted,
           coalesce(arr_delay > 15, FALSE) AS late, round(distance / (air_time / 60), 1) AS miles_per_hour,
           temp, wind_speed, precip, visib, make_date(flights.year, flights.month, flights.day) AS date
    FROM flights LEFT JOIN weather USING (origin, time_hour)
"""

FIGURES = {
    "cancelled": "count(*) FILTER (cancelled)",
    "diverted": "count(*) FILTER (diverted)",
    "late": "count(*) FILTER (late)",
    "mean_delay": "round(avg(dep_delay), 1)",
    "worst_delay": "max(arr_delay)",
}
"""What a report says of some rows of the table; delays are in minutes."""


def with_weather(flights: "DuckDBPyRelation", weather: "pa.Table") -> "DuckDBPyRelation":  # noqa: ARG001 - by its name
    """The rows of the table: flights with what the sky was like in the hour they were to leave."""
    return flights.query("flights", ROWS)
