"""What a segment must be to stay: one small function a filter, which answers None or why the segment goes.

The list is the paper's (section 2.1 and appendix E), and `code`, which is ours: what the paper cut from the
text of web pages had no code blocks, tables and link addresses left in it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from humpback.config import IngestConfig
from humpback.corpus.prose import Prose
from humpback.corpus.repetition import REPEAT, chars, ngrams
from humpback.records import DropReason

Verdict = tuple[DropReason, str] | None

ACRONYM_LETTERS = 5
"""A header with so few letters may be all upper case (ours: "FAQ", "API", "HTTPS" are good headers)."""

MIN_SENTENCE_WORDS = 8
"""Shorter sentences may repeat (ours: "All of these must be true." and "Monday to Friday, 8 a.m." do in good texts)."""

MIN_SENTENCE_CHARACTERS = 16
"""The same where characters count as words (ours: a word of Chinese has about two)."""

REPEATED_SHARE = 0.2
"""Share of a segment's characters that may be in repeated sentences (Gopher's for repeated lines; a manual says "If the
function fails, the return value is zero." under each function, and is no worse for it)."""

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

_WORD = re.compile(r"\w+")
_VERSION = re.compile(
    r"(?:version |release )?\[?v?\d+(?:\.\d+)+[\w.+-]*\]?(?:\W{1,5}(?:[\d./-]{4,10}|unreleased)\W?)?", re.I
)
"""A header that is a version, with or without its date: an entry of a change log."""

