"""A raw document into Markdown and its title: a pure function, which worker processes call."""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html import escape, unescape

from humpback.corpus.decoding import decode_html, decode_text
from humpback.corpus.front_matter import read_front_matter
from humpback.corpus.html import read_page
from humpback.corpus.raw import Form, RawDocument
from humpback.errors import MissingDependencyError
from humpback.records import Document, Source

INSTALL = 'pip install "humpback[documents]"'

MAX_PROPERTIES_BYTES = 1 << 20
"""Largest part of a DOCX file that is searched for its title (ours: real ones have some hundred bytes)."""

_EXTRAS = {Form.PDF: ("PDF", "pypdf"), Form.DOCX: ("DOCX", "mammoth")}

_TITLE = re.compile(rb"<dc:title[^>]{0,200}>([^<]{0,1000})</dc:title>")


def parse_document(raw: RawDocument) -> Document:
    """The document's text as Markdown, with the title and licence that it or what stood beside it states.

    An HTML file that states its own address is known by it, and by the file as its `record`.

    Raises:
        ValueError: it cannot be read.
        MissingDependencyError: it is PDF or DOCX and the package that reads these is not installed.
    """
    return _PARSERS[raw.form](raw)


def require_reader(raw: RawDocument) -> None:
    """Passes when the package that reads such a document is installed.

    Raises:
        MissingDependencyError: it is not; the message names what to install.
    """
    kind, package = _EXTRAS.get(raw.form, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        raise _missing(kind, package)


def _html(raw: RawDocument) -> Document:
    page = read_page(raw.data if isinstance(raw.data, str) else decode_html(raw.data, raw.encoding))
    source = raw.source
    if page.address is not None and not source.uri.startswith(("http://", "https://")):
        record = source.uri if source.record is None else f"{source.uri}!{source.record}"
        source = replace(source, uri=page.address, record=record)
    return Document(page.text, raw.title or page.title, _licensed(source, page.licence))


def _markdown(raw: RawDocument) -> Document:
    text = _text_of(raw)
    front = read_front_matter(text)
    return Document(text, raw.title or front.title or "", _licensed(raw.source, front.licence))


def _text(raw: RawDocument) -> Document:
    return Document(_text_of(raw), raw.title, raw.source, is_markdown=False)


def _pdf(raw: RawDocument) -> Document:
    """The text of the pages, a blank line between them; PDF knows no headings, so there are none."""
    require_reader(raw)
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(_bytes_of(raw)), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("encrypted with a password")
        pages = [page.extract_text() for page in reader.pages]
        title = reader.metadata.title if reader.metadata else None
    except MemoryError:
        raise
    except Exception as error:  # the library meets broken files with errors of all kinds
        raise ValueError(f"broken PDF ({error or error.__class__.__name__})") from error
    text = "\n\n".join(page.strip() for page in pages if page.strip())
    stated = " ".join(title.split()) if isinstance(title, str) else ""
    return Document(_writable(text), _writable(stated) or raw.title, raw.source, is_markdown=False)


def _docx(raw: RawDocument) -> Document:
    require_reader(raw)
    import mammoth

    data = _bytes_of(raw)
    try:
        # Pictures would come as megabytes of base64 text that nobody reads.
        body = mammoth.convert_to_html(io.BytesIO(data), convert_image=lambda image: []).value
        title = _docx_title(data)
    except MemoryError:
        raise
    except Exception as error:  # the library meets broken files with errors of all kinds
        raise ValueError(f"broken DOCX ({error or error.__class__.__name__})") from error
    # An article and nothing else, so that nothing is taken for what surrounds the content.
    page = read_page(f"<!doctype html><title>{escape(title)}</title><main><article>{body}</article></main>")
    return Document(page.text, page.title or raw.title, raw.source)


def _docx_title(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            with archive.open("docProps/core.xml") as file:
                title = _TITLE.search(file.read(MAX_PROPERTIES_BYTES))
        except KeyError:
            return ""
    return " ".join(unescape(title.group(1).decode("utf-8", "replace")).split()) if title else ""


_PARSERS: dict[Form, Callable[[RawDocument], Document]] = {
    Form.HTML: _html,
    Form.MARKDOWN: _markdown,
    Form.TEXT: _text,
    Form.PDF: _pdf,
    Form.DOCX: _docx,
}


def _licensed(source: Source, licence: str | None) -> Source:
    return source if source.licence or not licence else replace(source, licence=licence)


def _text_of(raw: RawDocument) -> str:
    return raw.data if isinstance(raw.data, str) else decode_text(raw.data, raw.encoding)


def _bytes_of(raw: RawDocument) -> bytes:
    if isinstance(raw.data, str):
        raise ValueError(f"text where a {raw.form.upper()} file's bytes are meant to be")
    return raw.data


def _writable(text: str) -> str:
    """The text without half characters, which no UTF-8 file can hold, and without NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _missing(kind: str, package: str) -> MissingDependencyError:
    return MissingDependencyError(f"reading {kind} needs {package}; install it with `{INSTALL}`")
