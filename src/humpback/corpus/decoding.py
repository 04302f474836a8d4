"""Bytes into text: what is stated about the encoding is believed only as far as the bytes bear it out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

META_BYTES = 4096
"""Bytes in which a page's own statement is looked for (HTML asks for it within 1,024; ours: real ones come later)."""

DETECTED_BYTES = 1 << 18
"""Bytes from which the encoding is guessed (ours: more change nothing)."""

FEW_HIGH_BYTES = 6
"""Fewer bytes beyond ASCII than this are too little evidence against what is stated (ours)."""

FEW_KINDS = 3
"""So few different bytes beyond ASCII, quotation marks or one currency sign, tell nothing of Europe's encodings; it
is Windows-1252, the most common of them, then (ours)."""

LEAST_SHARE = 0.9
"""Of the best guess's confidence, what the stated encoding must have to be believed (ours: related encodings share
most of their letters and so score alike, unrelated ones score nothing)."""

GOOD_PER_BROKEN = 5
"""Sequences of UTF-8 per broken one from which a text is UTF-8 with faults (ours: other encodings' letters hardly
ever form one)."""

_STATED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.IGNORECASE)
_STATED_XML = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:+-]{2,40})", re.IGNORECASE)
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = bytes(range(128))
_EUROPEAN_NAMES = (
    "windows-1250 windows-1252 windows-1254 windows-1257 windows-1258 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-10 "
    "iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16 macintosh"
)
_EUROPEAN = frozenset(_EUROPEAN_NAMES.split())


@dataclass(frozen=True, slots=True)
class _Guess:
    codec: str
    name: str
    confidence: float


def decode_text(data: bytes, stated: str | None = None) -> str:
    """Plain text or Markdown: by its byte order mark, else UTF-8, else as `stated` or as it looks.

    Raises:
        ValueError: the bytes are no text in any of these, or hold NUL.
    """
    text = _decode(data, [stated])
    if "\0" in text:
        raise ValueError(f"holds a NUL character ({text.index(chr(0)) + 1}th), so it is no text")
    return text


def decode_html(data: bytes, stated: str | None = None) -> str:
    """A page: by its byte order mark, else UTF-8 whatever is stated, else as `stated` (by the HTTP header), as the
    page itself states, or as it looks, whichever its letters bear out; NUL characters are left out, as browsers do.

    Raises:
        ValueError: as for `decode_text`, but for NUL.
    """
    if data[:2] in {b"<\0", b"\0<"}:
        stated = "utf-16-le" if data[:1] == b"<" else "utf-16-be"
        return _first(data, [stated]).replace("\0", "")
    own = _STATED.search(data[:META_BYTES]) or _STATED_XML.match(data[:META_BYTES])
    return _decode(data, [stated, own.group(1).decode() if own else None]).replace("\0", "")


def _decode(data: bytes, stated: Sequence[str | None]) -> str:
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked:
        return _first(data, [marked])
    seven_bit = _seven_bit(data, stated)
    if seven_bit is not None:
        return seven_bit
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        text = _faulty_utf8(data, error.start)
    return text if text is not None else _legacy(data, [label for label in stated if label])


def _first(data: bytes, encodings: Sequence[str]) -> str:
    """The text in the first encoding that every byte fits."""
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    raise ValueError(f"in none of the encodings {', '.join(encodings)}")


def _seven_bit(data: bytes, stated: Sequence[str | None]) -> str | None:
    """Text in the encodings that hide in ASCII, which would pass for UTF-8; None where it is in neither."""
    try:
        if b"\x1b$" in data[:DETECTED_BYTES] and data.isascii():
            return data.decode("iso-2022-jp-ext")
        if any(label and label.lower().startswith("hz") for label in stated) and b"~{" in data:
            return data.decode("hz")
    except UnicodeDecodeError:
        pass
    return None


def _faulty_utf8(data: bytes, first: int) -> str | None:
    """UTF-8 with U+FFFD for its faults, if it is UTF-8 but for a few, or but for a character cut off at the end."""
    good = len(_SEQUENCE.findall(data))
    text = data.decode("utf-8", "replace")
    faults = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    cut_off = first >= len(data) - 3 and good
    return text if cut_off or good >= GOOD_PER_BROKEN * faults else None


def _legacy(data: bytes, stated: Sequence[str]) -> str:
    """Text in an encoding older than Unicode."""
    guesses = _guesses(data)
    high = data.translate(None, _HIGH)
    fitting = [label for label in stated if _fits(data, label)]
    best = guesses[0] if guesses else None
    if fitting and (best is None or len(high) < FEW_HIGH_BYTES):
        return data.decode(f"whatwg-{fitting[0]}")
    scores = {guess.name: guess.confidence for guess in guesses}
    for label in sorted(fitting, key=lambda one: -scores.get(_canonical(one), 0)):
        if best is not None and scores.get(_canonical(label), 0) >= LEAST_SHARE * best.confidence:
            return data.decode(f"whatwg-{label}")
    tried = ["cp1252"]
    if best is not None and not (best.name in _EUROPEAN and len(set(high)) <= FEW_KINDS):
        tried.insert(0, best.codec)
    for codec in tried:
        if codec == "cp1252" or _fits(data, codec.removeprefix("whatwg-")):
            try:
                return data.decode(codec)
            except UnicodeDecodeError:
                continue
    raise ValueError("in none of the encodings that it may be in")


def _fits(data: bytes, label: str) -> bool:
    """Whether every byte stands for a character in the encoding that the Web calls `label`."""
    import turbohtml.detect  # noqa: F401 - registers the codecs

    if label.lower() == "replacement":
        return False
    try:
        text = data.decode(f"whatwg-{label}")
    except (LookupError, UnicodeError, ValueError):
        return False
    return "\ufffd" not in text


def _canonical(label: str) -> str:
    """The name that stands for `label`, one of its aliases, in lower case."""
    from turbohtml.detect import detect

    return (detect(f'<meta charset="{label}">'.encode()).encoding or "").lower()


def _guesses(data: bytes) -> list[_Guess]:
    """The encodings that the text looks like by its letters' frequencies, the best first."""
    from turbohtml.detect import detect_all

    # What the page states about itself would be taken at its word.
    masked = re.sub(rb"(?i)charset|encoding", b"unstated", data[:DETECTED_BYTES])
    found = [match for match in detect_all(masked) if match.encoding and match.codec]
    return [_Guess(match.codec or "", (match.encoding or "").lower(), match.confidence) for match in found]
