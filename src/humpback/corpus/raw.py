"""A document as it was found, before anything in it is understood."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from humpback.records import Source


class Form(StrEnum):
    """What a document's bytes are."""

    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    PDF = "pdf"
    DOCX = "docx"


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One document's bytes, or its text where a table's cell held it.

    `title` is what stands beside it (a title column, a file's name; empty where nothing does), `encoding` what the
    transport states, as an HTTP header does. It is small enough and picklable: workers in other processes parse it.
    """

    data: bytes | str
    form: Form
    source: Source
    title: str = ""
    encoding: str | None = None
