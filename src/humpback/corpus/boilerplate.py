"""Sentences that belong to a site rather than to its texts: cookie notices, subscriptions, share buttons."""

from __future__ import annotations

import re
from collections.abc import Collection

from humpback.corpus.words import words

PHRASES = (
    # cookies and consent
    "accept all cookies",
    "accept cookies",
    "cookie preferences",
    "cookie settings",
    "manage your consent",
    "site uses cookies",
    "use of cookies",
    "we use cookies",
    "we value your privacy",
    # the browser
    "browser does not support",
    "browser is not supported",
    "javascript is disabled",
    "javascript must be enabled",
    "please enable javascript",
    "skip to main content",
    # rights and terms
    "all rights reserved",
    "by continuing to use",
    "by using this site",
    "may not be published, broadcast",
    "terms and conditions apply",
    "you agree to our",
    "you agree to the terms",
    # subscriptions and accounts
    "already have an account",
    "become a subscriber",
    "create a free account",
    "delivered to your inbox",
    "get the latest news",
    "in your inbox",
    "join our mailing list",
    "log in to comment",
    "must be logged in to",
    "sign in to comment",
    "sign in to continue",
    "sign in to view",
    "sign up for email",
    "sign up for our daily",
    "sign up for our email",
    "sign up for our free",
    "sign up for our newsletter",
    "sign up for our weekly",
    "sign up to our newsletter",
    "straight to your inbox",
    "subscribe now",
    "subscribe to our",
    "subscribe today",
    "this content is for subscribers",
    "to your inbox",
    "unsubscribe at any time",
    # sharing and comments
    "comments are closed",
    "follow us on",
    "leave a comment",
    "leave a reply",
    "like us on facebook",
    "share on facebook",
    "share on linkedin",
    "share on twitter",
    "share this article",
    "share this page",
    "share this post",
    "share this story",
    "share via email",
    # selling
    "add to basket",
    "add to cart",
    "affiliate commission",
    "affiliate links",
    "buy now",
    "limited time offer",
    "order now",
    # teasers and fillers
    "continue reading",
    "lorem ipsum dolor",
    "read the full article",
    "read the full story",
    "you may also like",
    "you might also like",
)
"""In small letters; phrases in which a site speaks to its visitors. C4 drops pages for "lorem ipsum" and lines about
terms of use, cookies and JavaScript; the others, of the same kind, are ours."""

LABELS = frozenset(
    {
        "ad",
        "advertisement",
        "back to top",
        "click here",
        "comments",
        "cookie policy",
        "learn more",
        "load more",
        "log in",
        "more info",
        "next page",
        "page not found",
        "previous page",
        "print this page",
        "privacy policy",
        "read more",
        "related articles",
        "related posts",
        "reply",
        "scroll to continue",
        "see more",
        "share",
        "show more",
        "sign in",
        "sign up",
        "sponsored content",
        "subscribe",
        "terms of service",
        "terms of use",
        "tweet",
        "view more",
    }
)
"""The same as whole lines (ours): within one they may well be the subject."""

_KEYS: dict[str, list[str]] = {}
"""The phrases by their longest words: a text without that word need not be searched."""
for _phrase in PHRASES:
    _KEYS.setdefault(max(words(_phrase), key=len), []).append(_phrase)

_MARKS = " .:!…›»→>"
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n")


def boilerplate_chars(text: str, text_words: Collection[str]) -> tuple[int, str]:
    """How many characters stand in lines that are of `LABELS`, and in sentences with one of `PHRASES`; the last such.

    Args:
        text: the prose.
        text_words: its casefolded words.
    """
    folded = text.lower()
    found = [line for line in folded.split("\n") if line.strip(_MARKS) in LABELS]
    phrases = [phrase for key in _KEYS.keys() & set(text_words) for phrase in _KEYS[key] if phrase in folded]
    if phrases:
        found += [one for one in _SENTENCE.split(folded) if any(phrase in one for phrase in phrases)]
    return sum(map(len, found)), found[-1] if found else ""
