from .words import declaration

app = declaration()


@app.command(epilog="ostinato demo")
def demo(x: int = 0) -> None:
    """See."""
