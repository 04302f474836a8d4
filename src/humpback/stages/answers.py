"""Asks M_0 and the last model what people and benchmarks ask, and measures what they answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from humpback.engines import Sampling, chat_format
from humpback.evaluation.asking import Model
from humpback.evaluation.following import FollowingPrompt, measure_following, read_following_prompts
from humpback.evaluation.generations import Answer, answer_all, write_answers
from humpback.evaluation.judging.annotate import annotate
from humpback.evaluation.outputs import Output, output_health, prompt_pieces
from humpback.evaluation.prompt_sets import Prompt, read_prompt_sets
from humpback.evaluation.safety import measure_safety, sensitive_prompts
from humpback.evaluation.winrate.annotations import read_annotations
from humpback.evaluation.winrate.figures import win_rate
from humpback.evaluation.winrate.length_control import length_adjusted_winrate
from humpback.models import model_folder
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.records import content_id
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import write_json

VERSION = 1
ANSWERS_FILE = "answers.json"
ANNOTATIONS_FILE = "annotations.json"

T = TypeVar("T")


def ask_models(context: StageContext) -> Outcome:
    """Writes `answers.json` with all figures, each model's answers as `NAME.json`, and the judge's annotations."""
    models = [_model(context, name.removeprefix("models/"), folder) for name, folder in context.inputs.items()]
    chosen = context.config.evaluate.answers
    found: dict[str, Any] = {"models": [model.name for model in models]}
    if chosen.prompts:
        found["health"] = _answer_prompts(context, models)
        if chosen.judge is not None:
            found["win_rate"] = _compare(context, models, chosen.judge)
    if chosen.following is not None:
        found["following"] = _follow(context, models, chosen.following)
    if chosen.sensitive:
        found["safety"] = {
            model.name: {tags: asdict(one) for tags, one in _be_safe(context, model).items()} for model in models
        }
    write_json(context.output.path / ANSWERS_FILE, found)
    return Outcome({"models": found["models"]})


def _model(context: StageContext, name: str, folder: Path) -> Model:
    return Model(name, folder, context.config, context.prompts)


def _sampling(context: StageContext) -> Sampling:
    config = context.config
    return Sampling(config.augment.temperature, config.augment.top_p, config.evaluate.answers.max_new_tokens)


def _drawn(context: StageContext, rows: Sequence[T], name: str) -> list[T]:
    """At most `max_prompts` of the rows, by lot, in their order."""
    count = min(len(rows), context.config.evaluate.answers.max_prompts)
    draw = random.Random(derived_seed(context.config.random_seed, "answers", name))  # noqa: S311 - no secret
    return [rows[index] for index in sorted(draw.sample(range(len(rows)), count))]


def _health(context: StageContext, answers: Sequence[Answer]) -> dict[str, Any]:
    outputs = [Output(answer.output, answer.finish) for answer in answers]
    return asdict(output_health(outputs, prompt_pieces(context.config.prompts, context.prompts.chat)))


def _answer_prompts(context: StageContext, models: Sequence[Model]) -> dict[str, Any]:
    asked = _drawn(context, read_prompt_sets(context.config.evaluate.answers.prompt_sets), "prompts")
    found = {}
    for model in models:
        work = context.output.work(f"prompts-{model.name}").path
        answers = answer_all(model, asked, "both", _sampling(context), work, context.progress)
        write_answers(_outputs(context, model), answers, model.name)
        found[model.name] = _health(context, answers)
    return found


def _outputs(context: StageContext, model: Model) -> Path:
    return context.output.path / f"{model.name}.json"


def _compare(context: StageContext, models: Sequence[Model], judge: str) -> dict[str, Any]:
    """The last model's win rate over M_0 in the eyes of the judge, and what is to be known of the judge."""
    config = context.config
    folder = Path() if context.is_scripted else model_folder(judge)
    chat = chat_format(config.engine, config.prompts, None if context.is_scripted else folder)
    name = Path(judge).name or judge
    asked = Model(name, folder, config, PromptContract(chat, config.prompts))
    out = context.output.path / ANNOTATIONS_FILE
    reference, outputs = (_outputs(context, model) for model in (models[0], models[-1]))
    figures = annotate(asked, reference, outputs, out, context.progress)
    rows = read_annotations(out)
    return {
        "judge": name,
        **asdict(win_rate(rows)),
        "length_adjusted_winrate": length_adjusted_winrate(rows),
        "judging": asdict(figures),
    }


def _follow(context: StageContext, models: Sequence[Model], file: Path) -> dict[str, Any]:
    prompts: list[FollowingPrompt] = _drawn(context, read_following_prompts(file), "following")
    asked = [Prompt(content_id("prompt", one.text), one.text, "following", "") for one in prompts]
    likeliest = Sampling(0.0, 1.0, context.config.evaluate.answers.max_new_tokens)
    found = {}
    for model in models:
        work = context.output.work(f"following-{model.name}").path
        answers = answer_all(model, asked, "both", likeliest, work, context.progress)
        measured = measure_following(prompts, [answer.output for answer in answers], context.config.random_seed)
        found[model.name] = asdict(measured) | {"health": _health(context, answers)}
    return found


def _be_safe(context: StageContext, model: Model) -> dict[Any, Any]:
    work = context.output.work(f"sensitive-{model.name}").path
    return dict(measure_safety(model, sensitive_prompts(), _sampling(context), work, context.progress))
