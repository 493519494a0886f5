"""Who acts, and from where: what the audit says of it."""

import getpass
import os
import socket


def asker() -> str:
    """Who asks: the user of this process, by name or number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def seat(program: str) -> str:
    """From where: a program on a machine."""
    return f"{program} on {socket.gethostname()}"
