"""All candidates of a run in a temporary SQLite database, so that filters, sorting and search are quick."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from humpback.curation.sources import source_name
from humpback.errors import InputError
from humpback.records import Candidate, Curated, Rating
from humpback.review.labels import Label
from humpback.workspace import dropped_rows, part_files, read_rows

_SCHEMA = """
CREATE TABLE candidate(pos INTEGER PRIMARY KEY, id TEXT UNIQUE, instruction TEXT, output TEXT, text_cut INTEGER,
  headers TEXT, uri TEXT, place TEXT, licence TEXT, source TEXT, size INTEGER, search TEXT);
CREATE TABLE rating(id TEXT, round INTEGER, rating REAL, p_good REAL, details TEXT, PRIMARY KEY(id, round));
CREATE TABLE fate(id TEXT, round INTEGER, reason TEXT, detail TEXT, PRIMARY KEY(id, round));
CREATE TABLE rewritten(id TEXT, round INTEGER, output TEXT, PRIMARY KEY(id, round));
CREATE TABLE label(annotator TEXT, id TEXT, verdict TEXT, edited INTEGER, PRIMARY KEY(annotator, id));
"""
# What the list shows and sorts by, once a build is done: one row a candidate, small enough to be read whole.
_LISTED = """
CREATE TABLE listed AS SELECT c.pos, c.id, c.source, c.size, r.rating, r.p_good, f.reason
  FROM candidate c LEFT JOIN rating r ON r.id = c.id AND r.round = (SELECT max(round) FROM rating)
  LEFT JOIN fate f ON f.id = c.id AND f.round = (SELECT max(round) FROM fate);
CREATE UNIQUE INDEX listed_pos ON listed(pos);
"""


def build(run: Path) -> sqlite3.Connection:
    """The database of a run's candidates. It lives in a temporary file of SQLite's own that ends with the process.

    Raises:
        InputError: the run has no candidates yet.
    """
    if not part_files(run / "candidates"):
        raise InputError(f"{run}: has no candidates yet; make them first: humpback augment CONFIG")
    database = sqlite3.connect("", check_same_thread=False)
    database.executescript(_SCHEMA)
    with database:
        database.executemany(f"INSERT OR IGNORE INTO candidate VALUES({_marks(12)})", _candidates(run))
        for number, folder in _rounds(run, "ratings"):
            database.executemany(f"INSERT OR REPLACE INTO rating VALUES({_marks(5)})", _ratings(folder, number))
        for number, folder in _rounds(run, "curated"):
            database.executemany(f"INSERT OR REPLACE INTO fate VALUES({_marks(4)})", _fates(folder, number))
        for number, folder in _rounds(run, "rewritten"):
            database.executemany(f"INSERT OR REPLACE INTO rewritten VALUES({_marks(3)})", _rewritten(folder, number))
    database.executescript(_LISTED)
    return database


def put_labels(database: sqlite3.Connection, annotator: str, labels: Mapping[str, Label]) -> None:
    """Writes an annotator's labels beside the candidates; an empty one takes a label away."""
    for row_id, label in labels.items():
        database.execute("DELETE FROM label WHERE annotator = ? AND id = ?", (annotator, row_id))
        if label.verdict is not None or label.instruction is not None:
            values = (annotator, row_id, label.verdict, label.instruction is not None)
            database.execute(f"INSERT INTO label VALUES({_marks(4)})", values)
    database.commit()


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _rounds(run: Path, name: str) -> Iterator[tuple[int, Path]]:
    for folder in run.glob(f"{name}-*"):
        if match := re.fullmatch(rf"{name}-(\d+)", folder.name):
            yield int(match[1]), folder


def _candidates(run: Path) -> Iterator[tuple[Any, ...]]:
    for position, row in enumerate(read_rows(run / "candidates", Candidate)):
        source = row.source
        yield (
            position,
            row.id,
            row.instruction,
            row.output,
            row.text_cut,
            json.dumps(row.headers),
            source.uri,
            str(source).removeprefix(source.uri),
            source.licence,
            source_name(source),
            len(row.output),
            f"{row.instruction}\n{row.output}".casefold(),
        )


def _ratings(folder: Path, number: int) -> Iterator[tuple[Any, ...]]:
    for row in read_rows(folder, Rating):
        details = {
            "unparsed_reason": row.unparsed_reason,
            "probabilities": row.probabilities,
            "judgement": row.judgement,
            "method": row.method,
            "instruction_cut": row.instruction_cut,
            "signals": row.signals,
        }
        yield row.candidate_id, number, row.rating, row.p_good, json.dumps(details)


def _fates(folder: Path, number: int) -> Iterator[tuple[Any, ...]]:
    for kept in read_rows(folder, Curated):
        yield kept.id, number, "", ""
    for row in dropped_rows(folder):
        yield row.id, number, str(row.reason), row.detail


def _rewritten(folder: Path, number: int) -> Iterator[tuple[Any, ...]]:
    for row in read_rows(folder, Curated):
        if row.original is not None:
            yield row.id, number, row.output
