"""Whether a model got better: its loss on answers that humans wrote."""

from humpback.evaluation.losses import (
    BACKWARD,
    INSTEAD,
    EvaluationSet,
    evaluation_engine,
    evaluation_sets,
    pair_losses,
)

__all__ = ["BACKWARD", "INSTEAD", "EvaluationSet", "evaluation_engine", "evaluation_sets", "pair_losses"]
