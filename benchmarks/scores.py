"""How good an extracted text is: F1 against a gold text, and the share of headings that are still headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pages import Page

SHINGLE_WORDS = 4
"""As in scrapinghub/article-extraction-benchmark."""

_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.*)$", re.MULTILINE)
_OUTSIDE = "nav, header, footer, aside, [role=navigation], [role=search], [role=contentinfo], [role=banner]"


@dataclass(frozen=True, slots=True)
class ArticleScore:
    """Means over the pages; F1 is that of the mean precision and the mean recall, as the benchmark has it."""

    f1: float
    precision: float
    recall: float


def article_score(gold: Sequence[str], texts: Sequence[str]) -> ArticleScore:
    """The article extraction benchmark's own measure: shared word 4-grams, counted as often as they occur.

    Source: scrapinghub/article-extraction-benchmark, evaluate.py.
    """
    precisions, recalls = [], []
    for true, found in zip(gold, texts, strict=True):
        wanted, got = _shingles(true), _shingles(found)
        shared = sum((wanted & got).values())
        extra, missed = sum((got - wanted).values()), sum((wanted - got).values())
        precisions.append(shared / (shared + extra) if shared + extra else 1.0)
        recalls.append(shared / (shared + missed) if shared + missed else 1.0)
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return ArticleScore(2 * precision * recall / (precision + recall), precision, recall)


def gold_headings_kept(pages: Sequence[Page], texts: Sequence[str]) -> float:
    """Of the h2 to h6 whose text is a line of the page's gold article, the share that are Markdown headings."""
    kept = total = 0
    for page, text in zip(pages, texts, strict=True):
        lines = {_plain(line) for line in (page.article or "").splitlines()}
        wanted = [heading for heading in _headings(page.html, "h2, h3, h4, h5, h6") if heading in lines]
        kept += _common(wanted, text)
        total += len(wanted)
    return kept / total if total else float("nan")


def page_headings_kept(pages: Sequence[Page], texts: Sequence[str]) -> float:
    """Of the h1 to h6 outside navigation, headers and footers, the share that are Markdown headings."""
    kept = total = 0
    for page, text in zip(pages, texts, strict=True):
        wanted = _headings(page.html, "h1, h2, h3, h4, h5, h6")
        kept += _common(wanted, text)
        total += len(wanted)
    return kept / total if total else float("nan")


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    grams = Counter(zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False))
    return grams or Counter([tuple(words)] if words else [])


def _headings(html: str, selector: str) -> list[str]:
    import turbohtml

    tree = turbohtml.parse(html)
    found = [_plain(node.text) for node in tree.select(selector) if node.closest(_OUTSIDE) is None]
    return [heading for heading in found if heading]


def _common(wanted: Sequence[str], text: str) -> int:
    have = Counter(_plain(heading) for heading in _HEADING.findall(text))
    return sum((Counter(wanted) & have).values())


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
