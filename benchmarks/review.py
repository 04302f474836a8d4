"""How quick the label page is: `python benchmarks/review.py --rows 10000`.

Answers come through the whole application, without a network. Texts are random words, 2,000 characters each.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from humpback.config import parse_config
from humpback.records import Candidate, Curated, Rating, Source, content_id
from humpback.review.guard import Person
from humpback.review.label_app import LabelPages
from humpback.review.serve import guarded, hosts_of
from humpback.workspace import RunFolder, write_rows

PART = "part-00000.parquet"
PATHS = ("/", "/?sort=best&page=100", "/?label=none&fate=kept", "/?q=number+99", "/?q=nothing+like+it")
REPEATS = 5


def main() -> None:
    """Prints milliseconds, the median of `REPEATS`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder), rows)
        start = time.perf_counter()
        pages = LabelPages(run, ["anna"])
        print(f"{'start':30}{time.perf_counter() - start:8.1f} s")
        person, host = Person("anna"), "127.0.0.1:8642"
        app = guarded(pages.routes(), [person], hosts_of("127.0.0.1", 8642))
        client = TestClient(app, base_url=f"http://{host}", headers={"origin": f"http://{host}"})
        client.get("/", params={"token": person.token})
        for path in (*PATHS, f"/row/{content_id(0)}"):
            show(path, lambda path=path: client.get(path).status_code)  # type: ignore[misc]
        verdicts = iter(["good", "bad"] * REPEATS)
        show("label", lambda: client.post("/label", json={"id": content_id(0), "verdict": next(verdicts)}).status_code)


def show(name: str, ask: Callable[[], int]) -> None:
    """Prints how long `ask`, which gives a status, takes."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        status = ask()
        seconds.append(time.perf_counter() - start)
        assert status == 200, f"{name}: {status}"
    print(f"{name:30}{1000 * statistics.median(seconds):8.0f} ms")


def write_run(folder: Path, count: int) -> Path:
    """A run of `count` candidates, rated once, every second of them kept."""
    config = parse_config(json.dumps({"model": "none", "seed": "seed.jsonl", "corpus": "documents"}), [])
    run = folder / "run"
    run.mkdir()
    RunFolder(run).create(config)
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
    texts = [" ".join(draw.choices(words, k=310))[:2000] for _ in range(200)]
    rows = [
        Candidate(
            content_id(n), f"What of {n}?", f"{texts[n % 200]} number {n}.", [], Source(f"https://s{n % 50}.org/")
        )
        for n in range(count)
    ]
    ratings = [Rating(row.id, 1 + 4 * draw.random(), p_good=draw.random()) for row in rows]
    kept = [Curated(row.id, row.instruction, row.output, [], row.source, 4.0, 1) for row in rows[::2]]
    write_rows(run / "candidates" / PART, rows, Candidate)
    write_rows(run / "ratings-1" / PART, ratings, Rating)
    write_rows(run / "curated-1" / PART, kept, Curated)
    return run


if __name__ == "__main__":
    main()
