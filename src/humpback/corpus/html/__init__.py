"""HTML pages as Markdown: the main content, with its headings, lists, tables and code."""

from humpback.corpus.html.page import Page, read_page

__all__ = ["Page", "read_page"]
