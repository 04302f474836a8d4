"""What a finished run brings: instructions, the model that answers them, and the judge of its last round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from humpback.config import Config
from humpback.engines import Ability, Engine, require
from humpback.errors import InputError
from humpback.evaluation.asking import Model, find_model
from humpback.judge.fit import Judge
from humpback.randomness import derived_seed
from humpback.records import Curated, Example, Source
from humpback.stages.rate import CALIBRATED, JUDGE_FILE, Rater, calibrated_rater, make_rater, rating_method
from humpback.stages.verdict import CARRIED
from humpback.workspace import Manifest, RunFolder, read_rows

SALT = "preferences"  # keeps draws apart from those of the run


@dataclass(frozen=True, slots=True)
class Asked:
    """An instruction, and the text that answers it in the data: a document's, or a human's in the seed."""

    id: str
    instruction: str
    document: str
    source: Source


@dataclass(frozen=True, slots=True)
class Material:
    """`model` answers `rows`; `asked_by_judge` is the model that rates, through `judge` or, without one, the rubric.

    `identity` changes with whatever the answers, and `judge_identity` with whatever their ratings depend on.
    """

    rows: list[Asked]
    model: Model
    asked_by_judge: Model
    judge: Judge | None
    identity: list[str]
    judge_identity: list[str]

    def rater(self, engine: Engine) -> Rater:
        """The judge of the run's last round, asking `engine`, which runs `asked_by_judge`."""
        config = self.model.config
        if self.judge is not None:
            return calibrated_rater(engine, self.model.prompts, self.judge)
        return make_rater(engine, self.model.prompts, config.rate, config.random_seed, SALT)

    def check_rating(self, engine: Engine) -> None:
        """Makes sure that an engine of this kind can rate, before it answers for hours.

        Raises:
            EngineError: it cannot.
        """
        if self.judge is not None:
            require(engine, Ability.LOGLIKELIHOOD, "rate.judge: calibrated", "set engine.kind: transformers")
        else:
            rating_method(engine, self.model.config.rate)


def run_material(run: Path, *, with_seed: bool, limit: int | None, overrides: Sequence[str] = ()) -> Material:
    """What the run in folder `run` brings: the instructions of its last curated set, and of its seed if wanted.

    At most `limit` of them, by lot.

    Raises:
        HumpbackError: the folder is no run, or its last model or judge is not finished.
    """
    folder = RunFolder(run)
    folder.config()  # a folder that is no run is refused
    model = find_model(str(run), overrides)
    config = model.config
    number = config.rounds
    curated = f"{'rewritten' if config.curate.rewrite else 'curated'}-{number}"
    rating = f"judge-{number}" if config.rate.judge == CALIBRATED else f"ratings-{number}"
    found = {name: finished(folder, name) for name in ("seed", curated, rating, f"models/m{number}")}
    judge_model = model_asked_by(rating, found[rating])
    found[judge_model] = finished(folder, judge_model)
    rows = _rows(folder, curated, with_seed=with_seed)
    judge = None
    if config.rate.judge == CALIBRATED:
        judge = Judge.from_json((folder.step(rating).path / JUDGE_FILE).read_text(encoding="utf-8"))
    return Material(
        rows=rows if limit is None else _by_lot(rows, limit, config),
        model=model,
        asked_by_judge=replace(model, name=f"{config.name} {judge_model}", folder=folder.path / judge_model),
        judge=judge,
        identity=[found[name].fingerprint for name in ("seed", curated, f"models/m{number}")],
        judge_identity=[found[name].fingerprint for name in (rating, judge_model)],
    )


def finished(folder: RunFolder, name: str) -> Manifest:
    """What the step `name` of a run says of itself.

    Raises:
        InputError: it is not finished.
    """
    manifest = folder.step(name).manifest()
    if manifest is None:
        raise InputError(f"{folder.path / name}: is not finished; `humpback run` makes it")
    return manifest


def model_asked_by(step: str, manifest: Manifest) -> str:
    """The step of the model that a round's judge or ratings asked: that of the round before.

    A round after the loop has stopped (`stop_when_worse`) carries over an earlier round's judge.
    """
    made_by = str(manifest.facts.get(CARRIED, step))
    return f"models/m{int(made_by.rpartition('-')[2]) - 1}"


def _rows(folder: RunFolder, curated: str, *, with_seed: bool) -> list[Asked]:
    rows = [
        Asked(row.id, row.instruction, row.output if row.original is None else row.original, row.source)
        for row in read_rows(folder.step(curated).path, Curated)
    ]
    if with_seed:
        examples = read_rows(folder.step("seed").path, Example)
        rows += [Asked(one.id, one.instruction, one.output, one.source) for one in examples]
    return rows


def _by_lot(rows: list[Asked], limit: int, config: Config) -> list[Asked]:
    drawn = sorted(rows, key=lambda row: derived_seed(config.random_seed, SALT, "limit", row.id))[:limit]
    chosen = {row.id for row in drawn}
    return [row for row in rows if row.id in chosen]
