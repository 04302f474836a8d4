"""Many rows and many requests: a run with made-up candidates through selection, dataset and report."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faults_driver import Order, drive
from faults_kills import NAME

from humpback.records import Candidate, Rating, Source, content_id
from humpback.workspace import RunFolder, write_rows

ROWS_PER_PART = 1000
TEXT_CHARS = 1700  # of the paper's candidates, on average (table 2)
MADE_AGAIN = ("curated-1", "curated-2", "dataset", "report")


@dataclass(frozen=True, slots=True)
class Load:
    """What a run with many candidates took. Time in seconds, sizes in bytes."""

    candidates: int
    making_s: float
    seconds: float
    memory: int
    steps: dict[str, float]
    kept: int
    page: int
    run: int


def load(config: str, scratch: Path, count: int) -> Load:
    """Puts `count` candidates with two ratings each into a small run, and lets it choose, write and report anew.

    Raises:
        RuntimeError: the command failed.
    """
    run = scratch / "load" / NAME
    changes = [f"engine.rows_per_shard={ROWS_PER_PART}"]
    (end,) = drive([Order(config, str(run), changes=changes)], scratch)
    if end.code:
        raise RuntimeError(end.said)
    began = time.monotonic()
    fill(run, count)
    making = time.monotonic() - began
    for step in MADE_AGAIN:
        shutil.rmtree(run / step)
    settings = [f"runs_dir={run.parent}", f"name={NAME}", *changes]
    command = [sys.executable, "-W", "ignore", "-m", "humpback", "run", config]
    began = time.monotonic()
    code, memory, said = measured([*command, *(word for one in settings for word in ("-s", one))], scratch / "load.log")
    seconds = time.monotonic() - began
    if code:
        raise RuntimeError(said)
    manifests = {step: RunFolder(run).step(step).manifest() for step in MADE_AGAIN}
    return Load(
        count,
        making,
        seconds,
        memory,
        {step: manifest.seconds for step, manifest in manifests.items() if manifest is not None},
        manifests["curated-2"].rows if manifests["curated-2"] is not None else 0,
        (run / "report" / "index.html").stat().st_size,
        sum(file.stat().st_size for file in run.rglob("*") if file.is_file()),
    )


def measured(command: list[str], log: Path) -> tuple[int, int, str]:
    """Exit code, largest resident memory in bytes, and output of a command."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * 1024, log.read_text(encoding="utf-8", errors="replace")[-2000:]


def fill(run: Path, count: int) -> None:
    """Replaces the candidates and both ratings of a finished run by made-up ones."""
    replaced(run, "candidates", count, Candidate, candidates)
    for number in (1, 2):
        replaced(run, f"ratings-{number}", count, Rating, lambda start, stop, draw: ratings(start, stop, draw))


def replaced(
    run: Path, name: str, count: int, kind: type, rows: Callable[[int, int, random.Random], Iterator[Any]]
) -> None:
    """Writes a finished step's rows anew, part by part, under the same fingerprint."""
    step = RunFolder(run).step(name)
    manifest = step.manifest()
    if manifest is None:
        raise RuntimeError(f"{step.path} is not finished")
    shutil.rmtree(step.path)
    step.begin(manifest.fingerprint)
    draw = random.Random(name)
    for part, start in enumerate(range(0, count, ROWS_PER_PART)):
        made = list(rows(start, min(start + ROWS_PER_PART, count), draw))
        write_rows(step.path / f"part-{part:05d}.parquet", made, kind)
    step.finish(replace(manifest, rows=count, dropped={}))


def candidates(start: int, stop: int, draw: random.Random) -> Iterator[Candidate]:
    """Pairs of random words, from 5,000 sites."""
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
    for number in range(start, stop):
        text = " ".join(draw.choices(words, k=TEXT_CHARS // 6))
        source = Source(f"https://site{number % 5000}.example/{number}", None, 0, len(text), "CC0-1.0")
        question = " ".join(draw.choices(words, k=15))
        yield Candidate(content_id(number), f"What is {question}?", text, ["A page", "A part"], source)


def ratings(start: int, stop: int, draw: random.Random) -> Iterator[Rating]:
    """Ratings by lot, with the probabilities that they are the mean of."""
    for number in range(start, stop):
        shares = [draw.random() for _ in range(5)]
        total = sum(shares)
        probabilities = [share / total for share in shares]
        mean = sum(score * share for score, share in zip(range(1, 6), probabilities, strict=True))
        yield Rating(content_id(number), mean, probabilities=probabilities, method="expected")
