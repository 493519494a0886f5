"""``python -m ostinato`` and the ``ostinato`` command."""

from ostinato.cli.main import main

if __name__ == "__main__":
    main()
