"""Front matter: the block of settings between two `---` lines at the head of a Markdown file."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

MAX_CHARS = 20_000
"""Longest front matter that is looked for (ours: real ones have hundreds of characters; a text that merely
opens with a rule should not be searched to its end)."""

_BLOCK = re.compile(
    r"\ufeff?(?:[ \t]*\r?\n)*---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
_KEY = re.compile(r"\s*(?:#[^\n]*\n\s*)*[\w.-]+[ \t]*:")
_BARE = r"^{}[ \t]*:[ \t]*(.+?)[ \t]*\r?$"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Where the text proper starts (a character offset, 0 without front matter), and what the block
    states."""

    end: int
    title: str | None = None
    licence: str | None = None


def front_matter_end(text: str) -> int:
    """Where the text proper starts, as a character offset: 0 without front matter."""
    match = _match(text)
    return match.end() if match else 0


def read_front_matter(text: str) -> FrontMatter:
    """The front matter of `text`; where its YAML is broken, title and licence are read from their lines."""
    match = _match(text)
    if match is None:
        return FrontMatter(0)
    values = _settings(match.group(1))
    licence = _stated(values, "license") or _stated(values, "licence")
    return FrontMatter(match.end(), _stated(values, "title"), licence)


def _match(text: str) -> re.Match[str] | None:
    match = _BLOCK.match(text[:MAX_CHARS])
    if match is None or (match.group(1).strip() and not _KEY.match(match.group(1))):
        return None  # nothing, or prose between two rules
    return match


def _stated(values: dict[str, object], key: str) -> str | None:
    value = values.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return (" ".join(html.unescape(value).split()) or None) if isinstance(value, str) else None


def _settings(block: str) -> dict[str, object]:
    import yaml

    try:
        values = yaml.load(block, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):
        return {key: _bare(block, key) for key in ("title", "license", "licence")}
    return {str(key).lower(): value for key, value in values.items()} if isinstance(values, dict) else {}


def _bare(block: str, key: str) -> str | None:
    match = re.search(_BARE.format(key), block, re.MULTILINE | re.IGNORECASE)
    return match.group(1).strip("\"'") if match else None
