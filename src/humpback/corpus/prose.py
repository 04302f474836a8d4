"""A segment's prose, taken apart into sentences and words once for all filters."""

from __future__ import annotations

import re
from functools import cached_property

from humpback.corpus.repetition import Words
from humpback.corpus.words import is_narrow, is_unspaced, words

_NARROW_END = re.compile(r"[.!?؟][\"'”’)\]]*\s+")
_WIDE_END = re.compile(r"[.!?؟][\"'”’)\]]*\s+|[。！？][”’」』）]*\s*")


class Prose:
    """Text as it is read: paragraphs and list items, one a line, without headings, tables and code."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> Words:
        """All casefolded words; in languages without spaces each character is one."""
        return Words(words(self.text.casefold(), self._narrow))

    @cached_property
    def sentences(self) -> list[list[str]]:
        """The casefolded words of each sentence."""
        narrow = self._narrow
        end = _NARROW_END if narrow else _WIDE_END
        return [words(one, narrow) for line in self.text.casefold().split("\n") for one in end.split(line)]

    @cached_property
    def tokens(self) -> list[str]:
        """What stands between white space."""
        return self.text.split()

    @cached_property
    def unspaced(self) -> bool:
        """Whether the language sets no spaces between words."""
        return not self._narrow and is_unspaced(self.text)

    @cached_property
    def _narrow(self) -> bool:
        return is_narrow(self.text)
