"""A run of ten tasks every two seconds, of which one is tried twice."""

from ostinato import Context, TransientError, dag, every, task


@task
def first() -> int:
    return 1


@task
def work(number: int) -> int:
    return number


@task
def stumbles(ctx: Context) -> None:
    if ctx.number == 1:
        raise TransientError("the first time it fails")


@dag(schedule=every("2s"), max_active_runs=4)
def steady() -> None:
    one = first()
    for n in range(8):
        work.named(f"work_{n}")(one)
    stumbles()
