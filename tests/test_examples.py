"""The examples run."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from humpback.models import inspect_model

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("kind", ["tiny_model", "tiny_base"])
def test_the_minimal_loop_ends_with_a_curated_set_and_a_model(kind, request, tmp_path, capsys):
    model = request.getfixturevalue(kind)
    seed = [{"instruction": f"Say {word}", "output": f"{word} {word}"} for word in ("silver", "oven", "a reef")]
    segments = [{"text": f"The {word} stands in the valley."} for word in ("quilt", "kettle", "ladder", "yard", "dune")]
    for name, rows in (("seed", seed), ("segments", segments)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    main = runpy.run_path(str(EXAMPLES / "minimal_loop.py"))["main"]
    main(
        [
            *("--model", str(model), "--seed", str(tmp_path / "seed.jsonl")),
            *("--segments", str(tmp_path / "segments.jsonl"), "--out", str(tmp_path / "out")),
            *("--steps", "2", "--keep", "0.4"),
        ]
    )
    rows = [json.loads(line) for line in (tmp_path / "out/curated.jsonl").read_text().splitlines()]
    assert len(rows) == 2
    assert {row["output"] for row in rows} < {row["text"] for row in segments}
    assert all(row["instruction"] for row in rows)
    assert inspect_model(tmp_path / "out/model").parameters == inspect_model(model).parameters
    assert "M_2: the seed and 2 curated pairs" in capsys.readouterr().out


def test_the_minimal_loop_is_short():
    assert len((EXAMPLES / "minimal_loop.py").read_text().splitlines()) < 200
