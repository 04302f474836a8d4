"""Judged pairs as an annotation file, and what is to be known of the judge beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from humpback.evaluation.asking import Model
from humpback.evaluation.generations import read_outputs
from humpback.evaluation.judging.cache import Cache
from humpback.evaluation.judging.orders import Judged, JudgeFigures, judge_figures
from humpback.evaluation.judging.pairwise import judge_pairs, pair_up
from humpback.evaluation.winrate.annotations import IN_ORDER, PREFERENCE, SWAPPED
from humpback.progress import Progress
from humpback.workspace import write_text

CACHE_SUFFIX = ".cache.jsonl"


def annotate(model: Model, reference: Path, outputs: Path, out: Path, progress: Progress) -> JudgeFigures:
    """Judges the file `outputs` against the file `reference` and writes AlpacaEval annotations to `out`.

    Answers of the judge stand in a cache beside `out`, so that a repeated call asks only what is missing.

    Raises:
        HumpbackError: the files do not fit together, or the judge cannot be had; what is done is kept.
    """
    pairs = pair_up(read_outputs(reference), read_outputs(outputs), (reference, outputs))
    judged = judge_pairs(model, pairs, Cache(out.with_name(out.name + CACHE_SUFFIX)), progress)
    rows = [_row(first, second, found, model.name) for (first, second), found in zip(pairs, judged, strict=True)]
    write_text(out, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return judge_figures(judged)


def _row(first: Mapping[str, Any], second: Mapping[str, Any], judged: Judged, annotator: str) -> dict[str, Any]:
    return {
        "instruction": first["instruction"],
        "output_1": first["output"],
        "generator_1": first["generator"],
        "dataset": first.get("dataset") or second.get("dataset") or "",
        "category": first.get("category") or second.get("category") or "",
        "output_2": second["output"],
        "generator_2": second["generator"],
        "annotator": annotator,
        PREFERENCE: judged.preference,
        IN_ORDER: judged.forward,
        SWAPPED: judged.swapped,
    }
