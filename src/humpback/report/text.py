"""Texts and figures as the page shows them; what comes from a corpus is made harmless to look at first."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"  # between a number and its unit
LITTLE_MORE = 1.2  # ours: a button for the last fifth is more trouble than the fifth
MAX_LINK_CHARS = 2_000  # ours: longer addresses stand as plain text, cut like any other

# What can move, hide or fake the text around it: controls (C0, C1), line separators, direction marks and overrides,
# the byte order mark, tag characters, and lone surrogates, which no UTF-8 file can hold.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A text in two pieces: what is shown at once and what on demand; `left_out` characters are in neither."""

    shown: str
    more: str
    left_out: int


def visible(text: str) -> str:
    """The text with every control and direction character written out, e.g. `⟨U+202E⟩`."""
    return _HARMFUL.sub(_written_out, text.replace("\r\n", "\n"))


def cut(text: str, shown: int, most: int) -> Cut:
    """About the first `shown` characters of a text, those up to `most`, and how many are left out.

    The first piece ends between words where it can, and is the whole text where little would be left.
    """
    clean = visible(text[:most])
    left_out = max(0, len(text) - most) + max(0, len(clean) - most)
    if len(clean) <= shown * LITTLE_MORE and not left_out:
        return Cut(clean, "", 0)
    end = max(clean.rfind(" ", 0, shown), clean.rfind("\n", 0, shown))
    if end < shown * 0.9:
        end = min(shown, len(clean))
    return Cut(clean[:end], clean[end:most], left_out)


def short(text: str, most: int) -> str:
    """One line of at most `most` characters."""
    clean = " ".join(visible(text[: 4 * most]).split())
    return clean if len(clean) <= most and len(text) <= 4 * most else clean[: most - 1] + "…"


def link(uri: str) -> str | None:
    """The address when it may become a link: http or https with a host, nothing unusual in it; else None."""
    if len(uri) > MAX_LINK_CHARS or any(character.isspace() for character in uri) or _HARMFUL.search(uri):
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return uri if parts.scheme in ("http", "https") and parts.netloc else None


def number(value: float | None, digits: int = 0) -> str:
    """`12,345`, or with decimals; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.lstrip("-")


def signed(value: float | None, digits: int = 4) -> str:
    """As `number`, with its sign."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and float(text.replace(",", "")) else text


def compact(value: float | None) -> str:
    """`950`, `12.3 k`, `4.6 M`, `1.2 G`."""
    if value is None or not math.isfinite(value):
        return "–"
    for limit, scale, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / scale:.3g}{SPACE}{unit}"
    return number(value)


def duration(seconds: float | None) -> str:
    """`0.42 s`, `12.3 s`, `4 min 5 s`, `2 h 3 min`."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{seconds:.{2 if seconds < 1 else 1}f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {rest}{SPACE}s"
    return f"{minutes // 60}{SPACE}h {minutes % 60}{SPACE}min"


def share(part: float, whole: float) -> str:
    """A percentage; a dash of nothing."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return f"<0.1{SPACE}%"
    digits = 0 if percent >= 10 or percent == 0 else 1
    return f"{percent:.{digits}f}{SPACE}%"


def scientific(value: float | None) -> str:
    """A learning rate: `5e-5`, `4.5e-5`."""
    if value is None:
        return "–"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}".replace("-", MINUS)


def _written_out(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match.group()):04X}⟩"
