"""What a run would do: what is there already, rows and tokens per step, and time and disk from a short probe."""

from __future__ import annotations

import itertools
import time
from dataclasses import asdict, dataclass
from functools import partial

from humpback.config import Config, IngestConfig
from humpback.corpus import RawDocument, Segmented, read_documents, segments_of, stopped
from humpback.errors import NothingLeftError
from humpback.judge.defects import Defect
from humpback.pipeline.preflight import model_bytes
from humpback.pipeline.probe import Speeds, probe_speeds
from humpback.pipeline.state import StepState, run_state
from humpback.records import Dropped, Example, Segment
from humpback.seed import read_seed
from humpback.stages.augment import DEFAULT_SAMPLES
from humpback.stages.curate import DEFAULT_FRACTION
from humpback.workspace import RowLimits, RunFolder, Workers, each_row, write_json

PLAN_FILE = "plan.json"
DOCUMENTS_AT_ONCE = 20  # ours: enough for a worker not to wait
SAMPLE_DOCUMENTS = 200  # ours: segments a page differ widely, a few hundred pages settle the mean within a tenth
CHARS_PER_TOKEN = 4.0  # ours: SmolLM2 makes 3.8 of the built-in pairs and 4.4 of OpenAssistant's
PROMPT_TOKENS = 40  # tags and turns around a pair
DUPLICATE_SECONDS = 103e-6  # a text's signature and search, of one core: docs/corpus-benchmark.md
CONTAMINATION_SECONDS = 180e-6  # to look a text up among evaluation prompts, of one core: the same
CURATE_SECONDS = 220e-6  # a candidate, of one core: docs/faults.md


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
class Sizes:
    """Rows to expect, a sample of them, segments a document, and the seconds that it took to cut one."""

    documents: int
    segments: int
    per_document: float
    seed: list[Example]
    sample: list[Segment]
    document_seconds: float

    @property
    def segment_tokens(self) -> float:
        """Mean tokens of a segment."""
        return sum(len(segment.text) for segment in self.sample) / max(1, len(self.sample)) / CHARS_PER_TOKEN

    def pair_tokens(self, max_tokens: int) -> float:
        """Mean tokens of a training row."""
        lengths = [(len(pair.instruction) + len(pair.output)) / CHARS_PER_TOKEN for pair in self.seed]
        return sum(min(max_tokens, PROMPT_TOKENS + length) for length in lengths) / max(1, len(lengths))


def make_plan(config: Config, *, probe: bool = True, gpu_hour: float | None = None) -> Plan:
    """The plan of a run; also written to `plan.json` in its folder, where the report finds it.

    With `probe`, the base model is loaded and times a few rows of each kind of work (half a minute for a small
    model). Without it, or with the scripted engine, no seconds are given. `gpu_hour` is the price of a GPU's hour, with
    which the run's page of progress counts.

    Raises:
        HumpbackError: an input cannot be read, or there would be nothing to train on.
    """
    states = run_state(config)
    sizes = measure_sizes(config)
    speeds = probe_speeds(config, sizes.seed, sizes.sample) if probe and config.engine.kind != "scripted" else None
    steps = [plan_step(state, config, sizes, speeds) for state in states]
    plan = Plan(steps, probed=speeds is not None)
    folder = RunFolder(config.folder)
    values = {step.name: {key: value for key, value in asdict(step).items() if key != "name"} for step in steps}
    with folder.locked():
        folder.create(config)
        write_json(folder.path / PLAN_FILE, {"probed": plan.probed, "gpu_hour": gpu_hour, "steps": values})
    return plan


def _segments(documents: list[RawDocument | Dropped], config: IngestConfig) -> list[Segment]:
    limits = RowLimits(config.limits.document_seconds, config.limits.memory_gib)
    cut = partial(segments_of, config=config)
    with Workers(config.workers, limits) as workers:
        found = each_row(workers, cut, documents, _stopped, rows_at_once=DOCUMENTS_AT_ONCE)
        return [segment for _, segmented in found for segment in segmented.kept]


def _stopped(document: RawDocument | Dropped, why: str) -> Segmented:
    return Segmented([], [stopped(document, why)])


