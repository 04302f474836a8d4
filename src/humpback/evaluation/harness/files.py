"""Finding the benchmarks' files in a folder, and reading them."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.harness.rows import harness_row, mmlu_row
from humpback.evaluation.harness.suites import Benchmark
from humpback.tables import BrokenRow, read_rows

PIQA_LABELS = "-labels.lst"
_SUBJECT = re.compile(r"(?:^|/)(dev|test)/(\w+)_(?:dev|test)\.csv$")

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a benchmark's rows come from; `split` is `validation` where only that of the public splits is there."""

    benchmark: Benchmark
    files: tuple[Path, ...]
    split: str

    def read(self) -> dict[str, Rows]:
        """The rows in the harness's columns: `test` and, for MMLU, each subject's `NAME/test` and `NAME/dev`.

        Raises:
            InputError: a file cannot be read, a row lacks something, or a subject is missing.
        """
        if self.benchmark.name != "mmlu":
            return {"test": list(_rows(self.benchmark.name, self.files[0]))}
        found: dict[str, Rows] = {}
        for file in self.files:
            found.update(_mmlu(file))
        missing = [part for part in self.benchmark.parts if not found.get(f"{part}/test")]
        if missing:
            raise InputError(f"{self.files[0]}: no test questions of {missing[0]}; MMLU has 57 subjects")
        return found


def find_source(folder: Path, benchmark: Benchmark) -> Source | None:
    """Where a benchmark's rows stand below `folder`, at any depth; None where nothing of it is there."""
    found = next(filter(None, (sorted(folder.rglob(pattern)) for pattern in benchmark.patterns)), None)
    if found is None:
        return None
    files = tuple(found) if benchmark.name == "mmlu" else (found[0],)
    return Source(benchmark, files, _split(files[0]))


def _split(file: Path) -> str:
    name = file.name if file.suffix != ".arrow" else file.parent.name
    if "valid" in name or file.name.startswith(("piqa", "siqa", "social_i")):
        return "validation"  # LLM-Adapters call theirs a test, but the labels of the test were never published
    return "test"


def _rows(benchmark: str, file: Path) -> Iterator[dict[str, Any]]:
    labels = _labels(file) if benchmark == "piqa" else None
    for place, row in enumerate(read_rows(file, max_broken_fraction=0.0)):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: row {row.line}: {row.detail}")
        values = row.values
        if labels is not None and "label" not in values:
            if place >= len(labels):
                raise InputError(f"{file}: row {row.line}: has no label; {len(labels)} stand in the list beside it")
            values = {**values, "label": labels[place]}
        try:
            yield harness_row(benchmark, values)
        except ValueError as error:
            raise InputError(f"{file}: row {row.line}: {error}") from None


def _labels(file: Path) -> list[int] | None:
    """The labels that stand beside PIQA's raw rows; None where no such list is there."""
    listed = file.with_name(file.stem + PIQA_LABELS)
    if not listed.is_file():
        return None
    found = listed.read_text(encoding="utf-8").split()
    for line, label in enumerate(found, 1):
        if label not in ("0", "1"):
            raise InputError(f"{listed}: line {line}: must be 0 or 1, not {label[:20]!r}")
    return [int(label) for label in found]


def _mmlu(file: Path) -> Iterator[tuple[str, Rows]]:
    """A subject's rows by `NAME/test` and `NAME/dev`: of an archive, of a CSV file and that beside it, or saved."""
    if file.suffix == ".arrow":
        subject = file.parent.parent
        for split in ("test", "dev"):
            parts = sorted((subject / split).glob("*.arrow"))
            yield f"{subject.name}/{split}", [row for part in parts for row in _rows("mmlu", part)]
    elif file.suffix == ".csv":
        subject_name = file.stem.removesuffix("_test")
        for split in ("test", "dev"):
            part = file.parent.parent / split / f"{subject_name}_{split}.csv"
            if part.is_file():
                yield f"{subject_name}/{split}", _csv_rows(str(part), part.read_text(encoding="utf-8"))
    else:
        yield from _archived(file)


def _archived(file: Path) -> Iterator[tuple[str, Rows]]:
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                found = _SUBJECT.search(member.name)
                stream = archive.extractfile(member) if found and member.isfile() else None
                if found is not None and stream is not None:
                    text = stream.read().decode("utf-8")
                    yield f"{found.group(2)}/{found.group(1)}", _csv_rows(f"{file}: {member.name}", text)
    except (OSError, tarfile.TarError, UnicodeDecodeError, EOFError) as error:
        raise InputError(f"{file}: cannot be read as an archive of CSV files ({error})") from None


def _csv_rows(place: str, text: str) -> Rows:
    found = []
    reader = csv.reader(io.StringIO(text))
    for cells in reader:
        if reader.line_num == 1 and cells[:1] == ["question"]:
            continue
        try:
            found.append(mmlu_row(cells))
        except ValueError as error:
            raise InputError(f"{place}: line {reader.line_num}: {error}") from None
    return found
