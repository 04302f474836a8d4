"""HTML pages as Markdown: the main content, with its headers, lists and code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resiliparse.parse.html import HTMLTree

_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's main content as Markdown, and what its head states (None where it states nothing)."""

    text: str
    title: str
    address: str | None
    licence: str | None


def read_page(html: str) -> Page:
    """The page's main content as Markdown with `#` headers and fenced code; link texts stay, addresses go.

    Images, scripts, styles, forms, comments and what surrounds the main content are left out.

    Raises:
        ValueError: the page cannot be parsed, or is nested too deeply.
    """
    from markdownify import markdownify
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    try:
        tree = HTMLTree.parse(html)
        body = extract_plain_text(
            tree, preserve_formatting="minimal_html", main_content=True, alt_texts=False, comments=False
        )
        # Nothing is escaped: the text is an answer that people read, not a source that is rendered again.
        text = markdownify(body, heading_style="ATX", bullets="-", escape_asterisks=False, escape_underscores=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"cannot be parsed ({error})") from error
    title = " ".join((tree.title or "").split())
    return Page(_BLANK_LINES.sub("\n\n", text).strip("\n"), title, _address(tree), _licence(tree))


def _attribute(tree: HTMLTree, selector: str, name: str) -> str | None:
    root = tree.document
    node = root.query_selector(selector) if root is not None else None
    value = node.getattr(name) if node is not None else None
    return value.strip() or None if value else None


def _address(tree: HTMLTree) -> str | None:
    """The canonical address, where it is a whole one."""
    for selector, name in (("link[rel~=canonical]", "href"), ('meta[property="og:url"]', "content")):
        address = _attribute(tree, selector, name)
        if address and address.startswith(("http://", "https://")):
            return address
    return None


def _licence(tree: HTMLTree) -> str | None:
    return _attribute(tree, "[rel~=license][href]", "href")