_INLINE_CODE = re.compile(r"(?<!`)(`{1,9})(?!`)[^\n]{0,1000}?(?<!`)\1(?!`)")
_TEMPLATE = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}|\{: ?[.#][^}\n]{0,200}\}", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>()\[\]]{1,2000}")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,500}\]:[ \t]*\S.*$", re.MULTILINE)
"""The definition of a link, as `[name]: address`."""


def too_short(length: int, config: IngestConfig) -> Verdict:
    """Too short; `length` is in weighted characters (paper, appendix E)."""
    if length >= config.min_chars:
        return None
    return DropReason.TOO_SHORT, f"{length} characters, below {config.min_chars}"


def too_long(length: int, config: IngestConfig) -> Verdict:
    """Too long; `length` is in weighted characters (paper, appendix E)."""
    if length <= config.max_chars:
        return None
    return DropReason.TOO_LONG, f"{length} characters, above {config.max_chars}"


def language(code: str, config: IngestConfig) -> Verdict:
    """Not in one of the wanted languages; `code` is an ISO 639 code, empty where none was recognised."""
    if config.languages is None or code in config.languages:
        return None
    return DropReason.OTHER_LANGUAGE, f"the language is {code!r}" if code else "the language is not recognised"


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
    upper = sum(map(str.isupper, own))
    if upper <= config.max_upper_case * ACRONYM_LETTERS:
        return None
    letters = [character for character in own if character.isalpha()]
    if len(letters) <= ACRONYM_LETTERS or upper <= config.max_upper_case * len(letters):
        return None
    lengthy = [word for word in _WORD.findall(own) if sum(map(str.isalpha, word)) > 1]
    if sum(word.isupper() for word in lengthy) * 2 <= len(lengthy):
        return None
    return DropReason.HEADER_UPPER_CASE, f"{upper} of {len(letters)} letters of {own[:80]!r} are upper case"


def navigation_header(headers: Sequence[str]) -> Verdict:
    """A header of the path is, as a whole, one that announces no content; what stands under it goes with
    it."""
    for one in headers:
        plain = " ".join(_WORD.findall(one.casefold().replace("'", "").replace("’", "")))
        if plain.replace(" and ", " ") in NAVIGATION or plain in NAVIGATION or _VERSION.fullmatch(one.strip()):
            return DropReason.HEADER_NAVIGATION, f"the header {one[:80]!r} announces no content"
    return None


def repeated_sentences(prose: Prose, config: IngestConfig) -> Verdict:
    """More than `REPEATED_SHARE` of the words' characters are in sentences that repeat others (paper, appendix E).

    Two sentences repeat one another when they share more than `max_sentence_overlap` of their word 3-grams
    (Jaccard); the longer one counts.
    """
    most = REPEATED_SHARE * prose.words.chars
    shortest = MIN_SENTENCE_CHARACTERS if prose.unspaced else MIN_SENTENCE_WORDS
    overlap = config.max_sentence_overlap
    # Of the n - 2 3-grams of a sentence that repeats another, more than `overlap` came before, in it or in that other,
    # which repeats none itself; so with n of at least `shortest`, those sentences have no more words together than:
    if overlap and prose.words.longest(prose.words.again * shortest / (overlap * (shortest - 2))) <= most:
        return None
    sentences = [(words, frozenset(ngrams(words, REPEAT))) for words in prose.sentences if len(words) >= shortest]
    sentences = [
        (words, grams) for words, grams in sentences if len(grams & prose.words.repeated) > overlap * len(grams)
    ]
    if sum(chars(words) for words, _ in sentences) <= most:
        return None
    repeats = _repeats(sentences, overlap)
    repeated = sum(map(chars, repeats))
    if repeated <= most:
        return None
    share = repeated / prose.words.chars
    return DropReason.REPEATED_SENTENCES, f"{share:.2f} of the characters repeat, as {' '.join(repeats[0])[:80]!r}"


Grams = frozenset[tuple[str, ...]]


def _repeats(sentences: Sequence[tuple[Sequence[str], Grams]], share: float) -> list[Sequence[str]]:
    """The sentences that share more than `share` of their 3-grams with another, which is not longer and none of them.

    Only such as meet among their rarest 3-grams are compared: where |A & B| / |A | B| > t and |A| <= |B|, they share
    more than 2t / (1 + t) |A| and more than t |B| members, so that, all in one order, the first ones of A and of B
    left over by these numbers have one in common (prefix filter; Xiao et al., WWW 2008). Sentences that share
    only common phrases are never compared, which keeps the time far from quadratic.

    Args:
        sentences: words and 3-grams of each, those alone of which more than that share stands elsewhere too.
        share: the Jaccard similarity beyond which one repeats the other.
    """
    pairs = sorted(sentences, key=lambda pair: len(pair[1]))
    counts = Counter(gram for _, grams in pairs for gram in grams)
    index: dict[tuple[str, ...], list[int]] = {}
    found = []
    for number, (words, grams) in enumerate(pairs):
        rare = sorted(grams, key=lambda gram: (counts[gram], gram))
        met = rare[: len(grams) - math.floor(share * len(grams))]
        others = (pairs[other][1] for other in {other for gram in met for other in index.get(gram, ())})
        if any(len(grams & other) > share * len(grams | other) for other in others):
            found.append(words)
            continue  # else a thousand equal ones would be compared with one another
        for gram in rare[: len(grams) - math.floor(2 * share / (1 + share) * len(grams))]:
            index.setdefault(gram, []).append(number)
    return found


def code(text: str, markup: int, prose: str, config: IngestConfig) -> Verdict:
    """More than `max_code` of `text` is code, table, HTML, image or address.

    Args:
        text: the segment.
        markup: how many of its characters stand in code blocks, tables and raw HTML, or are markup of links
            and images.
        prose: its other text; addresses in it count too.
        config: `max_code` is the share allowed.
    """
    heavy = markup
    if "://" in prose:
        heavy += sum(len(match.group()) for match in _ADDRESS.finditer(prose))
    if "]:" in text:
        heavy += sum(len(match.group()) for match in _DEFINITION.finditer(text))
    if heavy <= config.max_code * len(text):
        return None
    return DropReason.MOSTLY_CODE, f"{heavy} of {len(text)} characters are code, tables, HTML or addresses"


def template_tags(source: str) -> Verdict:
    """A site's template tags are left in the source of the prose, outside code."""
    tag = _TEMPLATE.search(_INLINE_CODE.sub(lambda match: "x" * len(match.group()), source))
    if tag is None:
        return None
    return DropReason.MOSTLY_CODE, f"holds the template tag {tag.group()[:80]!r}, whose text is not there"