def measure_sizes(config: Config) -> Sizes:
    """Reads the seed and all documents, and cuts the first few hundred into segments."""
    seed = read_seed(config.seed, config.ingest).examples
    if config.ingest.seed_limit is not None:
        seed = seed[: config.ingest.seed_limit]
    documents = read_documents(config.corpus, config.ingest)
    first = list(itertools.islice(documents, SAMPLE_DOCUMENTS))
    total = sum(isinstance(document, RawDocument) for document in itertools.chain(first, documents))
    started = time.monotonic()
    sample = _segments(first, config.ingest)
    taken = time.monotonic() - started
    if not sample and len(first) < SAMPLE_DOCUMENTS:
        raise NothingLeftError(f"corpus: {', '.join(config.corpus)}: none of its {total} documents holds a segment")
    looked_at = sum(isinstance(document, RawDocument) for document in first)
    per_document = len(sample) / max(1, looked_at)
    segments = round(total * per_document)
    if config.ingest.max_segments is not None:
        segments = min(segments, config.ingest.max_segments)
    return Sizes(total, segments, per_document, seed, sample, taken / max(1, looked_at))


def plan_step(state: StepState, config: Config, sizes: Sizes, speeds: Speeds | None) -> StepPlan:
    """One step: what it took where it is done, what it would take where it is not."""
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
        tokens = training_tokens(count, config, sizes)
        seconds = None if speeds is None else 2 * speeds.load + tokens * speeds.train_token
    elif speeds is not None:
        by_stage = {
            "augment": speeds.load + _augment_seconds(config, speeds) * sizes.segments,
            "rate": speeds.load + speeds.rate * sizes.segments,
            "curate": CURATE_SECONDS * sizes.segments,
        }
        models = 1 + sum(need.startswith("models/") for need in state.step.needs)  # the base model besides
        by_name = {
            "evaluation": models * (speeds.load + speeds.evaluate * evaluation_pairs(config, sizes)),
            "passages": sizes.document_seconds * sizes.documents,
            "segments": (DUPLICATE_SECONDS + CONTAMINATION_SECONDS) * sizes.per_document * sizes.documents,
        }
        seconds = by_stage.get(stage, by_name.get(name))
    if done is not None:
        return StepPlan(name, state.status, done.rows or None, tokens, done.seconds, sum(done.files.values()))
    return StepPlan(name, state.status, count, tokens, seconds, size)


def _augment_seconds(config: Config, speeds: Speeds) -> float:
    """Seconds to write a text's instruction; of several, each is written, and the text read after it, to choose one."""
    samples = config.augment.samples or DEFAULT_SAMPLES
    return speeds.generate if samples == 1 else samples * (speeds.generate + speeds.evaluate)


def _plan_calibration(state: StepState, config: Config, sizes: Sizes, speeds: Speeds | None) -> StepPlan:
    """What is done with the pairs set aside: defects of every kind planted and read, or two models compared."""
    aside = round(len(sizes.seed) * (1 - config.ingest.held_out_fraction) * config.calibration_fraction)
    if state.step.name.startswith("verdict-"):
        seconds = None if speeds is None else 2 * (speeds.load + speeds.evaluate * aside)
        return StepPlan(state.step.name, state.status, None, None, seconds)
    planted = min(aside, config.rate.max_calibration_pairs) * (1 + len(Defect))
    pair = sizes.pair_tokens(config.train.max_tokens)
    # A rating was timed on segments, and takes the longer the more there is to read.
    read = min(1.0, pair / (PROMPT_TOKENS + sizes.segment_tokens))
    seconds = None if speeds is None else speeds.load + speeds.rate * read * planted
    return StepPlan(state.step.name, state.status, planted, round(planted * pair), seconds)


def training_tokens(examples: int, config: Config, sizes: Sizes) -> int:
    """Tokens that a training on so many rows goes through, each as often as it does."""
    from humpback.training import recipe_for

    recipe = recipe_for(examples, 0, config.train)
    return round(recipe.steps * recipe.batch_size * sizes.pair_tokens(config.train.max_tokens))


def evaluation_pairs(config: Config, sizes: Sizes) -> int:
    """Held-out pairs, of the seed and of the sets named, that each model is measured on."""
    held_out = round(len(sizes.seed) * config.ingest.held_out_fraction)
    limit = config.evaluate.max_pairs
    return min(held_out, limit) + limit * len(config.evaluate.sets)
