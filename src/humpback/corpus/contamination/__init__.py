"""Decontamination: which evaluation prompts stand in a text, be they lightly edited."""

from humpback.corpus.contamination.index import EvaluationIndex, Hit, build_index
from humpback.corpus.contamination.prompts import Prompt
from humpback.corpus.contamination.sets import DEFAULT_SETS, EvaluationSet, load_sets, sets_digest

__all__ = [
    "DEFAULT_SETS",
    "EvaluationIndex",
    "EvaluationSet",
    "Hit",
    "Prompt",
    "build_index",
    "load_sets",
    "sets_digest",
]
