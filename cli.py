"""The command line from a checkout, as `python cli.py`; installed, it is `reservoir` or `python -m reservoir`."""

from reservoir.commands.main import main

if __name__ == "__main__":
    main()
