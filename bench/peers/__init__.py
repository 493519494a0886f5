"""Other orchestrators, if a contributor has them: each script runs so many tasks that do nothing, on so many workers.

A script is run by the Python that its orchestrator is installed in, with the orchestrator's own defaults for where state is
kept; it prints the seconds from asking for the work until all of it has succeeded. The orchestrator has started before.
"""
