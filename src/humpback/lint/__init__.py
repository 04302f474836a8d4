"""The linter: which generated instructions are thrown out on sight, before anything is rated."""

from humpback.lint.linter import Linter
from humpback.lint.same import surplus

__all__ = ["Linter", "surplus"]
