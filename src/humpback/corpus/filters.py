"""What a segment must be to stay: one small function a filter, which answers None or why the segment goes.

The list is the paper's (section 2.1 and appendix E), and `code`, which is ours: what the paper cut from the
text of web pages had no code blocks, tables and link addresses left in it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence

from humpback.config import IngestConfig
from humpback.records import DropReason

Verdict = tuple[DropReason, str] | None

ACRONYM_LETTERS = 5
"""A header with so few letters may be all upper case (ours: "FAQ", "API", "HTTPS" are good headers)."""

MIN_SENTENCE_WORDS = 5
"""Shorter sentences may repeat (ours: "See below." says nothing about a text)."""

_NAVIGATION_WORDS = """
about the author|about this page|about us|acknowledgements|acknowledgments|ad|ads|advertisement|
advertisements|advertising|all rights reserved|also read|archive|archives|author|authors|back to top|
backers|badges|become a member|bibliography|blogroll|breadcrumb|breadcrumbs|browse|by the same author|
categories|category|change log|changelog|changes|citation|cite|citing|code of conduct|comment|comments|
connect with us|contact|contact information|contact us|contents|contributing|contributor|contributors|
cookie policy|cookies|cookies policy|copyright|credits|disclaimer|discuss|discussions|donate|donations|
downloads|external links|feed|follow|follow us|footer|footnotes|forum|forums|free newsletter|
further reading|get in touch|home|home page|homepage|join the conversation|join us|jump to|latest news|
latest posts|leave a comment|leave a reply|legal|legal notice|licence|license|licenses|licensing|
like this|link|links|log in|log out|login|main menu|main navigation|maintainer|maintainers|menu|meta|
more articles|more from the web|more like this|more resources|more stories|most popular|most read|
navigation|navigation menu|news archive|newsletter|newsletter signup|newsletters|next|next article|
next post|on this page|our sponsors|page contents|page navigation|pages|partners|popular|
popular articles|popular posts|post a comment|post navigation|previous|previous post|privacy policy|
quick link|quick links|quick navigation|read more|read next|reader interactions|recent articles|
recent comments|recent posts|recommended|recommended for you|references|related|related articles|
related content|related links|related pages|related posts|related projects|related resources|
related stories|release history|release notes|releases|replies|reply|see also|share|share on|share this|
share this article|share this page|share this post|sidebar|sign in|sign up|signup|site map|site menu|
site navigation|sitemap|skip to content|skip to main content|sponsor|sponsored|sponsored content|
sponsors|sponsors and backers|star history|stargazers|stay connected|stay informed|subscribe|
subscribe to our newsletter|support us|table of contents|tags|terms|terms and conditions|
terms of service|terms of use|thanks|toc|top|top stories|trackbacks|trademarks|trending|trending now|
version history|weekly newsletter|what others are reading|you may also like|you might also like
"""

NAVIGATION = frozenset(_NAVIGATION_WORDS.replace("\n", "").split("|"))
"""Whole headers that announce no content of their own. "Advertisement", "forum", "quick link" and "free
newsletter" are the paper's (appendix E); the others, of the same kind, are ours, read off web pages and
project READMEs."""

_SENTENCE_END = re.compile(r"(?<=[.!?。؟！？])[\"'”’)\]]*\s+|\n+")
_WORD = re.compile(r"\w+")
_VERSION = re.compile(
    r"(?:version |release )?\[?v?\d+(?:\.\d+)+[\w.+-]*\]?(?:\W{1,5}(?:[\d./-]{4,10}|unreleased)\W?)?", re.I
)
"""A header that is a version, with or without its date: an entry of a change log."""

_INLINE_CODE = re.compile(r"(`+)(?!`)[^\n]{0,2000}?(?<!`)\1(?!`)")
_TEMPLATE = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}|\{:[.#][^}\n]{0,200}\}", re.DOTALL)
_NO_PROSE = re.compile(
    r"!\[[^\]\n]{0,500}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])"  # image
    r"|(?<=\])\([^)\s]{0,2000}(?:\s+\"[^\"\n]{0,500}\")?\)"  # address of a link
    r"|^ {0,3}\[[^\]\n]{1,500}\]:\s*\S{1,2000}.{0,500}$"  # definition of a link
    r"|<[A-Za-z/!][^<>]{0,2000}>"  # HTML tag, or address in angle brackets
    r"|https?://[^\s<>()\[\]]{1,2000}",  # bare address
    re.MULTILINE,
)


def length(text: str, config: IngestConfig) -> Verdict:
    """Too short or too long, in characters (paper, appendix E)."""
    if len(text) < config.min_chars:
        return DropReason.TOO_SHORT, f"{len(text)} characters, below {config.min_chars}"
    if len(text) > config.max_chars:
        return DropReason.TOO_LONG, f"{len(text)} characters, above {config.max_chars}"
    return None


def header(headers: Sequence[str], config: IngestConfig) -> Verdict:
    """Own header empty or mostly upper case, or a header of the path navigation (paper, appendix E)."""
    own = headers[-1] if headers else ""
    return empty_header(own) or upper_case_header(own, config) or navigation_header(headers)


def empty_header(own: str) -> Verdict:
    """No letter or digit in the header."""
    if any(character.isalnum() for character in own):
        return None
    return DropReason.HEADER_EMPTY, "the header is empty" if not own else f"the header is {own[:80]!r}"


def upper_case_header(own: str, config: IngestConfig) -> Verdict:
    """More upper-case letters than `max_upper_case`, and most words all upper case.

    The second condition is ours: "The FEMA App" and "Can I get VMLI?" name something, they do not shout.
    """
    letters = [character for character in own if character.isalpha()]
    upper = sum(character.isupper() for character in letters)
    if len(letters) <= ACRONYM_LETTERS or upper <= config.max_upper_case * len(letters):
        return None
    words = [word for word in _WORD.findall(own) if sum(map(str.isalpha, word)) > 1]
    if sum(word.isupper() for word in words) * 2 <= len(words):
        return None
    return DropReason.HEADER_UPPER_CASE, f"{upper} of {len(letters)} letters of {own[:80]!r} are upper case"


def navigation_header(headers: Sequence[str]) -> Verdict:
    """A header of the path is, as a whole, one that announces no content; what stands under it goes with
    it."""
    for one in headers:
        words = " ".join(_WORD.findall(one.casefold().replace("'", "").replace("’", "")))
        if words.replace(" and ", " ") in NAVIGATION or words in NAVIGATION or _VERSION.fullmatch(one.strip()):
            return DropReason.HEADER_NAVIGATION, f"the header {one[:80]!r} announces no content"
    return None


def repeated_sentences(prose: str, config: IngestConfig) -> Verdict:
    """Two sentences share more than `max_sentence_overlap` of their word 3-grams (Jaccard; paper, appendix
    E).

    Only sentences that meet among their rarest 3-grams are compared: where |A & B| / |A | B| > t and |A| <=
    |B|, they share more than 2t / (1 + t) |A| and more than t |B| members, so that, all in one order, the
    first ones of A and of B left over by these numbers have one in common (prefix filter; Xiao et al., WWW
    2008). Sentences that share only common phrases are never compared, which keeps the time far from
    quadratic.
    """
    share = config.max_sentence_overlap
    sentences = [(one, _trigrams(one)) for one in _SENTENCE_END.split(_NO_PROSE.sub(" ", prose))]
    sentences = sorted((pair for pair in sentences if pair[1]), key=lambda pair: len(pair[1]))
    counts = Counter(gram for _, grams in sentences for gram in grams)
    index: dict[tuple[str, ...], list[int]] = {}
    for number, (one, grams) in enumerate(sentences):
        rare = sorted(grams, key=lambda gram: (counts[gram], gram))
        met = rare[: len(grams) - math.floor(share * len(grams))]
        for other in {other for gram in met for other in index.get(gram, ())}:
            shared = len(grams & sentences[other][1])
            if shared > share * len(grams | sentences[other][1]):
                return DropReason.REPEATED_SENTENCES, f"said twice: {' '.join(one.split())[:80]!r}"
        for gram in rare[: len(grams) - math.floor(2 * share / (1 + share) * len(grams))]:
            index.setdefault(gram, []).append(number)
    return None


def code(text: str, no_prose: int, prose: str, config: IngestConfig) -> Verdict:
    """More than `max_code` of `text` is code, table, HTML, image or address, or a site's template tags are
    left.

    Args:
        text: the segment.
        no_prose: how many of its characters stand in code blocks, tables and raw HTML.
        prose: its other lines.
        config: `max_code` is the share allowed.
    """
    bare = _INLINE_CODE.sub(lambda match: "x" * len(match.group()), prose)
    tag = _TEMPLATE.search(bare)
    if tag is not None:
        return DropReason.MOSTLY_CODE, f"holds the template tag {tag.group()[:80]!r}, whose text is not there"
    heavy = no_prose + sum(len(match.group()) for match in _NO_PROSE.finditer(bare))
    if heavy <= config.max_code * len(text):
        return None
    return DropReason.MOSTLY_CODE, f"{heavy} of {len(text)} characters are code, tables, HTML or addresses"


class Duplicates:
    """Remembers texts, by sixteen bytes each, and knows one again whatever its white space and case."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def seen(self, text: str) -> bool:
        """Whether `text` came before; from now on it has."""
        folded = " ".join(text.casefold().split())
        digest = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = digest in self._digests
        self._digests.add(digest)
        return known


def _trigrams(sentence: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(sentence.casefold())
    if len(words) < MIN_SENTENCE_WORDS:
        return frozenset()
    return frozenset(zip(words, words[1:], words[2:], strict=False))
