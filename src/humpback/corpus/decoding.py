"""Bytes into text: UTF-8 where it is, else what the file states or looks like; never with characters
guessed."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes) -> str:
    """Plain text or Markdown: by its byte order mark, else UTF-8, else Windows-1252.

    Raises:
        ValueError: the bytes are none of these, or hold NUL and so are no text.
    """
    marked = _marked(data)
    return _first(data, [marked] if marked else ["utf-8", "cp1252"])


def decode_html(data: bytes) -> str:
    """A page: by its byte order mark, else UTF-8 whatever it states, else as it states, else as it looks.

    Raises:
        ValueError: as for `decode_text`.
    """
    from resiliparse.parse.encoding import detect_encoding

    marked = _marked(data)
    if marked:
        return _first(data, [marked])
    stated = detect_encoding(data, from_html_meta=True)
    return _first(data, ["utf-8", stated, detect_encoding(data), "cp1252"])


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def _first(data: bytes, encodings: list[str | None]) -> str:
    """The text in the first encoding that every byte fits."""
    tried = list(dict.fromkeys(encoding for encoding in encodings if encoding))
    for encoding in tried:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" in text:
            raise ValueError(f"holds a NUL character ({text.index(chr(0)) + 1}th), so it is no text")
        return text
    raise ValueError(f"in none of the encodings {', '.join(tried)}")
