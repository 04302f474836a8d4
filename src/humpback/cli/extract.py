"""`humpback extract`: what is seen in documents, before anything is cut or dropped."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import IO

import typer

from humpback.cli.printable import printable
from humpback.config import IngestConfig
from humpback.corpus import RawDocument, read_documents, set_aside, whole_document
from humpback.records import Document, Dropped, DropReason, Source
from humpback.workspace import RowLimits, Workers, each_row

AT_ONCE = 50
"""Documents handed to a worker together (ours: so that handing them over costs little beside reading them)."""


def extract(inputs: list[str], out: Path | None, config: IngestConfig) -> None:
    """Prints title and text of every document of `inputs`, or writes them as JSON Lines with `path`, `title`, `text`.

    A document that cannot be read has an empty text, with `reason` and `detail` beside it.
    """
    counts: Counter[str] = Counter()
    limits = RowLimits(config.limits.document_seconds, config.limits.memory_gib)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(out.open("w", encoding="utf-8")) if out else None
        workers = stack.enter_context(Workers(config.workers, limits))
        rows = read_documents(inputs, config)
        for raw, document in each_row(workers, whole_document, rows, _stopped, rows_at_once=AT_ONCE):
            counts["documents" if isinstance(document, Document) else str(document.reason)] += 1
            _show(_path(raw.source), document, file)
    if out:
        typer.echo(f"{out}: " + (", ".join(f"{count:,} {name}" for name, count in counts.most_common()) or "nothing"))


def _path(source: Source) -> str:
    """The file, and the record in it; a record that has a web address names its file itself."""
    return source.record if source.record and "://" in source.uri else str(source)


def _stopped(raw: RawDocument | Dropped, why: str) -> Document | Dropped:
    return set_aside(raw, DropReason.STOPPED, why)


def _show(path: str, document: Document | Dropped, file: IO[str] | None) -> None:
    if isinstance(document, Document):
        row = {"path": path, "title": document.title, "text": document.text, "uri": document.source.uri}
    else:
        row = {"path": path, "title": "", "text": "", "reason": str(document.reason), "detail": document.detail}
    if file is not None:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    typer.secho(f"== {printable(path)}", bold=True)
    if isinstance(document, Document):
        typer.echo(f"{printable(document.title)}\n\n{printable(document.text)}\n")
    else:
        typer.echo(f"set aside: {document.reason} ({printable(document.detail)})\n")
