"""A run of a few candidates that was never trained, and applications over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from humpback.config import parse_config
from humpback.records import Candidate, Curated, Dropped, DropReason, Rating, Source
from humpback.workspace import RunFolder, write_rows

PART = "part-00000.parquet"
HOST = "127.0.0.1:8642"


def row_id(number: int) -> str:
    return f"{number:016x}"


def candidate(number: int, instruction: str | None = None, output: str | None = None) -> Candidate:
    source = Source(f"https://site-{number % 3}.example/page-{number}", None, 5, 90, "CC0-1.0")
    return Candidate(
        row_id(number),
        instruction or f"Question number {number}?",
        output or f"Answer number {number}. " * (number + 1),
        ["Guide", f"Part {number}"],
        source,
    )


def rating(number: int, round_number: int) -> Rating:
    if number == 3:
        return Rating(row_id(number), None, "no digit")
    p_good = (number % 10) / 10
    signals = {"gain": number / 7, "last_words": -1.5 * round_number}
    return Rating(
        row_id(number), 1 + 4 * p_good, None, [0.1, 0.1, 0.2, 0.3, 0.3], None, "calibrated", False, p_good, signals
    )


def write_run(folder: Path, rows: list[Candidate]) -> Path:
    """A run with two rounds of ratings; the second kept the rows with even numbers."""
    config = parse_config(json.dumps({"model": "none", "seed": "s.jsonl", "corpus": "d", "runs_dir": str(folder)}), [])
    run = folder / "run"
    run.mkdir(parents=True)
    RunFolder(run).create(config)
    write_rows(run / "candidates" / PART, rows, Candidate)
    for number in (1, 2):
        write_rows(run / f"ratings-{number}" / PART, [rating(n, number) for n in range(len(rows))], Rating)
    kept, dropped = [], []
    for number, row in enumerate(rows):
        score = rating(number, 2).rating
        if number % 2 == 0:
            kept.append(Curated(row.id, row.instruction, row.output, row.headers, row.source, score or 0.0, 2))
        else:
            reason = DropReason.UNPARSED if score is None else DropReason.NOT_AMONG_BEST
            dropped.append(Dropped(row.id, reason, "rated low", row.instruction, row.source))
    write_rows(run / "curated-2" / PART, kept, Curated)
    write_rows(run / "curated-2" / "dropped" / PART, dropped, Dropped)
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Twelve candidates, ids 0 to 11 in hexadecimal, number 3 not rated."""
    return write_run(tmp_path, [candidate(number) for number in range(12)])


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[list[Candidate]], Path]:
    """Writes a run of any candidates."""
    return lambda rows: write_run(tmp_path / "made", rows)


@dataclass
class Clock:
    """Time that tests turn on by hand, in seconds."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outputs(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of outputs in AlpacaEval's format."""

    def write(generator: str, count: int = 6, *, text: str = "says", first: str = "Question 0?") -> Path:
        rows = [
            {
                "instruction": first if n == 0 else f"Question {n}?",
                "output": f"{generator[::-1]} {text} {n}",
                "generator": generator,
            }
            for n in range(count)
        ]
        file = tmp_path / f"{generator}.json"
        file.write_text(json.dumps(rows), encoding="utf-8")
        return file

    return write


@pytest.fixture
def screening(tmp_path: Path) -> Path:
    """Two screening questions."""
    file = tmp_path / "screening.jsonl"
    rows = [{"instruction": f"Check {n}?", "better": f"right {n}", "worse": f"wrong {n}"} for n in range(2)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file
