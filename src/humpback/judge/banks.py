"""The texts that are planted: banks of entries with slots, read from `material/`.

A bank is a file of entries with a line of `%` between them; a slot is a name in braces, and `slots.txt` lists what may
stand in it. The texts are our own.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from random import Random
from typing import Literal, TypeVar

Portion = Literal["all", "first", "second"]
"""Which half of each bank is used: what is fitted on one half can be tested on the other."""

T = TypeVar("T")

_SLOT = re.compile(r"\{(\w+)\}")


class Material:
    """One portion of all banks."""

    def __init__(self, portion: Portion = "all") -> None:
        self._portion = portion
        self._slots = {name: _part(values, portion) for name, values in _slots().items()}

    def entries(self, bank: str) -> list[str]:
        """The portion's entries of a bank, with their slots open."""
        return _part(_entries(bank), self._portion)

    def slot(self, name: str) -> list[str]:
        """What may stand in a slot."""
        return self._slots[name]

    def pick(self, bank: str, rng: Random, **given: str) -> str:
        """An entry by lot, filled."""
        return self.fill(rng.choice(self.entries(bank)), rng, **given)

    def sample(self, bank: str, count: int, rng: Random, **given: str) -> list[str]:
        """So many different entries by lot, filled; all of them where the bank has fewer."""
        entries = self.entries(bank)
        return [self.fill(entry, rng, **given) for entry in rng.sample(entries, min(count, len(entries)))]

    def fill(self, entry: str, rng: Random, **given: str) -> str:
        """The entry with its slots filled by lot, and by `given`; a slot that stands twice gets the same twice."""
        chosen: dict[str, str] = {}

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in given:
                return given[name]
            if name not in chosen:
                chosen[name] = _SLOT.sub(value, rng.choice(self._slots[name]))
            return chosen[name]

        return _SLOT.sub(value, entry)


def _part(values: list[T], portion: Portion) -> list[T]:
    middle = (len(values) + 1) // 2
    return {"all": values, "first": values[:middle], "second": values[middle:]}[portion]


@cache
def _entries(bank: str) -> list[str]:
    return [entry.strip("\n") for entry in _read(bank).split("\n%\n")]


@cache
def _slots() -> dict[str, list[str]]:
    found = {}
    for line in _read("slots").splitlines():
        name, _, values = line.partition(": ")
        found[name] = values.split(" | ")
    return found


def _read(name: str) -> str:
    folder = resources.files("humpback.judge") / "material"
    return (folder / f"{name}.txt").read_text(encoding="utf-8").strip("\n")
