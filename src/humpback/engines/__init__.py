"""What runs models, behind one protocol."""

from humpback.engines.base import (
    Ability,
    ChoiceRequest,
    Choices,
    Engine,
    Generation,
    GenerationRequest,
    Likelihood,
    LikelihoodRequest,
    Sampling,
    require,
)
from humpback.engines.open import chat_format, open_engine

__all__ = [
    "Ability",
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
    "require",
]
