"""Fits the judge of a round to seed pairs with planted defects, and says whether it can judge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from humpback.config import Config
from humpback.engines import Ability, require
from humpback.errors import EngineError
from humpback.judge.defects import Defect, Planter
from humpback.judge.fit import GOOD, Judge, fit_judge, out_of_fold
from humpback.judge.fitness import Fitness, fitness_of
from humpback.judge.reader import Question, read_signals
from humpback.randomness import derived_seed
from humpback.records import Example, Planted, content_id
from humpback.stages.context import EngineSource, Outcome, StageContext
from humpback.workspace import HeldRows, Shard, read_rows, run_shards, write_json, write_text

VERSION = 1
JUDGE_FILE = "judge.json"
FITNESS_FILE = "fitness.json"
CALIBRATION = "calibration"  # the seed's pairs that are held out for this

log = logging.getLogger(__name__)


def fit(context: StageContext) -> Outcome:
    """Writes the planted pairs with their signals, the judge, and its fitness by kind of defect.

    Raises:
        EngineError: the engine gives no likelihoods, or the judge is unfit and `rate.unfit` says to stop.
    """
    config = context.config
    pairs = planted_pairs(calibration_pairs(context.inputs["seed"] / CALIBRATION, config), config.random_seed)
    with context.progress.task(f"fitting the judge ({context.output.name})", len(pairs), "pairs") as task:
        run_shards(
            HeldRows(pairs),
            context.output,
            Planted,
            _Reading(context.asked),
            context.executor,
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    rows = [row for row in read_rows(context.output.path, Planted) if row.signals]
    judge, fitness = fitted(rows)
    write_text(context.output.path / JUDGE_FILE, judge.to_json())
    write_json(context.output.path / FITNESS_FILE, asdict(fitness))
    if not fitness.is_fit:
        _refuse(fitness, config.rate.unfit)
    return Outcome({"good_pairs": fitness.good_pairs, "mean_auc": fitness.mean, "fit": fitness.is_fit})


@dataclass(frozen=True, slots=True)
class _Reading:
    asked: EngineSource

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Planted]], Shard]]:
        with self.asked.open() as opened:
            require(opened.engine, Ability.LOGLIKELIHOOD, "rate.judge: calibrated", "set rate.judge: rubric")

            def read(rows: list[Planted]) -> Shard:
                questions = [Question(row.id, row.instruction, row.output) for row in rows]
                found = read_signals(opened.engine, opened.prompts, questions)
                return Shard([replace(row, signals=signals or {}) for row, signals in zip(rows, found, strict=True)])

            yield read


def calibration_pairs(folder: Path, config: Config) -> list[Example]:
    """The seed pairs that defects are planted in, by lot."""
    pairs = read_rows(folder, Example)
    by_lot = sorted(pairs, key=lambda pair: derived_seed(config.random_seed, "calibration", pair.id))
    return by_lot[: config.rate.max_calibration_pairs]


def planted_pairs(pairs: Sequence[Example], random_seed: int) -> list[Planted]:
    """Each pair as it is and with each kind of defect that it can have."""
    planter = Planter(pairs, random_seed)
    found = []
    for pair in pairs:
        found.append(Planted(content_id("planted", GOOD, pair.id), GOOD, pair.id, pair.instruction, pair.output))
        for kind in Defect:
            planted = planter.plant(pair, kind)
            if planted is not None:
                row_id = content_id("planted", kind, pair.id)
                found.append(Planted(row_id, str(kind), pair.id, planted.instruction, planted.output))
    return found


def fitted(rows: Sequence[Planted]) -> tuple[Judge, Fitness]:
    """The judge of the pairs, and its fitness on pairs that it was not fitted to."""
    signals, kinds, groups = [row.signals for row in rows], [row.kind for row in rows], [row.pair for row in rows]
    return fit_judge(signals, kinds, groups), fitness_of(out_of_fold(signals, kinds, groups), kinds)


def _refuse(fitness: Fitness, unfit: str) -> None:
    worst = ", ".join(f"{one.kind} {one.auc:.2f}" for one in sorted(fitness.kinds, key=lambda one: one.auc)[:4])
    message = (
        f"the judge does not tell planted defects from good pairs: mean AUC {fitness.mean:.2f} over "
        f"{len(fitness.kinds)} kinds, {fitness.good_pairs} good pairs (worst: {worst}). Its ratings choose little "
        "better than a lot: bring more or better seed pairs, use a larger model, raise rate.max_calibration_pairs, or "
        "set rate.unfit: warn to go on all the same"
    )
    if unfit == "stop":
        raise EngineError(message)
    log.warning("%s", message)
