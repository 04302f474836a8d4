"""Judged pairs as an annotation file, and what is to be known of the judge beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.asking import Model
from humpback.evaluation.generations import read_outputs
from humpback.evaluation.judging.cache import Cache
from humpback.evaluation.judging.pairwise import Judged, Row, judge_pairs, pair_up
from humpback.progress import Progress
from humpback.workspace import write_text

CACHE_SUFFIX = ".cache.jsonl"


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """How a judge worked: `agreement` is the share of prompts on which both orders have the same winner, or none.

    `first_preferred` is how far it leans to the answer that stands first: 0.5 where the order has no say.
    """

    judged: int
    unparsed: int
    agreement: float | None
    first_preferred: float | None


def annotate(model: Model, reference: Path, outputs: Path, out: Path, progress: Progress) -> JudgeFigures:
    """Judges the file `outputs` against the file `reference` and writes AlpacaEval annotations to `out`.

    Answers of the judge stand in a cache beside `out`, so that a repeated call asks only what is missing.

    Raises:
        HumpbackError: the files do not fit together, or the judge cannot be had; what is done is kept.
    """
    pairs = pair_up(read_outputs(reference), read_outputs(outputs), (reference, outputs))
    if not pairs:
        raise InputError(f"{reference}: holds no outputs")
    judged = judge_pairs(model, pairs, Cache(out.with_name(out.name + CACHE_SUFFIX)), progress)
    rows = [_row(first, second, found, model.name) for (first, second), found in zip(pairs, judged, strict=True)]
    write_text(out, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return judge_figures(judged)


def judge_figures(judged: Sequence[Judged]) -> JudgeFigures:
    """The figures of some judged prompts."""
    agreeing = [one.agrees for one in judged if one.agrees is not None]
    # An answer that stood first has 2 - preference of the preference in the forward order, preference - 1 in the other.
    leaning = [
        ((2 - one.forward) + (one.swapped - 1)) / 2
        for one in judged
        if one.forward is not None and one.swapped is not None
    ]
    return JudgeFigures(
        judged=len(judged),
        unparsed=sum(one.preference is None for one in judged),
        agreement=sum(agreeing) / len(agreeing) if agreeing else None,
        first_preferred=sum(leaning) / len(leaning) if leaning else None,
    )


def _row(first: Row, second: Row, judged: Judged, annotator: str) -> dict[str, Any]:
    return {
        "instruction": first["instruction"],
        "output_1": first["output"],
        "generator_1": first["generator"],
        "dataset": first.get("dataset") or second.get("dataset") or "",
        "category": first.get("category") or second.get("category") or "",
        "output_2": second["output"],
        "generator_2": second["generator"],
        "annotator": annotator,
        "preference": judged.preference,
        "preference_in_order": judged.forward,
        "preference_swapped": judged.swapped,
    }
