"""A blind comparison of two models by people, as in the paper's figure 6."""

from humpback.review.arena.pairs import Arena, read_arena
from humpback.review.arena.results import arena_results

__all__ = ["Arena", "arena_results", "read_arena"]
