"""What the names that a page gives to its parts (class, id) say about them."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise


class Part(IntEnum):
    """What an element is by its names alone; of several, the highest counts."""

    UNKNOWN = 0

    WEAK = 1
    """About the content (who, when, tags): goes unless it holds prose."""

    ASIDE = 2
    """Beside the content, or a box within it: goes unless it stands among paragraphs and holds prose."""

    BOILERPLATE = 3
    """Around the content: goes unless most of the page's prose stands in it."""

    COMMENTS = 4
    """Readers' replies: go unless nothing else holds text, however much prose stands in them."""

    HIDDEN = 5
    """Not shown."""


MAX_NAMES = 400
"""Names are looked at up to here (ours: a hundred utility classes say no more than twenty)."""


def words_in(text: str) -> frozenset[str]:
    """The words of a text, as a set to look names up in."""
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")

_VOCABULARY = {
    Part.BOILERPLATE: """
        nav navbar navbox navigation menu submenu megamenu dropdown breadcrumb breadcrumbs sidenav skiplink jumplinks
        pagination pager paging paginator footer foot masthead topbar toolbar search searchbox searchform
        share sharing sharer shares social socials addthis sharethis sharedaddy addtoany
        related recommended recommendation recommendations recirc recirculation trending popular teasers
        promo promos promotion promotional sponsor sponsored sponsors
        advert adverts advertisement advertising ad ads adv adbox adsense dfp banner outbrain taboola
        newsletter newsletters subscribe subscription signup signin login register paywall optin mailchimp
        cookie cookies consent gdpr cmp onetrust copyright disclaimer
        gallery slideshow slider carousel caption captions credit credits popup modal overlay lightbox tooltip toast""",
    Part.COMMENTS: "comment comments commentlist disqus livefyre respond replies discussion talkback",
    Part.ASIDE: "aside sidebar",
    Part.WEAK: """
        meta metadata byline author authors bio biography dateline date published timestamp tag tags tagged
        category categories topics keywords info tools utility action actions button buttons controls
        rating ratings vote votes counter stats label labels print email follow widget widgets
        headlines latest more next prev previous up toc teaser""",
}
"""Words of names that stand for something else than content (ours: the vocabulary that HTML, ARIA, microformats and
the common publishing systems use for it, not gathered from any one set of pages)."""

_WORDS = {word: part for part, words in _VOCABULARY.items() for word in words.split()}

_PAIRS = {
    ("side", "bar"): Part.ASIDE,
    ("right", "rail"): Part.BOILERPLATE,
    ("left", "rail"): Part.BOILERPLATE,
    ("read", "more"): Part.BOILERPLATE,
    ("read", "next"): Part.BOILERPLATE,
    ("more", "stories"): Part.BOILERPLATE,
    ("most", "read"): Part.BOILERPLATE,
    ("sign", "up"): Part.BOILERPLATE,
    ("sign", "in"): Part.BOILERPLATE,
    ("log", "in"): Part.BOILERPLATE,
    ("skip", "link"): Part.BOILERPLATE,
    ("also", "like"): Part.BOILERPLATE,
    ("author", "bio"): Part.BOILERPLATE,
    ("author", "box"): Part.BOILERPLATE,
    ("author", "info"): Part.BOILERPLATE,
    ("about", "author"): Part.BOILERPLATE,
}
"""Words that say more together than apart."""

_MODIFIERS = words_in("with without has have no not is enable enabled disable disabled off")
"""A name with one of these says what stands beside an element or is done to it (`has-sidebar`, `no-comments`)."""

_TOPICS = ("category-", "tag-", "tax-", "term-")
"""Names that begin so say what a text is about (WordPress: the classes of a post)."""

_HIDDEN = words_in(
    """hidden hide invisible d-none display-none sr-only visually-hidden visuallyhidden screen-reader-text
    screenreader-text screen-reader offscreen noprint no-print print-only print-none
    mw-editsection headerlink header-anchor anchor-link anchorjs-link permalink hash-link
    lineno linenos lineno-cell line-number line-numbers linenumber linenumbers linenodiv gutter"""
)
"""Whole names; as words they stand in many that hide nothing (`hidden-xs`, `overflow-hidden`). The last two lines are
the signs that publishing systems add to headings and code."""


@lru_cache(maxsize=1 << 16)
def part_of(names: str) -> Part:
    """What an element with these class names or this id is (cached: pages repeat them)."""
    found = Part.UNKNOWN
    for name in names[:MAX_NAMES].split():
        if name.lower() in _HIDDEN:
            return Part.HIDDEN
        words = [word.lower() for word in _WORD.findall(name)]
        if name.startswith(_TOPICS) or not _MODIFIERS.isdisjoint(words):
            continue
        for word in words:
            found = max(found, _WORDS.get(word, Part.UNKNOWN))
        for pair in pairwise(words):
            found = max(found, _PAIRS.get(pair, Part.UNKNOWN))
    return found


_LANGUAGE = re.compile(r"(?:(?:language|lang|highlight-source|highlight)-|brush:)([a-z][a-z0-9+#]{0,15})(?![\w-])")
_LANGUAGES = {"python3": "python", "ipython3": "python", "ipython": "python"}
_NO_LANGUAGE = words_in("default none text plain plaintext output console")


def language_of(names: str) -> str:
    """The programming language that the class names of a code block state, or nothing."""
    for name in names[:MAX_NAMES].lower().replace("brush: ", "brush:").split():
        if found := _LANGUAGE.match(name):
            return "" if found[1] in _NO_LANGUAGE else _LANGUAGES.get(found[1], found[1])
    return ""
