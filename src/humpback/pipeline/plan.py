"""What a run would do: what is there already, rows and tokens per step, and time and disk from a short probe."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from humpback.config import Config, IngestConfig
from humpback.corpus import RawDocument, Segmented, read_documents, segments_of, stopped
from humpback.engines import (
    Ability,
    Engine,
    GenerationRequest,
    LikelihoodRequest,
    Sampling,
    chat_format,
    open_engine,
)
from humpback.errors import NothingLeftError
from humpback.judge.defects import Defect
from humpback.judge.reader import Question, read_signals
from humpback.models import model_folder
from humpback.pipeline.preflight import model_bytes
from humpback.pipeline.state import StepState, run_state
from humpback.prompts import PromptContract, tokenise_pair
from humpback.records import Candidate, Dropped, Example, Segment
from humpback.seed import read_seed
from humpback.stages.augment import DEFAULT_SAMPLES
from humpback.stages.curate import DEFAULT_FRACTION
from humpback.stages.rate import make_rater
from humpback.workspace import RowLimits, RunFolder, Workers, each_row, write_json

PLAN_FILE = "plan.json"
DOCUMENTS_AT_ONCE = 20  # ours: enough for a worker not to wait
SAMPLE_DOCUMENTS = 200  # ours: segments a page differ widely, a few hundred pages settle the mean within a tenth
PROBE_ROWS = 8
CHARS_PER_TOKEN = 4.0  # ours: SmolLM2 makes 3.8 of the built-in pairs and 4.4 of OpenAssistant's
PROMPT_TOKENS = 40  # tags and turns around a pair


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step: its state, and estimates of rows, tokens read and written, seconds, and bytes on disk."""

    name: str
    status: str
    rows: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, and what is still to do in sum."""

    steps: list[StepPlan]
    probed: bool

    @property
    def seconds(self) -> float:
        """Estimated seconds of what is not done yet."""
        return sum(step.seconds or 0.0 for step in self.steps if step.status != "done")

    @property
    def bytes(self) -> int:
        """Estimated bytes that what is not done yet will write."""
        return sum(step.bytes or 0 for step in self.steps if step.status != "done")


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Rows to expect, and a sample of them."""

    documents: int
    segments: int
    seed: list[Example]
    sample: list[Segment]

    @property
    def segment_tokens(self) -> float:
        """Mean tokens of a segment."""
        return sum(len(segment.text) for segment in self.sample) / max(1, len(self.sample)) / CHARS_PER_TOKEN

    def pair_tokens(self, max_tokens: int) -> float:
        """Mean tokens of a training row."""
        lengths = [(len(pair.instruction) + len(pair.output)) / CHARS_PER_TOKEN for pair in self.seed]
        return sum(min(max_tokens, PROMPT_TOKENS + length) for length in lengths) / max(1, len(lengths))


@dataclass(frozen=True, slots=True)
class _Speeds:
    """Seconds of one row of each kind of work, of one training token, and of loading the model; from the probe."""

    generate: float
    rate: float
    evaluate: float
    train_token: float
    load: float


def make_plan(config: Config, *, probe: bool = True) -> Plan:
    """The plan of a run; also written to `plan.json` in its folder, where the report finds it.

    With `probe`, the base model is loaded and times a few rows of each kind of work (half a minute for a small
    model). Without it, or with the scripted engine, no seconds are given.

    Raises:
        HumpbackError: an input cannot be read, or there would be nothing to train on.
    """
    states = run_state(config)
    sizes = _measure(config)
    speeds = _probe(config, sizes) if probe and config.engine.kind != "scripted" else None
    steps = [_plan_step(state, config, sizes, speeds) for state in states]
    plan = Plan(steps, probed=speeds is not None)
    folder = RunFolder(config.folder)
    values = {step.name: {key: value for key, value in asdict(step).items() if key != "name"} for step in steps}
    with folder.locked():
        folder.create(config)
        write_json(folder.path / PLAN_FILE, {"probed": plan.probed, "steps": values})
    return plan


def _segments(documents: list[RawDocument | Dropped], config: IngestConfig) -> list[Segment]:
    limits = RowLimits(config.limits.document_seconds, config.limits.memory_gib)
    cut = partial(segments_of, config=config)
    with Workers(config.workers, limits) as workers:
        found = each_row(workers, cut, documents, _stopped, rows_at_once=DOCUMENTS_AT_ONCE)
        return [segment for _, segmented in found for segment in segmented.kept]


def _stopped(document: RawDocument | Dropped, why: str) -> Segmented:
    return Segmented([], [stopped(document, why)])


def _measure(config: Config) -> _Sizes:
    seed = read_seed(config.seed, config.ingest).examples
    if config.ingest.seed_limit is not None:
        seed = seed[: config.ingest.seed_limit]
    documents = read_documents(config.corpus, config.ingest)
    first = list(itertools.islice(documents, SAMPLE_DOCUMENTS))
    total = sum(isinstance(document, RawDocument) for document in itertools.chain(first, documents))
    sample = _segments(first, config.ingest)
    if not sample and len(first) < SAMPLE_DOCUMENTS:
        raise NothingLeftError(f"corpus: {', '.join(config.corpus)}: none of its {total} documents holds a segment")
    looked_at = sum(isinstance(document, RawDocument) for document in first)
    segments = round(total * len(sample) / max(1, looked_at))
    if config.ingest.max_segments is not None:
        segments = min(segments, config.ingest.max_segments)
    return _Sizes(total, segments, seed, sample)


