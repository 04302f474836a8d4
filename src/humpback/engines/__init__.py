"""What runs models, behind one protocol."""

from humpback.engines.base import (
    ChoiceRequest,
    Choices,
    Engine,
    Generation,
    GenerationRequest,
    Likelihood,
    LikelihoodRequest,
    Sampling,
)
from humpback.engines.open import chat_format, open_engine

__all__ = [
    "ChoiceRequest",
    "Choices",
    "Engine",
    "Generation",
    "GenerationRequest",
    "Likelihood",
    "LikelihoodRequest",
    "Sampling",
    "chat_format",
    "open_engine",
]
