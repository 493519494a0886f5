"""What a good record of the airline's daily file looks like, and of the weather service's."""

from ostinato_data import Column, Contract, Rule

AIRPORTS = ("EWR", "JFK", "LGA")

CLOCK = {"type": "integer", "min": 1, "max": 2400}
"""A time of day as the airline writes it: 517 is 05:17, and midnight is 2400."""

OF_ITS_DAY = Rule("of its day", "try(make_date(year, month, day)) = $date")
"""A record of another day has no place in this day's partition. ``$date`` is the partition's."""

FLIGHTS = Contract(
    asset="flights",
    columns=(
        Column("year", "integer"),
        Column("month", "integer", min=1, max=12),
        Column("day", "integer", min=1, max=31),
        Column("dep_time", **CLOCK, nullable=True),  # NA: cancelled
        Column("sched_dep_time", **CLOCK),
        Column("dep_delay", "integer", nullable=True, min=-120, max=2000),
        Column("arr_time", **CLOCK, nullable=True),  # NA: cancelled, or it never got there
        Column("sched_arr_time", **CLOCK),
        Column("arr_delay", "integer", nullable=True, min=-120, max=2000),  # NA: also when it landed elsewhere
        Column("carrier", "text", pattern="[A-Z0-9]{2}"),
        Column("flight", "integer", min=1, max=9999),
        Column("tailnum", "text", nullable=True),
        Column("origin", "text", values=AIRPORTS),
        Column("dest", "text", pattern="[A-Z]{3}"),
        Column("air_time", "integer", nullable=True, min=1, max=1440),
        Column("distance", "integer", min=1, max=10_000),
        Column("hour", "integer", min=0, max=24),
        Column("minute", "integer", min=0, max=59),
        Column("time_hour", "timestamptz"),
    ),
    key=("carrier", "flight", "time_hour"),
    rules=(OF_ITS_DAY, Rule("leaves and arrives elsewhere", "origin <> dest")),
)

WEATHER = Contract(
    asset="weather",
    columns=(
        Column("origin", "text", values=AIRPORTS),
        Column("year", "integer"),
        Column("month", "integer", min=1, max=12),
        Column("day", "integer", min=1, max=31),
        Column("hour", "integer", min=0, max=23),
        Column("temp", "number", nullable=True, min=-60, max=140),
        Column("dewp", "number", nullable=True),
        Column("humid", "number", nullable=True, min=0, max=100),
        Column("wind_dir", "number", nullable=True, min=0, max=360),
        Column("wind_speed", "number", nullable=True, min=0, max=250),
        Column("wind_gust", "number", nullable=True, min=0, max=250),
        Column("precip", "number", nullable=True, min=0),
        Column("pressure", "number", nullable=True, min=850, max=1100),
        Column("visib", "number", nullable=True, min=0),
        Column("time_hour", "timestamptz"),
    ),
    key=("origin", "time_hour"),
    rules=(OF_ITS_DAY,),
)
