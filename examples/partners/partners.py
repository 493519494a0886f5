"""One dag for each line of partners.txt: a name, a time of day, a region."""

from pathlib import Path

from ostinato import Context, Dag, cron, dag, task


@task
def fetch(ctx: Context, partner: str, region: str) -> str:
    """Say which file of which day would be fetched."""
    return f"{region}/{partner}/{ctx.logical_date:%Y-%m-%d}.csv"


@task
def load(path: str) -> int:
    """Say how much would be loaded."""
    return len(path)


def for_partner(partner: str, at: str, region: str) -> Dag:
    """The dag of one partner."""
    hour, minute = at.split(":")

    @dag(dag_id=f"ingest_{partner}", schedule=cron(f"{int(minute)} {int(hour)} * * *"), clock="fail")
    def ingest() -> None:
        load(fetch(partner, region))

    return ingest


LINES = Path(__file__).with_name("partners.txt").read_text().splitlines()
DAGS = [for_partner(*line.split()) for line in LINES]
