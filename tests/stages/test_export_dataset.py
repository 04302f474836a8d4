"""The dataset step: each kept row meets its ratings, in one pass over both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from humpback.config import parse_config
from humpback.errors import WorkspaceError
from humpback.product.rows import dataset_rows
from humpback.progress import SilentProgress
from humpback.records import Candidate, Curated, Rating, Source
from humpback.stages.context import StageContext
from humpback.stages.export import export_dataset
from humpback.workspace import RunFolder, write_rows

KEPT = (1, 4, 5)


def source(number: int) -> Source:
    return Source(f"https://a.example/{number}", None, 0, 10, "MIT")


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    """Seven candidates in shards of two, of which three are kept; round 2 could not rate one of these."""
    run = tmp_path / "run"
    for number in range(7):
        part = f"part-{number // 2:05d}.parquet"
        if number % 2:
            continue
        rows = [one for one in (number, number + 1) if one < 7]
        write_rows(run / "candidates" / part, [Candidate(f"c{n}", "Ask", "x", [], source(n)) for n in rows], Candidate)
        write_rows(run / "ratings-1" / part, [Rating(f"c{n}", 1.0 + n / 2) for n in rows], Rating)
        second = [Rating(f"c{n}", None if n == 4 else 4.5, "empty", p_good=n / 10) for n in rows]
        write_rows(run / "ratings-2" / part, second, Rating)
    kept = [Curated(f"c{n}", "Ask", f"text {n}", ["h"], source(n), 4.5, 2, original="old") for n in KEPT]
    write_rows(run / "curated-2" / "part-00000.parquet", kept, Curated)
    names = ("candidates", "ratings-1", "ratings-2", "curated-2")
    return StageContext(
        config=parse_config(json.dumps({"seed": "s", "corpus": "c"}), name="test"),
        output=RunFolder(run).step("dataset"),
        inputs={name: run / name for name in names},
        prompts=cast(Any, None),
        base_model=Path(),
        progress=SilentProgress(),
        log_metrics=lambda *names, **values: None,
    )


def test_every_round_s_rating_stands_beside_the_row_it_is_of(context):
    outcome = export_dataset(context)
    rows = list(dataset_rows(context.output.path))
    assert [row.id for row in rows] == ["c1", "c4", "c5"]
    assert [row.ratings for row in rows] == [[1.5, 4.5], [3.0, None], [3.5, 4.5]]
    assert [row.p_good for row in rows] == [0.1, 0.4, 0.5]
    assert [(row.output, row.original, row.headers) for row in rows] == [(f"text {n}", "old", ["h"]) for n in KEPT]
    assert outcome.facts == {"rows": 3, "candidates": 7}
    card = (context.output.path / "README.md").read_text()
    assert "license: mit" in card
    assert "wrote 3 of the answers anew" in card


def test_a_row_without_a_rating_stops_it(context):
    (context.inputs["ratings-1"] / "part-00002.parquet").unlink()
    with pytest.raises(WorkspaceError, match="ratings-1: holds no rating of the kept row c4"):
        export_dataset(context)
    assert not (context.output.path / "train.parquet").exists()
    assert not (context.output.path / "train.jsonl").exists()
