"""Tuning a run's last model on a file of preference pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.engines.scripted import SCRIPT_FILE
from humpback.errors import InputError, NothingLeftError
from humpback.evaluation.asking import Model, find_model
from humpback.hardware import hardware_line, versions
from humpback.preferences.file import PreferencePair, read_pairs
from humpback.preferences.material import finished
from humpback.progress import Progress, SilentProgress
from humpback.randomness import derived_seed
from humpback.training.preference_settings import BETA, PreferenceRecipe, preference_recipe
from humpback.workspace import Manifest, RunFolder, StepFolder, file_digest, fingerprint, write_json, write_text

if TYPE_CHECKING:
    from humpback.training.dpo import PreferenceRow

VERSION = 1
RESULT_FILE = "training.json"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a tuning did: pairs trained on and left out, answers that lost their end, and the recipe.

    `first` and `last` are the figures of these steps as TRL names them, empty where no real model takes part: `loss`,
    and `rewards/accuracies`, the share of its pairs whose chosen answer gained on the rejected one.
    """

    pairs: int
    left_out: int
    answers_cut: int
    recipe: PreferenceRecipe
    first: dict[str, float]
    last: dict[str, float]


def tune_on_preferences(
    run: Path,
    pairs: Path,
    out: Path,
    *,
    beta: float = BETA,
    learning_rate: float | None = None,
    steps: int | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> Tuned:
    """Tunes the last model of `run` on the pairs and leaves a model folder at `out`, as those of a run are.

    A stopped call goes on at its last checkpoint; a finished one is not done again.

    Args:
        run: a finished run's folder.
        pairs: pairs made from it.
        out: a new folder; in the run's `models`, other commands ask the model with the run's prompts.
        beta: how dear it is to differ from the model before.
        learning_rate: the highest; None takes 1e-6, or 1e-5 with adapters.
        steps: optimiser steps; None takes every pair once.
        overrides: changes of the run's configuration.
        progress: where the steps are shown.

    Raises:
        HumpbackError: run, pairs, folder or settings cannot be used; all that can be known is checked first.
    """
    for option, value in (("--beta", beta), ("--learning-rate", learning_rate)):
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{option}: {value:g}; give a number above 0")
    folder = RunFolder(run)
    folder.config()  # a folder that is no run is refused
    model = find_model(str(run), overrides)
    found = read_pairs(pairs, model.prompts)
    config = model.config
    recipe_for = partial(preference_recipe, config=config.train, beta=beta, rate=learning_rate, steps=steps)
    depends_on: dict[str, Any] = {
        "version": VERSION,
        "model": finished(folder, f"models/{model.folder.name}").fingerprint,
        "pairs": file_digest(pairs),
        "prompts": model.prompts.digest,
        "train": config.train.model_dump(mode="json", exclude={"checkpoint_minutes", "report_to"}),
        "recipe": asdict(recipe_for(len(found))),
        "random_seed": config.random_seed,
    }
    step = StepFolder(out, out.name)
    wanted = fingerprint(depends_on)
    if step.is_finished(wanted):
        return _there(step)
    if out.exists() and not step.is_started(wanted):
        _refuse(out)
    job = _Job(model, found, recipe_for, step, progress or SilentProgress())
    work = _script if config.engine.kind == "scripted" else _tune
    tuned = work(job, wanted)
    write_text(out / "README.md", _card(model, tuned))
    facts = asdict(tuned)
    step.finish(Manifest(step.name, wanted, depends_on, 0, {}, 0.0, facts, versions(), hardware_line()))
    return tuned


@dataclass(frozen=True, slots=True)
class _Job:
    model: Model
    pairs: list[PreferencePair]
    recipe_for: Callable[[int], PreferenceRecipe]
    step: StepFolder
    progress: Progress


def _refuse(out: Path) -> None:
    """A folder that holds anything else is left alone."""
    if not out.is_dir() or any(out.iterdir()):
        raise InputError(
            f"{out}: is there already, and not what a stopped `humpback dpo` with these pairs and settings left; give "
            "--out a new folder, or remove it"
        )


def _there(step: StepFolder) -> Tuned:
    manifest = step.manifest()
    assert manifest is not None, step.path
    facts = manifest.facts
    recipe = facts["recipe"] | {"rates": tuple(facts["recipe"]["rates"])}
    return Tuned(**facts | {"recipe": PreferenceRecipe(**recipe)})


def _script(job: _Job, wanted: str) -> Tuned:
    job.step.begin(wanted)
    before = json.loads((job.model.folder / SCRIPT_FILE).read_text(encoding="utf-8"))
    identity = fingerprint([before, [asdict(pair) for pair in job.pairs]])
    write_json(job.step.path / SCRIPT_FILE, {"identity": identity})
    return Tuned(len(job.pairs), 0, 0, job.recipe_for(len(job.pairs)), {}, {})


def _tune(job: _Job, wanted: str) -> Tuned:
    from humpback.models import load_tokenizer
    from humpback.training.dpo import check_preference_tuning, tune_preferences

    config, model = job.model.config, job.model
    check_preference_tuning(model.folder, config.train, config.engine.device)
    rows = token_rows(model, load_tokenizer(model.folder), job.pairs)
    recipe = job.recipe_for(len(rows))
    job.step.begin(wanted)
    label = f"tuning {model.folder.name} on {len(rows)} pairs"
    with job.progress.task(label, recipe.steps, "steps") as task:

        def report(entry: dict[str, float]) -> None:
            task.advance()
            task.note(f"loss {entry['loss']:.3f}")

        result = tune_preferences(
            model.folder,
            rows,
            job.step.path,
            config.train,
            recipe,
            device=config.engine.device,
            seed=derived_seed(config.random_seed, "dpo"),
            end=model.prompts.chat.end,
            chat_template=model.prompts.chat.template,
            on_step=report,
            run_name=f"{config.name}/{job.step.name}",
        )
    write_json(job.step.path / RESULT_FILE, asdict(result))
    cut = sum(row.is_cut for row in rows)
    return Tuned(len(rows), len(job.pairs) - len(rows), cut, recipe, result.history[0], result.history[-1])


def token_rows(model: Model, tokenizer: Any, pairs: Sequence[PreferencePair]) -> list[PreferenceRow]:
    """The pairs as tokens: the prompt as the model is asked at inference, each answer with its end.

    Raises:
        NothingLeftError: `train.max_tokens` leaves nothing of any pair.
    """
    from humpback.training.dpo import preference_row

    prompts, limit = model.prompts, model.config.train.max_tokens
    rows = []
    for pair in pairs:
        chosen, rejected = (
            prompts.forward_pair(pair.instruction, answer, prompts.inference_tag)
            for answer in (pair.chosen, pair.rejected)
        )
        row = preference_row(tokenizer, chosen, rejected, limit)
        if row is not None:
            rows.append(row)
    if not rows:
        raise NothingLeftError(f"the two answers of every pair are the same up to train.max_tokens ({limit}); raise it")
    return rows


def _card(model: Model, tuned: Tuned) -> str:
    """A model card in Markdown: what the model was tuned on, and how to ask it as it was tuned."""
    config, recipe = model.config, tuned.recipe
    return f"""---
pipeline_tag: text-generation
tags:
- instruction-backtranslation
- dpo
- humpback
---
# {config.name} {model.folder.name}, tuned on preferences

`{model.folder.name}` of the run `{config.name}` (from `{config.model}`), tuned for {recipe.steps} steps by direct
preference optimisation (Rafailov et al. 2023, arXiv 2305.18290) with Humpback: {tuned.pairs} pairs of answers, beta
{recipe.beta:g}, learning rate {recipe.rates[0]:g} falling to {recipe.rates[1]:g}.

Ask it through its chat template with the system prompt `{model.prompts.inference_tag}`. Sample at temperature
{config.augment.temperature} and top_p {config.augment.top_p}. The licence and limits of the base model apply.
"""
