"""E-mail addresses of persons, plain ones and those hidden from robots, as in "name [at] host [dot] com"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from humpback.corpus.personal.found import Found
from humpback.corpus.personal.mailboxes import is_announced_as_office, is_personal

LOCAL_CHARS = 64
"""Longest name before the @ (RFC 5321, section 4.5.3.1.1)."""

_PROSE_BEFORE = """
    a aim all also and are arrive arrived be been begin begins being but clearly closer end ends for found he her here
    him home i is it its just live lived look looked looking looks not now of one only or out point she sold start
    stay that their them there they this time up us was we were work worked working works you
"""
_NO_NAMES = frozenset(_PROSE_BEFORE.split())
"""Words before "at" in prose that name nobody (ours)."""

_NO_HOSTS = frozenset({"a", "an", "another", "any", "her", "his", "its", "my", "our", "some", "that", "the", "their"})
"""Words after "at" in prose that name no host (ours)."""

_LOCAL_REVERSED = re.compile(rf"[\w.+%'’&-]{{1,{LOCAL_CHARS}}}")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.){{1,8}}[^\W\d_]{{2,24}}(?![\w@]|-\w)")
_SIGN = re.compile(r"[@＠]")
_HIDDEN_SIGN = re.compile(r"[@＠]|\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\sat\s", re.IGNORECASE)
_HIDDEN_DOT = r"(?:\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\sdot\s)"
# Few top-level domains where the dot is spelt out, since any word may follow "dot" by chance.
_HIDDEN_DOMAIN = re.compile(
    rf"(?:{_LABEL}(?:\.|{_HIDDEN_DOT})){{0,6}}{_LABEL}{_HIDDEN_DOT}"
    r"(?:com|org|net|edu|gov|mil|info|io|co|ac|uk|us|ca|au|de|fr|es|it|nl|eu|ch|se|jp)\b",
    re.IGNORECASE,
)
_ANY_DOT = re.compile(_HIDDEN_DOT, re.IGNORECASE)
_NAME_DOTS = re.compile(rf"(?:[\w+-]{{1,{LOCAL_CHARS}}}{_HIDDEN_DOT}){{1,3}}\Z", re.IGNORECASE)
_AT_HINT = re.compile(r"[\[({<]\s?(?:[Aa][Tt]|@)\s?[\])}>]")
_DOT_HINT = re.compile(r"[\[({<]\s?(?:[Dd][Oo][Tt]|\.)\s?[\])}>]")
# How much before an address may say whose it is: some ten words, and a Markdown link's opening.
_BEFORE_CHARS = 80


def emails(text: str) -> Iterator[Found]:
    """The addresses in `text` that may be a person's."""
    has_sign = "@" in text or "＠" in text
    hidden = " dot " in text or " DOT " in text or _AT_HINT.search(text) is not None
    if not hidden and not has_sign:
        return
    hidden = hidden or _DOT_HINT.search(text) is not None
    persons: list[tuple[str, Found]] = []
    offices: set[str] = set()
    end = 0
    for sign in (_HIDDEN_SIGN if hidden else _SIGN).finditer(text):
        found = _address(text, sign, hidden)
        if found is None or found.start < end:
            continue
        end = found.end
        address = text[found.start : end].lower()
        persons.append((address, found))
        if is_announced_as_office(address.partition("@")[0], text[max(0, found.start - _BEFORE_CHARS) : found.start]):
            offices.add(address)
    # A link names its address twice, and only before the first stands whose it is.
    yield from (found for address, found in persons if address not in offices)


def _address(text: str, sign: re.Match[str], hidden: bool) -> Found | None:
    """The address around one "at" sign, where the name before and the host after make one of a person."""
    spoken = sign[0].strip().lower() == "at"
    if spoken and not hidden:
        return None
    local = _LOCAL_REVERSED.match(text[max(0, sign.start() - LOCAL_CHARS) : sign.start()][::-1])
    name = local[0][::-1].lstrip(".-'’%&+_") if local is not None else ""
    domain = None if spoken else _DOMAIN.match(text, sign.end())
    if domain is None and hidden:
        domain = _HIDDEN_DOMAIN.match(text, sign.end())
    if name[:2] == "20" and text[sign.start() - len(name) - 1 : sign.start() - len(name)] == "%":
        name = name[2:]  # a space at the beginning of a "mailto:" link
    start = sign.start() - len(name)
    if domain is None or not name or _is_handle(text, start):
        return None
    host = _ANY_DOT.sub(".", domain[0]).lower()
    if spoken and (name.lower() in _NO_NAMES or host.split(".")[0] in _NO_HOSTS):
        return None
    if not is_personal(name.lower(), host):
        return None
    dots = _NAME_DOTS.search(text, max(0, start - LOCAL_CHARS), start) if hidden else None
    return Found("email", dots.start() if dots is not None else start, domain.end())


def _is_handle(text: str, start: int) -> bool:
    """Whether what begins at `start` is a part of a URL, or a name on a federated network, as in `@name@host`."""
    if not start or text[start - 1] not in "@:/":
        return False
    return text[start - 1] == "@" or "//" in text[max(0, start - LOCAL_CHARS) : start].split()[-1]
