"""The whole control plane in one thread, under a seed: virtual time, simulated executors, every fault there is.

What is real: the scheduler with its board and agenda, the store (SQLite, in memory), the preparation of attempts, and
the agent's ledger. What is simulated: the clock, the connections, the processes that perform attempts, the files that
sensors wait for, the people, and the end of anything at any moment. After every commit all that DESIGN promises is
checked against what was written.

    python -m tests.simulation --seeds 2000          seeds 0 to 1999 on all processors
    python -m tests.simulation --start 1234 --seeds 1        one seed; if it fails, it is made as simple as it gets
"""
