"""What a crawl's record brought: a document in one of the forms that are read, or something else."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from urllib.parse import urlsplit

from humpback.corpus.raw import Form
from humpback.corpus.readers.sniff import MARKDOWN_SUFFIXES, ZIP, Archive, Foreign, looks_like_page, sniff
from humpback.inputs.streams import HEAD_BYTES

_DECLARED = {
    "text/html": Form.HTML,
    "application/xhtml+xml": Form.HTML,
    "application/vnd.wap.xhtml+xml": Form.HTML,
    "text/markdown": Form.MARKDOWN,
    "text/x-markdown": Form.MARKDOWN,
    "text/plain": Form.TEXT,
    "text/x-rst": Form.TEXT,
}
_TELLS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "unknown/unknown", "*/*", "text/*"})
_TAG = re.compile(rb"<[a-zA-Z!/]")


def payload_form(data: bytes, media_type: str, address: str) -> Form | Foreign:
    """The form of a record's payload: told by its bytes; where these are just text, by the stated media type."""
    head = data[:HEAD_BYTES]
    found = sniff(head, "")
    if found == ZIP:
        return Form.DOCX if _is_docx(data) else Foreign(media_type or "application/zip")
    if isinstance(found, Foreign) and not _may_be_page(found, media_type):
        return Foreign(media_type if _agrees(media_type, found.looks) else found.looks)
    if found is Form.PDF or looks_like_page(head):
        return Form(found) if isinstance(found, Form) else Form.HTML
    if isinstance(found, Archive) or not isinstance(found, Form | Foreign):
        return _packed(found, media_type)
    declared = _DECLARED.get(media_type)
    if declared is Form.HTML:
        return Form.HTML if found is not Form.TEXT or _TAG.search(head) else Form.TEXT
    if declared is not None:
        markdown = urlsplit(address).path.lower().endswith(tuple(MARKDOWN_SUFFIXES))
        return Form.MARKDOWN if markdown else declared
    if media_type in _TELLS_NOTHING and isinstance(found, Form):
        return found
    return Foreign(media_type)


def _may_be_page(found: Foreign, media_type: str) -> bool:
    return found.looks == "application/xml" and _DECLARED.get(media_type) is Form.HTML


def _agrees(media_type: str, looks: str) -> bool:
    """Whether the stated type says as much as the bytes, which tell families rather than kinds."""
    if media_type in _TELLS_NOTHING or media_type in _DECLARED:
        return False
    return looks == "binary data" or "/" not in looks or media_type.partition("/")[0] == looks.partition("/")[0]


def _packed(found: object, media_type: str) -> Form | Foreign:
    """Tables and archives: text by what is stated, since prose in lines may look like a table; else nothing."""
    declared = _DECLARED.get(media_type)
    if declared in {Form.TEXT, Form.MARKDOWN} and str(found) in {"CSV", "TSV"}:
        return declared
    looks = found.kind if isinstance(found, Archive) else str(found)
    return Foreign(media_type if media_type not in _TELLS_NOTHING and declared is None else f"{looks} data")


def _is_docx(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
