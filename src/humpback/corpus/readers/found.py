"""Where a reader stands, what it may take, and what it sets aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import BinaryIO

from humpback.config import IngestConfig
from humpback.corpus.raw import Form, RawDocument
from humpback.inputs import ExpansionError
from humpback.records import Dropped, DropReason, Source, content_id

KEPT_BYTES = 2000
"""Bytes kept of a text that is set aside (ours: enough to recognise it)."""

NESTED = "!"
"""Stands between a file's name and a member's, as in the URLs of Java archives."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: a file or URL, and the path of the member in it (None: the file itself).

    `name` is what the stream itself is called, `depth` the number of archives around it.
    """

    uri: str
    name: str
    config: IngestConfig
    record: str | None = None
    depth: int = 0

    @property
    def limit(self) -> int:
        """Most bytes of one document."""
        return self.config.limits.max_document_bytes

    @property
    def title(self) -> str:
        """The name without folders and suffix."""
        return PurePosixPath(self.name).stem

    def __str__(self) -> str:
        return self.uri if self.record is None else f"{self.uri}{NESTED}{self.record}"

    def member(self, path: str) -> Place:
        """The place of a member of this archive."""
        record = path if self.record is None else f"{self.record}{NESTED}{path}"
        return replace(self, name=path, record=record, depth=self.depth + 1)

    def unpacked(self) -> Place:
        """The place of what is in this compressed file, named without the suffix that says so."""
        path = PurePosixPath(self.name)
        packed = path.suffix.lower() in {".gz", ".bz2", ".xz", ".zst", ".lz4", ".tgz", ".tbz2", ".txz"}
        return replace(self, name=str(path.with_suffix("")) if packed else self.name, depth=self.depth + 1)

    def source(self) -> Source:
        return Source(uri=self.uri, record=self.record)


def dropped(source: Source, reason: DropReason, detail: str, text: str = "") -> Dropped:
    """The row for a document that is set aside; its id depends on where it stands."""
    return Dropped(content_id("document", source.uri, source.record), reason, detail, text, source)


def broken(place: Place, error: Exception) -> Dropped:
    """The row for a stream that cannot be read on."""
    reason = DropReason.TOO_LARGE if isinstance(error, ExpansionError) else DropReason.UNREADABLE
    return dropped(place.source(), reason, explain(error))


def explain(error: Exception) -> str:
    """What went wrong, in one line."""
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(detail.split()) or error.__class__.__name__


def read_document(stream: BinaryIO, form: Form, place: Place) -> RawDocument | Dropped:
    """The stream's bytes as one document, unless there are too many; then no more than the limit is read."""
    data = stream.read(place.limit + 1)
    if len(data) > place.limit:
        text = data[:KEPT_BYTES].decode("utf-8", "replace") if form in {Form.HTML, Form.MARKDOWN, Form.TEXT} else ""
        return dropped(place.source(), DropReason.TOO_LARGE, f"more than {place.limit} bytes", text)
    title = "" if form in {Form.HTML, Form.MARKDOWN} else place.title
    return RawDocument(data, form, place.source(), title)
