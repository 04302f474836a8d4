"""Sampling several answers to each instruction, and rating them together with the document's own text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from humpback.engines import Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import fit_prompt
from humpback.preferences.choose import Contender
from humpback.preferences.material import SALT, Asked, Material
from humpback.progress import Progress
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.records import Candidate, Dropped, DropReason, Rating
from humpback.stages.rate import VERSION as RATE_VERSION
from humpback.workspace import Manifest, Shard, StepFolder, fingerprint, map_shards, read_rows

ANSWERS, RATINGS = "answers", "ratings"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """How pairs are made.

    `samples` answers of at most `max_new_tokens` tokens are drawn for an instruction; Yuan et al. 2024 draw four. With
    `documents` the document's own text is a contender too (ours). A pair's ratings differ by at least `margin` on the
    scale of 1 to 5 (ours; Yuan et al. leave out equal ones only, whose ratings are whole numbers averaged).
    """

    samples: int = 4
    margin: float = 0.5
    max_new_tokens: int = 512
    documents: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled answer to the instruction of row `row_id`."""

    id: str
    row_id: str
    output: str


def sample_answers(material: Material, wanted: Wanted, work: Path, progress: Progress) -> StepFolder:
    """The folder of the answers that the model gives; finished shards of a stopped call are not asked for again."""
    config, model = material.model.config, material.model
    step = StepFolder(work / ANSWERS, ANSWERS)
    sampling = Sampling(config.augment.temperature, config.augment.top_p, wanted.max_new_tokens)
    depends_on: dict[str, object] = {
        "version": VERSION,
        "run": material.identity,
        "rows": [row.id for row in material.rows],
        "prompts": model.prompts.digest,
        "sampling": asdict(sampling),
        "samples": wanted.samples,
        "engine": _engine(material),
        "random_seed": config.random_seed,
    }

    def run() -> None:
        label = f"answers of {model.folder.name}"
        with model.engine() as engine, progress.task(label, len(material.rows), "instructions") as task:
            material.check_rating(engine)
            sampler = Sampler(engine, model.prompts, sampling, wanted.samples, config.random_seed)
            map_shards(
                material.rows,
                step,
                Answer,
                partial(answers_to, sampler=sampler),
                rows_per_shard=config.engine.rows_per_shard,
                advance=task.advance,
            )

    _once(step, depends_on, run)
    return step


def rate_answers(
    material: Material, answers: StepFolder, wanted: Wanted, work: Path, progress: Progress
) -> dict[str, list[Contender]]:
    """The rated contenders of each row by its id: its answers in the order of their draws, then the document's text."""
    config = material.model.config
    pairs = _contending(material.rows, answers.path, documents=wanted.documents)
    step = StepFolder(work / RATINGS, RATINGS)
    depends_on: dict[str, object] = {
        "version": [VERSION, RATE_VERSION],
        "judge": material.judge_identity,
        "rate": config.rate.model_dump(mode="json"),
        "pairs": [pair.id for pair in pairs],
        "answers": answered_from(answers),
        "engine": _engine(material),
    }

    def run() -> None:
        with material.asked_by_judge.engine() as engine, progress.task("rating", len(pairs), "answers") as task:
            rater = material.rater(engine)
            map_shards(
                pairs,
                step,
                Rating,
                lambda rows: Shard(rater(rows)),
                rows_per_shard=config.engine.rows_per_shard,
                advance=task.advance,
            )

    _once(step, depends_on, run)
    found: dict[str, list[Contender]] = defaultdict(list)
    for pair, rating in zip(pairs, read_rows(step.path, Rating), strict=True):
        row_id, _, number = pair.id.partition("/")
        found[row_id].append(Contender(pair.output, rating.rating, is_document=not number))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Sampler:
    """Everything that a row's answers depend on beside the row."""

    engine: Engine
    prompts: PromptContract
    sampling: Sampling
    samples: int
    random_seed: int


def answers_to(rows: Sequence[Asked], sampler: Sampler) -> Shard:
    """The different answers that ended by themselves, in the order of rows and draws.

    One that was cut off at the limit is set aside: training would put an end where the model saw none. So is an
    instruction that does not fit the model's context whole, since it would be trained on with what was never asked.
    """
    tag, room = sampler.prompts.inference_tag, sampler.sampling.max_new_tokens
    dropped: list[Dropped] = []
    requests: list[GenerationRequest] = []
    owners: dict[str, Asked] = {}
    for row in rows:
        prompt = fit_prompt(sampler.engine, row.instruction, partial(sampler.prompts.forward, tag=tag), room)
        if prompt is None or prompt.is_cut:
            detail = f"with {room} tokens for the answer it is longer than the model's context"
            dropped.append(Dropped(row.id, DropReason.TOO_LONG, detail, row.instruction, row.source))
            continue
        for number in range(1, sampler.samples + 1):
            answer_id = f"{row.id}/{number}"
            owners[answer_id] = row
            seed = derived_seed(sampler.random_seed, SALT, row.id, number)
            requests.append(GenerationRequest(answer_id, prompt.text, seed))
    kept: list[Answer] = []
    seen: set[tuple[str, str]] = set()
    for found in sampler.engine.generate(requests, sampler.sampling):
        row, text = owners[found.row_id], found.text.strip()
        reason = _objection(found, text, is_new=(row.id, text) not in seen)
        if reason is None:
            seen.add((row.id, text))
            kept.append(Answer(found.row_id, row.id, text))
        else:
            dropped.append(Dropped(found.row_id, reason, "", text, row.source))
    return Shard(kept, dropped)


def _objection(answer: Generation, text: str, *, is_new: bool) -> DropReason | None:
    if answer.finish != "end":
        return DropReason.UNFINISHED
    if not text:
        return DropReason.EMPTY_OUTPUT
    return None if is_new else DropReason.DUPLICATE


def _contending(rows: Sequence[Asked], answers: Path, *, documents: bool) -> list[Candidate]:
    """All that is rated; an answer's id is its row's with a number behind it, a document's text has its row's.

    A document that an answer repeats to the letter does not contend: a pair needs two texts.
    """
    by_row: dict[str, list[Answer]] = defaultdict(list)
    for answer in read_rows(answers, Answer):
        by_row[answer.row_id].append(answer)
    found = []
    for row in rows:
        texts = [(answer.id, answer.output) for answer in by_row[row.id]]
        said = {answer.output for answer in by_row[row.id]}
        if documents and said and row.document.strip() not in said:  # by itself it has nobody to win against
            texts.append((row.id, row.document))
        found += [Candidate(text_id, row.instruction, text, [], row.source) for text_id, text in texts]
    return found


def answered_from(answers: StepFolder) -> str:
    """The fingerprint of finished answers."""
    manifest = answers.manifest()
    assert manifest is not None, answers.path
    return manifest.fingerprint


def _engine(material: Material) -> list[str]:
    engine = material.model.config.engine
    return [engine.kind, engine.dtype, str(engine.rows_per_shard)]


def _once(step: StepFolder, depends_on: dict[str, object], run: Callable[[], None]) -> None:
    """Runs what is not finished yet for just these inputs."""
    wanted = fingerprint(depends_on)
    if not step.is_finished(wanted):
        step.begin(wanted)
        run()
        step.finish(Manifest(step.name, wanted, depends_on={}, rows=0, dropped={}, seconds=0.0))
