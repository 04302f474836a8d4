"""A guessed instruction beside the text that it was guessed for, taken apart once for all rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from humpback.corpus.language import identify
from humpback.corpus.words import is_narrow, is_unspaced, words
from humpback.records import DropReason

Verdict = tuple[DropReason, str] | None

UNSPACED_FACTOR = 2
"""Characters that a word stands for in languages without spaces (a word of Chinese has about two)."""

SURE_LANGUAGE_CHARS = 40
"""Below, the language of a text is not sure enough to speak against it (ours: at 40 letters some .95 are right)."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_SENTENCE_END = re.compile(
    r"(?<=[.!?؟])(?<!^\d\.)(?<!^\d\d\.)[\"'”’»)\]*]*\s+|(?<=[。！？])[”’」』）]*\s*|\n+", re.MULTILINE
)
"""A number at the beginning of a line belongs to what follows it."""


@dataclass(frozen=True)
class Guess:
    """An instruction, stripped, and the text that it shall be the instruction of; `headers` stand above that text."""

    instruction: str
    output: str
    headers: Sequence[str] = field(default=())

    @cached_property
    def words(self) -> list[str]:
        """The instruction's casefolded words; in languages without spaces each character is one."""
        return words(self.instruction.casefold())

    @cached_property
    def output_words(self) -> list[str]:
        """The same of the output."""
        return words(self.output.casefold())

    @cached_property
    def plain(self) -> str:
        """The instruction without code."""
        return _CODE.sub(" ` ", self.instruction).replace("’", "'").strip()

    @cached_property
    def code(self) -> str:
        """What `plain` leaves out."""
        return " ".join(_CODE.findall(self.instruction))

    @cached_property
    def plain_words(self) -> list[str]:
        """The casefolded words of `plain`."""
        return words(self.plain.casefold())

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences and lines of `plain`, those with a letter or digit."""
        parts = (part.strip() for part in _SENTENCE_END.split(self.plain))
        return [part for part in parts if any(map(str.isalnum, part))]

    @cached_property
    def unspaced(self) -> bool:
        """Whether the instruction's language sets no spaces between words."""
        return not is_narrow(self.instruction) and is_unspaced(self.instruction)

    @cached_property
    def language(self) -> str:
        """The instruction's language as an ISO 639 code; '' where it is too short to be sure."""
        letters = sum(map(str.isalpha, self.plain))
        return identify(self.plain) if letters >= SURE_LANGUAGE_CHARS / (3 if self.unspaced else 1) else ""

    @cached_property
    def may_be_english(self) -> bool:
        """English, or too short to be sure and in ASCII: only of English is it known how requests begin."""
        return self.language == "en" or (not self.language and self.plain.isascii())

    def scaled(self, count: int) -> int:
        """A number of words as words of this instruction's language count."""
        return count * UNSPACED_FACTOR if self.unspaced else count
