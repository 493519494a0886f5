"""What a good record of the airline's daily file looks like."""

from ostinato_data import Column, Contract, Rule

CLOCK = {"type": "integer", "min": 1, "max": 2400}
"""A time of day as the airline writes it: 517 is 05:17."""

FLIGHTS = Contract(
    asset="flights",
    columns=(
        Column("year", "integer", min=2013, max=2013),
        Column("month", "integer", min=1, max=12),
        Column("day", "integer", min=1, max=31),
        Column("dep_time", **CLOCK, nullable=True),  # NA: cancelled
        Column("sched_dep_time", **CLOCK),
        Column("dep_delay", "integer", nullable=True, min=-120, max=2000),
        Column("arr_time", **CLOCK, nullable=True),
        Column("sched_arr_time", **CLOCK),
        Column("arr_delay", "integer", nullable=True, min=-120, max=2000),
        Column("carrier", "text", pattern="[A-Z0-9]{2}"),
        Column("flight", "integer", min=1, max=9999),
        Column("tailnum", "text", nullable=True),
        Column("origin", "text", values=("EWR", "JFK", "LGA")),
        Column("dest", "text", pattern="[A-Z]{3}"),
        Column("air_time", "integer", nullable=True, min=1, max=1440),
        Column("distance", "integer", min=1, max=10_000),
        Column("hour", "integer", min=0, max=24),
        Column("minute", "integer", min=0, max=59),
        Column("time_hour", "timestamptz"),
    ),
    key=("carrier", "flight", "time_hour"),
    rules=(Rule("leaves and arrives elsewhere", "origin <> dest"),),
)
