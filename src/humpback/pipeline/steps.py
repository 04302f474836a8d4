"""The steps of a run: stages times rounds, each with what it needs and what its output depends on.

A step's fingerprint covers its stage's version, the settings it reads, the prompts where it uses them, and the
fingerprints of the steps it needs. Settings that change how fast something is computed, not what, stay out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from humpback.config import Config
from humpback.prompts.rewriting import rewriting_digest
from humpback.stages import (
    answers,
    augment,
    benchmarks,
    curate,
    diversity,
    evaluate,
    export,
    ingest,
    judge,
    rate,
    report,
    rewrite,
    train,
    verdict,
)
from humpback.stages.context import Outcome, StageContext

# The verbs of the command line, in order; each names one or more kinds of steps below.
STAGES = ("ingest", "train", "augment", "rate", "curate", "evaluate", "export", "report")


@dataclass(frozen=True, slots=True)
class Step:
    """One folder of the run: what makes it, from what, and what its content depends on."""

    name: str
    stage: str
    needs: tuple[str, ...]
    settings: dict[str, Any]
    version: int
    run: Callable[[StageContext], Outcome]
    uses_prompts: bool = False
    uses_base_model: bool = False


@dataclass(frozen=True, slots=True)
class InputDigests:
    """Fingerprints of what the user brings, taken once at the start of a command."""

    seed: str
    corpus: str
    evaluation_sets: dict[str, str]
    contamination: str = ""
    blocked_words: str = ""
    labels: str = ""
    asked: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()


def pipeline_steps(config: Config, digests: InputDigests) -> list[Step]:
    """Every step of the run in the order in which they run."""
    settings = _Settings(config, digests)
    steps = [
        Step("seed", "ingest", (), settings.seed(), ingest.VERSION, ingest.ingest_seed),
        Step("passages", "ingest", (), settings.passages(), ingest.VERSION, ingest.ingest_passages),
        Step("segments", "ingest", ("passages",), settings.segments(), ingest.VERSION, ingest.ingest_segments),
        _model("backward", ("seed",), settings, train.train_backward),
        _model("m0", ("seed",), settings, train.train_forward),
        Step(
            "candidates",
            "augment",
            ("segments", "models/backward", *settings.chosen_with),
            settings.augment(),
            augment.VERSION,
            augment.augment,
            uses_prompts=True,
        ),
    ]
    for number in range(1, config.rounds + 1):
        steps += _round(number, settings)
    rounds = range(1, config.rounds + 1)
    models = ("models/backward", "models/m0", *(f"models/m{number}" for number in rounds))
    ratings = tuple(f"ratings-{number}" for number in rounds)
    last = settings.trained_on(config.rounds)
    steps.append(
        Step(
            "dataset",
            "export",
            ("candidates", *ratings, last),
            settings.export(),
            export.VERSION,
            export.export_dataset,
        )
    )
    steps += _measurements(config, settings, models, last)
    everything = tuple(step.name for step in steps)
    steps.append(Step("report", "report", everything, settings.report(), report.VERSION, report.write_report))
    return steps


def _measurements(config: Config, settings: _Settings, models: tuple[str, ...], last: str) -> list[Step]:
    """What is measured at the end; `last` is the step whose rows the last model was trained on."""
    asked = ("models/m0", f"models/m{config.rounds}")
    steps = [
        Step(
            "evaluation",
            "evaluate",
            ("seed", *models),
            settings.evaluate(),
            evaluate.VERSION,
            evaluate.evaluate,
            uses_prompts=True,
            uses_base_model=True,
        )
    ]
    if config.evaluate.diversity:
        needs, run = ("seed", last), diversity.measure
        steps.append(Step("diversity", "evaluate", needs, settings.diversity(), diversity.VERSION, run))
    if config.evaluate.answers.is_wanted:
        steps.append(
            Step(
                "answers",
                "evaluate",
                asked,
                settings.answers(),
                answers.VERSION,
                answers.ask_models,
                uses_prompts=True,
            )
        )
    if config.evaluate.benchmarks.data is not None:
        steps.append(
            Step(
                "benchmarks",
                "evaluate",
                asked,
                settings.benchmarks(),
                benchmarks.VERSION,
                benchmarks.measure,
                uses_prompts=True,
                uses_base_model=True,
            )
        )
    return steps


def select_steps(steps: Sequence[Step], target: str) -> list[Step]:
    """The steps of the stage `target`, or the one step of that name, and all that they need, in order.

    Raises:
        ValueError: there is no such stage or step.
    """
    wanted = {step.name for step in steps if target in (step.stage, step.name)}
    if not wanted:
        raise ValueError(f"{target}: no such stage or step; stages are {', '.join(STAGES)}")
    for step in reversed(steps):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in steps if step.name in wanted]


def rating_steps(config: Config, number: int, model: str | None) -> list[Step]:
    """The steps that rate `candidates` in a round: fitting its judge, if any, and rating.

    `model` is the step whose model is asked; None asks the base model.
    """
    return _rating(number, model, _Settings(config, InputDigests("", "", {})))


def _round(number: int, settings: _Settings) -> list[Step]:
    ratings, curated = f"ratings-{number}", f"curated-{number}"
    before = (f"curated-{number - 1}",) if number > 1 else ()
    judged = (f"judge-{number}",) if settings.learns_from_labels else ()
    curated_from = ("candidates", ratings, *judged, *before)
    steps = [
        *_rating(number, f"models/m{number - 1}", settings),
        Step(curated, "curate", curated_from, settings.curate(), curate.VERSION, curate.curate),
        *([_rewriting(number, settings)] if settings.rewrites else []),
        _model(f"m{number}", ("seed", settings.trained_on(number)), settings, train.train_forward),
    ]
    if not settings.stops_when_worse:
        return steps
    if number > 1:
        steps = [_stoppable(step, number) for step in steps]
    return [*steps, _verdict(number, settings)]


def _rewriting(number: int, settings: _Settings) -> Step:
    needs = (f"curated-{number}", f"models/m{number - 1}")
    name = settings.trained_on(number)
    return Step(name, "curate", needs, settings.rewrite(), rewrite.VERSION, rewrite.rewrite, uses_prompts=True)


def _stoppable(step: Step, number: int) -> Step:
    """The step of a round that carries over what is there if the round before has stopped the loop."""
    said = f"verdict-{number - 1}"
    sources: tuple[str, ...]
    if step.stage == "train":
        source, sources = None, (f"models/m{number - 1}", f"models/m{number - 2}")
    else:
        source = step.name.replace(f"-{number}", f"-{number - 1}")
        sources = (source,)
    needs = tuple(dict.fromkeys((*step.needs, said, *sources)))
    return replace(step, needs=needs, run=verdict.unless_stopped(step.run, step.needs, said, source))


def _verdict(number: int, settings: _Settings) -> Step:
    before, after = f"models/m{number - 1}", f"models/m{number}"
    earlier = f"verdict-{number - 1}" if number > 1 else None
    run = partial(verdict.verdict, before=before, after=after, earlier=earlier)
    needs = ("seed", before, after, *([earlier] if earlier else []))
    return Step(f"verdict-{number}", "train", needs, settings.verdict(), verdict.VERSION, run, uses_prompts=True)


def _rating(number: int, model: str | None, settings: _Settings) -> list[Step]:
    asked = () if model is None else (model,)
    is_base = model is None
    judges = []
    if settings.is_calibrated:
        needs: tuple[str, ...] = ("seed", *asked)
        judges = [Step(f"judge-{number}", "rate", needs, settings.judge(), judge.VERSION, judge.fit, True, is_base)]
    needs = ("candidates", *asked, *(step.name for step in judges))
    rating = Step(f"ratings-{number}", "rate", needs, settings.rate(), rate.VERSION, rate.rate, True, is_base)
    return [*judges, rating]


def _model(name: str, needs: tuple[str, ...], settings: _Settings, run: Callable[[StageContext], Outcome]) -> Step:
    return Step(
        f"models/{name}",
        "train",
        needs,
        settings.train(),
        train.VERSION,
        run,
        uses_prompts=True,
        uses_base_model=True,
    )


class _Settings:
    """What each kind of step reads of the configuration, as JSON-able values."""

    _SEED_FIELDS = frozenset({"seed_format", "seed_limit", "seed_language", "held_out_fraction", "max_broken_fraction"})

    def __init__(self, config: Config, digests: InputDigests) -> None:
        self._config = config
        self._digests = digests
        self._engine = _engine_settings(config)
        self._shards = {"rows_per_shard": config.engine.rows_per_shard}

    @property
    def is_calibrated(self) -> bool:
        return self._config.rate.judge == "calibrated"

    @property
    def chosen_with(self) -> tuple[str, ...]:
        """What it takes to choose among several instructions for one text."""
        return () if self._config.augment.samples == 1 else ("seed", augment.FORWARD_MODEL)

    @property
    def learns_from_labels(self) -> bool:
        return self.is_calibrated and self._config.curate.labels is not None

    @property
    def rewrites(self) -> bool:
        return self._config.curate.rewrite

    def trained_on(self, number: int) -> str:
        """The step whose rows the model of a round is trained on."""
        return f"{'rewritten' if self.rewrites else 'curated'}-{number}"

    @property
    def stops_when_worse(self) -> bool:
        return self._config.stop_when_worse

    def seed(self) -> dict[str, Any]:
        chosen = self._config.ingest.model_dump(mode="json", include=set(self._SEED_FIELDS))
        return {
            "ingest": chosen,
            "calibration": self._config.calibration_fraction,
            "input": self._digests.seed,
            "decontaminate": self._decontaminate(),
            "random_seed": self._config.random_seed,
        }

    def passages(self) -> dict[str, Any]:
        later = {"calibration_fraction", "max_segments", "near_duplicates", "decontaminate", "workers"}
        left_out = self._SEED_FIELDS - {"max_broken_fraction"} | later
        chosen = self._config.ingest.model_dump(mode="json", exclude=set(left_out))
        return {"ingest": chosen, "input": self._digests.corpus, "blocked_words": self._digests.blocked_words}

    def segments(self) -> dict[str, Any]:
        limit = self._config.ingest.max_segments
        return {
            "near_duplicates": self._config.ingest.near_duplicates.model_dump(mode="json"),
            "decontaminate": self._decontaminate(),
            "max_segments": limit,
            "random_seed": self._config.random_seed if limit else None,
        }

    def _decontaminate(self) -> dict[str, Any]:
        rules = self._config.ingest.decontaminate
        if not rules.enabled:
            return {}
        return {"sets": self._digests.contamination, "ngram": rules.ngram, "overlap": rules.overlap}

    def train(self) -> dict[str, Any]:
        chosen = self._config.train.model_dump(mode="json", exclude={"checkpoint_minutes", "report_to"})
        scripted = self._config.engine.kind == "scripted"
        return {"train": chosen, "scripted": scripted, "random_seed": self._config.random_seed}

    def augment(self) -> dict[str, Any]:
        return self._section("augment") | {"random_seed": self._config.random_seed} | self._shards

    def rate(self) -> dict[str, Any]:
        config = self._config.rate
        if self.is_calibrated:
            return {"rate": {"judge": config.judge}, "engine": self._engine} | self._shards
        draws = config.method == "written" or bool(config.fallback)
        chosen = config.model_dump(mode="json", include=None if draws else {"method"})
        seed = self._config.random_seed if draws else None
        return {"rate": chosen, "random_seed": seed, "engine": self._engine} | self._shards

    def judge(self) -> dict[str, Any]:
        chosen = self._config.rate.model_dump(mode="json", include={"max_calibration_pairs", "unfit"})
        return {"rate": chosen, "random_seed": self._config.random_seed, "engine": self._engine} | self._shards

    def verdict(self) -> dict[str, Any]:
        return {
            "engine": self._engine,
            "measures_with": self._config.evaluate.engine,
            "bootstrap_samples": self._config.evaluate.bootstrap_samples,
            "max_tokens": self._config.train.max_tokens,
            "random_seed": self._config.random_seed,
        }

    def curate(self) -> dict[str, Any]:
        chosen = self._config.curate.model_dump(mode="json", exclude={"labels", "rewrite"})
        if self._digests.labels:
            chosen["labels"] = self._digests.labels
        return {"curate": chosen, "random_seed": self._config.random_seed} | self._shards

    def rewrite(self) -> dict[str, Any]:
        sampling = self._config.augment.model_dump(mode="json", include={"temperature", "top_p"})
        return {
            "prompt": rewriting_digest(),
            "sampling": sampling | {"max_new_tokens": self._config.train.max_tokens},
            "engine": self._engine,
            "random_seed": self._config.random_seed,
        } | self._shards

    def export(self) -> dict[str, Any]:
        return {"name": self._config.name, "model": self._config.model, "rounds": self._config.rounds}

    def evaluate(self) -> dict[str, Any]:
        chosen = self._config.evaluate.model_dump(mode="json", exclude={"diversity", "answers", "benchmarks"})
        return {"evaluate": chosen, "engine": self._engine} | {
            "inputs": self._digests.evaluation_sets,
            "max_tokens": self._config.train.max_tokens,
            "random_seed": self._config.random_seed,
        }

    def answers(self) -> dict[str, Any]:
        chosen = self._config.evaluate.answers.model_dump(mode="json", exclude={"prompts", "following"})
        return {"answers": chosen, "engine": self._engine} | {
            "inputs": self._digests.asked,
            "sampling": [self._config.augment.temperature, self._config.augment.top_p],
            "random_seed": self._config.random_seed,
        }

    def benchmarks(self) -> dict[str, Any]:
        chosen = self._config.evaluate.benchmarks.model_dump(mode="json", exclude={"data"})
        return {
            "benchmarks": chosen,
            "engine": self._engine,
            "measures_with": self._config.evaluate.engine,
            "inputs": self._digests.benchmarks,
        }

    def diversity(self) -> dict[str, Any]:
        return {"random_seed": self._config.random_seed}

    def report(self) -> dict[str, Any]:
        return {"config": self._config.model_dump(mode="json", exclude={"runs_dir", "store"})}

    def _section(self, name: str) -> dict[str, Any]:
        return {name: getattr(self._config, name).model_dump(mode="json"), "engine": self._engine}


def _engine_settings(config: Config) -> dict[str, Any]:
    """What an engine's answers depend on. A served model's arithmetic is the server's, wherever that stands."""
    engine = config.engine
    if engine.kind == "http":
        return {"kind": engine.kind, "start": engine.http.start}
    found = {"kind": engine.kind, "dtype": engine.dtype}
    # A shorter context cuts prompts; the transformers engine has the model's own.
    return found | ({"max_context": engine.vllm.max_context} if engine.kind == "vllm" else {})
