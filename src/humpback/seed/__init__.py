"""Readers of seed pairs in the forms that are in use."""

from humpback.seed.formats import Rejected, read_pair
from humpback.seed.read import SeedRows, read_seed, seed_digest

__all__ = ["Rejected", "SeedRows", "read_pair", "read_seed", "seed_digest"]
