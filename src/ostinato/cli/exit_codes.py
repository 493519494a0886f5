"""What a command's exit code means: one table, for those who write scripts and for the reference."""

from typing import Final

EXIT_CODES: Final = {
    0: "All is well. For commands that wait for a run or backfill: it succeeded.",
    1: "A run that was waited for failed or was cancelled, or something else that was asked for did not work.",
    2: "The command line does not fit: an unknown command, option or value.",
    3: "A definition, the configuration or the installation is wrong: `check` found problems, the state cannot be used.",
    4: "What was named does not exist.",
    5: "Not allowed. (No command needs to sign in yet.)",
    6: "What was asked for contradicts the present state: the run is over, another scheduler works here.",
    7: "The state or the scheduler is not available now. Trying again later may help.",
    8: "The time to wait was over. The work goes on.",
    70: "Our mistake. A file with the details was written.",
    130: "Interrupted, by Ctrl-C or a request to terminate.",
}
