"""`python -m humpback` is the `humpback` command."""

from humpback.cli.app import main

if __name__ == "__main__":
    main()