def _plan_step(state: StepState, config: Config, sizes: _Sizes, speeds: _Speeds | None) -> StepPlan:
    name, stage = state.step.name, state.step.stage
    if state.status != "done" and name.startswith(("judge-", "verdict-")):
        return _plan_calibration(state, config, sizes, speeds)
    done = RunFolder(config.folder).step(name).manifest() if state.status == "done" else None
    trained = round(len(sizes.seed) * (1 - config.ingest.held_out_fraction) * (1 - config.calibration_fraction))
    curated = round(sizes.segments * (config.curate.keep_fraction or DEFAULT_FRACTION))
    text_tokens = round(sizes.segments * sizes.segment_tokens)
    rows = {"augment": sizes.segments, "rate": sizes.segments, "curate": curated, "export": curated}
    count = rows.get(stage, {"seed": trained, "passages": sizes.segments, "segments": sizes.segments}.get(name))
    tokens = text_tokens if stage in ("augment", "rate") else None
    seconds: float | None = None
    size: int | None = None
    if stage == "train":
        count = trained + (curated if "curated" in str(state.step.needs) else 0)
        size = model_bytes(config) if config.engine.kind != "scripted" else None
        tokens = _training_tokens(count, config, sizes)
        seconds = None if speeds is None else 2 * speeds.load + tokens * speeds.train_token
    elif speeds is not None:
        per_row = {"augment": _augment_seconds(config, speeds), "rate": speeds.rate}.get(stage)
        seconds = None if per_row is None else speeds.load + per_row * sizes.segments
        if stage == "evaluate":
            seconds = (config.rounds + 3) * (speeds.load + speeds.evaluate * _evaluation_pairs(config, sizes))
    if done is not None:
        return StepPlan(name, state.status, done.rows or None, tokens, done.seconds, sum(done.files.values()))
    return StepPlan(name, state.status, count, tokens, seconds, size)


def _augment_seconds(config: Config, speeds: _Speeds) -> float:
    """Seconds to write a text's instruction; of several, each is written, and the text read after it, to choose one."""
    samples = config.augment.samples or DEFAULT_SAMPLES
    return speeds.generate if samples == 1 else samples * (speeds.generate + speeds.evaluate)


def _plan_calibration(state: StepState, config: Config, sizes: _Sizes, speeds: _Speeds | None) -> StepPlan:
    """What is done with the pairs set aside: defects of every kind planted and read, or two models compared."""
    aside = round(len(sizes.seed) * (1 - config.ingest.held_out_fraction) * config.calibration_fraction)
    if state.step.name.startswith("verdict-"):
        seconds = None if speeds is None else 2 * (speeds.load + speeds.evaluate * aside)
        return StepPlan(state.step.name, state.status, None, None, seconds)
    planted = min(aside, config.rate.max_calibration_pairs) * (1 + len(Defect))
    tokens = round(planted * sizes.pair_tokens(config.train.max_tokens))
    return StepPlan(
        state.step.name, state.status, planted, tokens, None if speeds is None else speeds.load + speeds.rate * planted
    )


def _training_tokens(examples: int, config: Config, sizes: _Sizes) -> int:
    from humpback.training import recipe_for

    recipe = recipe_for(examples, 0, config.train)
    return round(recipe.steps * recipe.batch_size * sizes.pair_tokens(config.train.max_tokens))


def _evaluation_pairs(config: Config, sizes: _Sizes) -> int:
    held_out = round(len(sizes.seed) * config.ingest.held_out_fraction)
    limit = config.evaluate.max_pairs
    return min(held_out, limit) + limit * len(config.evaluate.sets)


def _probe(config: Config, sizes: _Sizes) -> _Speeds:
    base = model_folder(config.model)
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    started = time.monotonic()
    stride = max(1, len(sizes.sample) // PROBE_ROWS)
    segments = sizes.sample[::stride][:PROBE_ROWS]
    pairs = sizes.seed[:PROBE_ROWS]
    with closing(open_engine(config.engine, base, prompts.chat.end)) as engine:
        load = time.monotonic() - started
        generate = _time_generation(engine, prompts, segments, config)
        rate = _time_rating(engine, prompts, segments, config)
        can_evaluate = Ability.LOGLIKELIHOOD in engine.abilities  # else evaluate.engine does it, or nobody
        evaluate = _time_likelihood(engine, prompts, pairs, config) if can_evaluate else 0.0
    train_token = _time_training(base, prompts, sizes, config)
    return _Speeds(generate=generate, rate=rate, evaluate=evaluate, load=load, train_token=train_token)


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


def _time_training(base: Path, prompts: PromptContract, sizes: _Sizes, config: Config) -> float:
    from humpback.models import load_tokenizer
    from humpback.training.probe import seconds_per_token

    tokenizer = load_tokenizer(base)
    tag = prompts.config.seed_tag
    pairs = [prompts.forward_pair(pair.instruction, pair.output, tag) for pair in sizes.seed[: 8 * PROBE_ROWS]]
    tokenised = [tokenise_pair(tokenizer, pair, config.train.max_tokens) for pair in pairs]
    rows = [row for row in tokenised if row is not None]
    return seconds_per_token(base, rows, config.train, device=config.engine.device)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
