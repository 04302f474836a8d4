"""Measures how diverse the instructions of the seed and of the last curated set are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from humpback.evaluation.diversity import SEED, InstructionSet, measure_diversity
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import read_columns, write_json

VERSION = 1
DIVERSITY_FILE = "diversity.json"
LIMIT = 20_000  # instructions of each set (ours: a few minutes of parsing)


def measure(context: StageContext) -> Outcome:
    """Writes `diversity.json`: verbs and objects, distinct n-grams, spread and topics of both sets."""
    sets = [_set(name, folder) for name, folder in context.inputs.items()]
    seed = context.config.random_seed
    found = measure_diversity(sets, SEED, limit=LIMIT, random_seed=seed, progress=context.progress)
    write_json(context.output.path / DIVERSITY_FILE, asdict(found))
    return Outcome({"parsed": {part.name: part.parsed for part in found.sets}})


def _set(name: str, folder: Path) -> InstructionSet:
    return InstructionSet(name, name, [text for (text,) in read_columns(folder, "instruction")])
