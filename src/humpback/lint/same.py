"""Equal instructions over all candidates: a few of each kind stay."""

from __future__ import annotations

from collections.abc import Iterable

from humpback.corpus.words import words
from humpback.records import content_id


def normalised(instruction: str) -> str:
    """The instruction's casefolded words: what makes two of them the same."""
    return " ".join(words(instruction.casefold()))


def surplus(candidates: Iterable[tuple[str, str]], most: int) -> frozenset[str]:
    """The ids of the candidates that go, so that no instruction is left more than `most` times.

    Of equal ones those with the lowest ids stay, so that the order of the candidates has no say.

    Args:
        candidates: id and instruction of each.
        most: how many of equal ones may stay.
    """
    ids: dict[str, list[str]] = {}
    for row_id, instruction in candidates:
        ids.setdefault(content_id(normalised(instruction)), []).append(row_id)
    return frozenset(row_id for equal in ids.values() if len(equal) > most for row_id in sorted(equal)[most:])
