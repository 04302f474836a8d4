"""Reads seed files of every form into examples and dropped rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from humpback.config import IngestConfig
from humpback.errors import InputError
from humpback.inputs import content_digest, expand, name_of
from humpback.records import Dropped, DropReason, Example, Source, content_id
from humpback.seed.formats import FORMS, Form, Outcome, Rejected, folded, recognise
from humpback.tables import TABLE_SUFFIXES, BrokenRow, Row, read_rows, too_many_broken

BUILTIN = "builtin"
"""The input that means the pairs packaged with Humpback."""

BUILTIN_FILE = "data/seed.jsonl"
RECOGNISED_ROWS = 10
"""Rows looked at to recognise a file's form (ours: a few odd rows at its start must not mislead)."""


@dataclass(frozen=True, slots=True)
class SeedRows:
    """What the seed files hold: usable pairs and rows set aside, both in the order of the files."""

    examples: list[Example]
    dropped: list[Dropped]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    uri: str


def read_seed(inputs: Sequence[str], config: IngestConfig) -> SeedRows:
    """The pairs of all `inputs` (files, folders, globs, or `builtin`), each pair once; `seed_limit` is not
    applied.

    Raises:
        InputError: an input matches nothing, cannot be read, is of no known form, has more unreadable rows
            than `max_broken_fraction` allows, or holds empty answers only.
    """
    examples: list[Example] = []
    dropped: list[Dropped] = []
    seen: set[str] = set()
    with ExitStack() as stack:
        for file in _files(inputs, stack):
            for record in _read_file(file, config):
                if isinstance(record, Dropped):
                    dropped.append(record)
                elif record.id in seen:
                    dropped.append(_duplicate(record))
                else:
                    seen.add(record.id)
                    examples.append(record)
    return SeedRows(examples, dropped)


def seed_digest(inputs: Sequence[str]) -> str:
    """Hexadecimal digits that depend on the names and contents of all seed files; `InputError` as in
    `read_seed`."""
    with ExitStack() as stack:
        files = list(_files(inputs, stack))
        named = [file.path for file in files if file.uri != _builtin_uri()]
        digests = [content_digest(named)]
        digests += [content_id(file.path.read_bytes()) for file in files if file.uri == _builtin_uri()]
        return content_id(*(file.uri for file in files), *digests)


def _builtin_uri() -> str:
    return f"humpback:{BUILTIN_FILE}"


def _files(inputs: Sequence[str], stack: ExitStack) -> Iterator[_File]:
    seen: set[str] = set()
    for value in inputs:
        if value == BUILTIN:
            path = stack.enter_context(resources.as_file(resources.files("humpback").joinpath(BUILTIN_FILE)))
            files = [_File(path, _builtin_uri())]
        else:
            files = [_File(path, name_of(path)) for path in expand([value], "seed", TABLE_SUFFIXES)]
        for file in files:
            real = str(file.path.resolve())
            if real not in seen:
                seen.add(real)
                yield file


def _read_file(file: _File, config: IngestConfig) -> list[Example | Dropped]:
    good: list[Row] = []
    broken: list[BrokenRow] = []
    for row in read_rows(file.path, config.max_broken_fraction):
        if isinstance(row, BrokenRow):
            broken.append(row)
        else:
            good.append(row)
    if not good:
        return [_broken(row, file.uri) for row in broken]
    form = _form(file, good, config.seed_format)
    outcomes = list(form.parse(good, config.seed_language))
    by_line = {row.line: row for row in good}
    _refuse_hopeless(file, form, outcomes, by_line, broken, config.max_broken_fraction)
    records: list[tuple[int, Example | Dropped]] = [(row.line, _broken(row, file.uri)) for row in broken]
    records += [(outcome.line, _record(outcome, by_line[outcome.line], file.uri)) for outcome in outcomes]
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def _form(file: _File, rows: list[Row], asked: str) -> Form:
    """The form asked for, or the one that most of the first rows fit; InputError where no row fits."""
    found = [form for form in map(recognise, rows[:RECOGNISED_ROWS]) if form is not None]
    if asked != "auto":
        form = next(form for form in FORMS if form.name == asked)
        if any(form.fits(folded(row)) for row in rows):
            return form
        raise InputError(
            f"{file.uri}: no row is of the form {asked!r}, which needs {form.needs}. "
            f"Columns found: {_columns(rows)}. Rename the columns, "
            "or set ingest.seed_format to auto or to the form that the file has."
        )
    if not found:
        accepted = "\n".join(f"  {form.name}: {form.needs}" for form in FORMS)
        raise InputError(
            f"{file.uri}: the form of the rows is not known. Columns found: {_columns(rows)}. "
            f"Rename the columns to one of these forms:\n{accepted}"
        )
    return max(found, key=found.count)


def _columns(rows: list[Row]) -> str:
    names = dict.fromkeys(str(name)[:40] for row in rows[:RECOGNISED_ROWS] for name in row.values)
    shown = list(names)[:20]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "") if names else "none"


def _refuse_hopeless(
    file: _File,
    form: Form,
    outcomes: list[Outcome],
    rows: dict[int, Row],
    broken: list[BrokenRow],
    allowed: float,
) -> None:
    """Raises InputError when too many rows are unreadable, or every answer is empty."""
    rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    wrong = broken + [
        BrokenRow(outcome.line, outcome.detail, _row_text(rows[outcome.line]))
        for outcome in rejected
        if outcome.reason is DropReason.UNREADABLE
    ]
    total = len(outcomes) + len(broken)
    if len(wrong) > allowed * total:
        first = min(wrong, key=lambda row: row.line)
        raise too_many_broken(Path(file.uri), first, len(wrong), total, allowed)
    reasons = {outcome.reason for outcome in rejected} - {DropReason.UNREADABLE}
    if len(rejected) == len(outcomes) and reasons == {DropReason.EMPTY_OUTPUT}:
        raise InputError(
            f"{file.uri}: every answer is empty (read as {form.name!r}; "
            f"columns: {_columns(list(rows.values()))}). "
            "Give a file whose rows hold answers, or set ingest.seed_format."
        )


def _row_text(row: Row) -> str:
    return json.dumps(row.values, ensure_ascii=False, default=str)


def _row_id(uri: str, line: int) -> str:
    return content_id("seed-row", uri, line)


def _broken(row: BrokenRow, uri: str) -> Dropped:
    source = Source(uri=uri, record=str(row.line))
    return Dropped(_row_id(uri, row.line), DropReason.UNREADABLE, row.detail, row.text, source)


def _record(outcome: Outcome, row: Row, uri: str) -> Example | Dropped:
    source = Source(uri=uri, record=str(outcome.line))
    if isinstance(outcome, Rejected):
        text = outcome.text or _row_text(row)
        return Dropped(_row_id(uri, outcome.line), outcome.reason, outcome.detail, text, source)
    identity = content_id("seed", outcome.instruction, outcome.output)
    return Example(identity, outcome.instruction, outcome.output, source)


def _duplicate(example: Example) -> Dropped:
    line = example.source.record or ""
    detail = "the same instruction and output came before"
    return Dropped(_row_id(example.source.uri, int(line)), DropReason.DUPLICATE, detail, example.output, example.source)
