"""The list of sexual and abusive words, built in or the user's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from humpback.corpus.words import words
from humpback.errors import InputError

BUILTIN_FILE = "data/blocked_words.txt"


def blocked_words(
    text: Sequence[str], path: Path | None = None, vocabulary: Collection[str] | None = None
) -> list[str]:
    """The words and phrases of the list that occur in `text`, once for each time.

    Args:
        text: casefolded words.
        path: a list, one word or phrase a line; None takes the built-in English one.
        vocabulary: the different words of `text`, where they are known.

    Raises:
        InputError: the list cannot be read.
    """
    firsts = _phrases(path)
    if firsts.keys().isdisjoint(text if vocabulary is None else vocabulary):
        return []
    found = []
    for index, word in enumerate(text):
        for phrase in firsts.get(word, ()):
            if tuple(text[index : index + len(phrase)]) == phrase:
                found.append(" ".join(phrase))
                break
    return found


@cache
def _phrases(path: Path | None) -> dict[str, list[tuple[str, ...]]]:
    """The list's phrases by their first word."""
    try:
        text = (
            resources.files("humpback").joinpath(BUILTIN_FILE).read_text(encoding="utf-8")
            if path is None
            else path.read_text(encoding="utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"ingest.quality.blocked_words: {path} cannot be read ({error})") from error
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in text.splitlines():
        phrase = tuple(words(line.split("#")[0].casefold()))
        if phrase:
            found.setdefault(phrase[0], []).append(phrase)
    return found
