"""The `humpback` command: parsing and printing only."""
