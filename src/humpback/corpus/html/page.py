"""One HTML page, read."""

from __future__ import annotations

from dataclasses import dataclass

from humpback.corpus.html.content import main_content
from humpback.corpus.html.head import read_address, read_licence, read_title
from humpback.corpus.html.render import render


@dataclass(frozen=True, slots=True)
class Page:
    """A page's main content as Markdown, and what the page states about itself (None where it states nothing)."""

    text: str
    title: str
    address: str | None
    licence: str | None


def read_page(html: str) -> Page:
    """The page's main content as Markdown, with its headings, lists, tables, quotations and code.

    Links keep their text only, and images, emphasis, scripts, forms and what surrounds the content are left out.
    The time taken is in proportion to the page's length, whatever stands in it.

    Raises:
        ValueError: the page cannot be parsed.
    """
    from turbohtml import parse

    try:
        document = parse(html, positions=False)
        body = document.select_one("body")
        text = "" if body is None else render(main_content(body))
        title = read_title(document)
        address, licence = read_address(document), read_licence(document)
    except (RuntimeError, RecursionError, TypeError, OverflowError) as error:
        raise ValueError(f"cannot be parsed ({error})") from error
    return Page(_writable(text), _writable(title), address and _writable(address), licence and _writable(licence))


def _writable(text: str) -> str:
    """The text with half surrogate pairs replaced, which no encoding can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
