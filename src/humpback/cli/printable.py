"""Text from documents, models and servers, made harmless for a terminal."""

from __future__ import annotations

import logging
import unicodedata


def printable(text: str) -> str:
    """`text` with control characters (escape sequences, bidirectional overrides) shown as their code points."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf")
        else f"<{ord(character):x}>"
        for character in text
    )


class PrintableFormatter(logging.Formatter):
    """Log lines that are `printable`: they name files, rows and what servers say."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback where it has one."""
        return printable(super().format(record))
