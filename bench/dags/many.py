"""One file that generates five thousand dags of ten tasks from a list."""

from ostinato import Dag, dag, task


@task
def work(before: int, partner: str) -> int:
    """Hand on a number."""
    return before + len(partner)


def for_partner(partner: str) -> Dag:
    @dag(dag_id=f"ingest_{partner}")
    def ingest() -> None:
        value = 0
        for n in range(10):
            value = work.named(f"step_{n}")(value, partner)

    return ingest


DAGS = [for_partner(f"partner_{n:04}") for n in range(5_000)]
