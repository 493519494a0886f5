"""What the dags of ``partners.dag.yaml`` do: plain functions."""


def fetch(partner: str, region: str, day: str) -> list[dict[str, str]]:
    """The records of a partner for a day."""
    return [{"partner": partner, "region": region, "day": day}]


def publish(records: list[dict[str, str]], table: str) -> int:
    """How many records went to a table."""
    print(f"{len(records)} records to {table}")
    return len(records)
