"""What a Ray cluster costs on one machine: rating 10,000 candidates by the scripted engine, here and by workers of Ray.

    python benchmarks/ray_overhead.py

All kinds take turns, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from humpback.cluster import open_executor
from humpback.config import ClusterConfig, Config
from humpback.records import Candidate, Rating, Source, content_id
from humpback.stages.context import EngineSource
from humpback.stages.rate import RatingWork
from humpback.workspace import Executor, StepFolder, StoredRows, ThisProcess, run_shards, write_rows
from humpback.workspace.spans import Span, WrittenShards

ROWS = 10_000
ROWS_PER_SHARD = 256
TEXT = "A whale breathes air at the surface and may stay below it for an hour, as sperm whales do. " * 17


class OfRayData:
    """The same work as a stateful function of Ray Data."""

    def __init__(self, work: WrittenShards[Candidate]) -> None:
        self._stack = ExitStack()
        self._call = self._stack.enter_context(work.open())

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        for index, first, count in zip(batch["index"], batch["first"], batch["count"], strict=True):
            self._call(Span(int(index), int(first), int(count)))
        return {"index": batch["index"]}


def measure(folder: Path, rows: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each kind, round by round."""
    source = Source("https://example.org/whales")
    candidates = [
        Candidate(content_id("c", number), "How long can a whale dive?", f"{number} {TEXT}", ["Whales"], source)
        for number in range(rows)
    ]
    write_rows(folder / "candidates" / "part-00000.parquet", candidates, Candidate)
    stored = StoredRows.of(folder / "candidates", Candidate)
    config = Config.model_validate({"seed": "none", "corpus": "none", "engine": {"kind": "scripted"}})
    work = RatingWork(EngineSource(config, None), None, "benchmark")

    def by(executor: Executor) -> Callable[[StepFolder], None]:
        return lambda step: run_shards(stored, step, Rating, work, executor, rows_per_shard=ROWS_PER_SHARD)

    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        kinds: dict[str, Callable[[StepFolder], None]] = {"this process": by(ThisProcess())}
        for count in (1, 2):
            cluster = ClusterConfig(address="auto", replicas=count, replica_cpus=0.5)
            kinds[f"Ray actors, {count}"] = by(stack.enter_context(open_executor(cluster, folder)))
            kinds[f"Ray Data, {count}"] = lambda step, count=count: ray_data(  # type: ignore[misc]
                WrittenShards(stored, step.path, Rating, work), rows, count
            )
        for number in range(rounds + 1):
            for name, run in kinds.items():
                step = StepFolder(folder / f"{name} {number}", "step")
                step.begin("key")
                started = time.perf_counter()
                run(step)
                found.setdefault(f"{name}, first time" if number == 0 else name, []).append(
                    time.perf_counter() - started
                )
    return found


def ray_data(work: WrittenShards[Candidate], rows: int, count: int) -> None:
    """The same shards through `map_batches`, a shard a block."""
    import ray.data

    items = [
        {"index": index, "first": first, "count": min(ROWS_PER_SHARD, rows - first)}
        for index, first in enumerate(range(0, rows, ROWS_PER_SHARD))
    ]
    spans = ray.data.from_items(items, override_num_blocks=len(items))
    pool = ray.data.ActorPoolStrategy(size=count)
    done = spans.map_batches(OfRayData, fn_constructor_args=(work,), batch_size=1, compute=pool, num_cpus=0.5)
    if sum(1 for _ in done.iter_rows()) != len(items):
        raise AssertionError("shards are missing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    import ray

    started = time.perf_counter()
    ray.init(address="local", num_cpus=4, include_dashboard=False, logging_level="error", log_to_driver=False)
    joined = time.perf_counter() - started
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), given.rows, given.rounds)
    print(f"| {given.rows:,} candidates, {ROWS_PER_SHARD} a shard | seconds |\n|---|---|")
    print(f"| Ray {ray.__version__} starts | {joined:.1f} |")
    for name, seconds in found.items():
        spread = f" ({min(seconds):.2f} to {max(seconds):.2f})" if len(seconds) > 1 else ""
        print(f"| {name} | {median(seconds):.2f}{spread} |")
    ray.shutdown()


if __name__ == "__main__":
    main()
