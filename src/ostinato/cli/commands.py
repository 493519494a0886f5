"""Every command by name: what it is for, and the module that declares it. Nothing else is imported to list them."""

from typing import Final, NamedTuple


class Command(NamedTuple):
    """One word after ``ostinato``.

    ``module`` is the file of this package that declares it. A group has ``subcommands``; ``default`` is the one that is
    meant when the next word is none of them.
    """

    name: str
    section: str
    summary: str
    module: str
    subcommands: tuple[str, ...] = ()
    default: str = ""


COMMANDS: Final = (
    Command("demo", "Start", "see it work: a year of real flights, faults included, on this machine", "demo"),
    Command("run", "Start", "run a dag of a file once, here and now", "run"),
    Command("check", "Start", "compile dag files and show every problem", "check"),
    Command("dev", "Start", "run scheduler and agent here; reload dags when their files change", "dev"),
    Command("up", "Serve", "run everything here, day and night; stand by if another one leads", "up"),
    Command("scheduler", "Serve", "run the scheduler alone", "scheduler"),
    Command("agent", "Serve", "run the agent alone, which performs the tasks", "agent"),
    Command("api", "Serve", "answer over HTTP: how it fares, and what the state says", "api"),
    Command("trigger", "Work", "ask for one run of a dag", "trigger"),
    Command(
        "backfill",
        "Work",
        "run dates of the past; pause, resume, cancel that",
        "backfill",
        ("start", "ls", "show", "pause", "resume", "cancel"),
        "start",
    ),
    Command("rerun", "Work", "run a part of a run that is over again", "rerun"),
    Command("mark", "Work", "say how a task of a run ends", "mark"),
    Command("approve", "Work", "say yes to what a run asks", "approve"),
    Command("decline", "Work", "say no to what a run asks", "decline"),
    Command("cancel", "Work", "stop a run", "cancel"),
    Command(
        "dags",
        "Look",
        "list dags; see, pause and unpause their schedules",
        "dags",
        ("ls", "next", "pause", "unpause"),
        "ls",
    ),
    Command("runs", "Look", "list runs, newest first", "runs"),
    Command("gaps", "Look", "what is missing, failed or stale in a dag's past", "gaps"),
    Command("show", "Look", "one run: its tasks, attempts, errors, rejected rows", "show"),
    Command("logs", "Look", "what the tasks of a run wrote", "logs"),
    Command("why", "Look", "why a dag, run or task is where it is, and what moves it", "why"),
    Command("dlq", "Look", "rejected records: where they wait and why", "dlq", ("ls", "show"), "ls"),
    Command("tasks", "Keep in order", "switch tasks off and on", "tasks", ("ls", "off", "on"), "ls"),
    Command("pools", "Keep in order", "list pools and set how much they hold", "pools", ("ls", "set"), "ls"),
    Command("audit", "Keep in order", "who did what; whether that record is whole", "audit", ("ls", "verify"), "ls"),
    Command(
        "db",
        "Keep in order",
        "the state: back it up, restore it, prune it",
        "db",
        ("show", "backup", "verify", "restore", "drill", "reconcile", "prune"),
        "show",
    ),
    Command("doctor", "Keep in order", "check the installation and its state folder", "doctor"),
)

BY_NAME: Final = {command.name: command for command in COMMANDS}
