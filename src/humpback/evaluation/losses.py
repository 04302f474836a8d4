"""How likely a model finds answers that humans wrote: pairs to measure on, and one loss a pair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from humpback.config import Config, EngineConfig
from humpback.engines import Engine, LikelihoodRequest
from humpback.engines.fitting import fit_prompt
from humpback.errors import EngineError
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.records import Example
from humpback.seed import read_seed
from humpback.workspace import read_rows

SEED_SET = "seed"
BACKWARD = "backward"
INSTEAD = "set evaluate.engine: transformers"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Pairs to measure on; `name` is `seed` for the seed's held-out pairs."""

    name: str
    pairs: list[Example]


def evaluation_engine(config: Config) -> EngineConfig:
    """The settings of the engine that measures."""
    if config.evaluate.engine == "same":
        return config.engine
    return config.engine.model_copy(update={"kind": config.evaluate.engine})


def evaluation_sets(config: Config, held_out: Path) -> list[EvaluationSet]:
    """The seed's held-out pairs and the configured sets, each cut to `evaluate.max_pairs` by lot."""
    sets = [EvaluationSet(SEED_SET, list(read_rows(held_out, Example)))]
    for name, file in config.evaluate.sets.items():
        settings = config.ingest.model_copy(update={"seed_format": "auto"})
        sets.append(EvaluationSet(name, read_seed([file], settings).examples))
    limit = config.evaluate.max_pairs

    def lot(example: Example) -> int:
        return derived_seed(config.random_seed, "evaluate", example.id)

    return [EvaluationSet(part.name, sorted(part.pairs, key=lot)[:limit]) for part in sets]


def pair_losses(
    engine: Engine, prompts: PromptContract, part: EvaluationSet, config: Config, direction: str
) -> list[float]:
    """Negative log-likelihood per token, in nats, of each pair's answer (of its instruction for the backward model).

    Asked as the models are asked in use: with both tags. Answers are measured up to `train.max_tokens` tokens, or to
    half of a shorter context; a prompt that does not fit beside them loses the end of what it asks about.

    Raises:
        EngineError: the fixed part of a prompt alone fills the context.
    """
    longest = min(config.train.max_tokens, (engine.context or 2 * config.train.max_tokens) // 2)
    requests = []
    for pair in part.pairs:
        if direction == BACKWARD:
            text, render = engine.cut(pair.output, config.prompts.max_text_tokens), prompts.backward
        else:
            text, render = pair.instruction, partial(prompts.forward, tag=prompts.inference_tag)
        target = engine.cut(pair.instruction if direction == BACKWARD else pair.output, longest)
        prompt = fit_prompt(engine, text, render, engine.count(target))
        if prompt is None:
            raise EngineError(
                f"evaluate: pair {pair.id} of {part.name}: the prompt leaves no room in the model's context of "
                f"{engine.context} tokens; use a shorter prompts.backward_template, or a model with a longer context"
            )
        requests.append(LikelihoodRequest(pair.id, prompt.text, target))
    return [-answer.logprob / max(1, answer.tokens) for answer in engine.loglikelihood(requests)]
