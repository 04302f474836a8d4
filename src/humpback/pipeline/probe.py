"""How fast this machine is at each kind of work a run does, from a few rows of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from humpback.config import Config
from humpback.engines import (
    Ability,
    Engine,
    GenerationRequest,
    LikelihoodRequest,
    Sampling,
    chat_format,
    open_engine,
)
from humpback.judge.reader import Question, read_signals
from humpback.models import model_folder
from humpback.prompts import PromptContract, tokenise_pair
from humpback.records import Candidate, Example, Segment
from humpback.stages.rate import make_rater

PROBE_ROWS = 8


@dataclass(frozen=True, slots=True)
class Speeds:
    """Seconds of one row of each kind of work, of one training token, and of loading the model."""

    generate: float
    rate: float
    evaluate: float
    train_token: float
    load: float


def probe_speeds(config: Config, seed: Sequence[Example], sample: Sequence[Segment]) -> Speeds:
    """Loads the base model and times a few rows of each kind of work: half a minute for a small model.

    `sample` are segments of the run's corpus, `seed` its pairs.
    """
    base = model_folder(config.model)
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    started = time.monotonic()
    stride = max(1, len(sample) // PROBE_ROWS)
    segments = sample[::stride][:PROBE_ROWS]
    pairs = seed[:PROBE_ROWS]
    with closing(open_engine(config.engine, base, prompts.chat.end)) as engine:
        load = time.monotonic() - started
        generate = _time_generation(engine, prompts, segments, config)
        rate = _time_rating(engine, prompts, segments, config)
        can_evaluate = Ability.LOGLIKELIHOOD in engine.abilities  # else evaluate.engine does it, or nobody
        evaluate = _time_likelihood(engine, prompts, pairs, config) if can_evaluate else 0.0
    train_token = _time_training(base, prompts, seed, config)
    return Speeds(generate=generate, rate=rate, evaluate=evaluate, load=load, train_token=train_token)


def _time_generation(engine: Engine, prompts: PromptContract, segments: Sequence[Segment], config: Config) -> float:
    limit = config.prompts.max_text_tokens
    requests = [GenerationRequest(s.id, prompts.backward(engine.cut(s.text, limit)), 0) for s in segments]
    sampling = Sampling(config.augment.temperature, config.augment.top_p, min(32, config.augment.max_new_tokens))
    return _seconds(lambda: engine.generate(requests, sampling)) / len(requests)


def _time_rating(engine: Engine, prompts: PromptContract, segments: Sequence[Segment], config: Config) -> float:
    candidates = [Candidate(s.id, " > ".join(s.headers), s.text, s.headers, s.source) for s in segments]
    if config.rate.judge == "calibrated":
        questions = [Question(row.id, row.instruction, row.output) for row in candidates]
        return _seconds(lambda: read_signals(engine, prompts, questions)) / len(questions)
    rater = make_rater(engine, prompts, config.rate, config.random_seed, "plan")
    return _seconds(lambda: rater(candidates)) / len(candidates)


def _time_likelihood(engine: Engine, prompts: PromptContract, pairs: Sequence[Example], config: Config) -> float:
    requests = [
        LikelihoodRequest(
            pair.id,
            prompts.forward(pair.instruction, prompts.inference_tag),
            engine.cut(pair.output, config.train.max_tokens),
        )
        for pair in pairs
    ]
    return _seconds(lambda: engine.loglikelihood(requests)) / len(requests)


def _time_training(base: Path, prompts: PromptContract, seed: Sequence[Example], config: Config) -> float:
    from humpback.models import load_tokenizer
    from humpback.training.probe import seconds_per_token

    tokenizer = load_tokenizer(base)
    tag = prompts.config.seed_tag
    pairs = [prompts.forward_pair(pair.instruction, pair.output, tag) for pair in seed[: 8 * PROBE_ROWS]]
    tokenised = [tokenise_pair(tokenizer, pair, config.train.max_tokens) for pair in pairs]
    rows = [row for row in tokenised if row is not None]
    return seconds_per_token(base, rows, config.train, device=config.engine.device)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
