"""The command line as `python -m reservoir`."""

from reservoir.commands.main import main

if __name__ == "__main__":
    main()
