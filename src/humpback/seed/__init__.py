"""Readers of seed pairs in the forms that are in use."""

from humpback.seed.read import SeedRows, read_seed, seed_digest

__all__ = ["SeedRows", "read_seed", "seed_digest"]
