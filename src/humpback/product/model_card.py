"""The card of a trained model: base model, data, recipe, how to ask it, what it is not, and where its figures are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from humpback.config import Config
from humpback.product.base_model import BUILTIN_NAME, BaseModel, base_model
from humpback.product.citation import CITATION, PAPER
from humpback.product.markdown import front_matter, plain, table
from humpback.report.outcome import EvaluationSet, Interval
from humpback.report.text import number, scientific, signed

BACKWARD = "backward"
_METHODS = {"full": "all weights", "lora": "low-rank adapters", "qlora": "low-rank adapters on weights of four bits"}


def model_card(
    config: Config, model: str, facts: Mapping[str, Any], system: str, *, evaluation: list[EvaluationSet] | None = None
) -> str:
    """The card of the run's `model`, e.g. `m2`.

    Args:
        config: the run's configuration.
        model: the model's own name, without its folder's.
        facts: what its training says of itself: examples, steps, batch size, learning rate.
        system: the system prompt that it is asked with.
        evaluation: the losses of all models, where they are measured already.
    """
    base = base_model(config.model)
    return f"""{front_matter(_metadata(config, base, model))}
# {plain(config.name)} {plain(model)}

{_what(model)} It was tuned from {plain(base.name)} by
instruction backtranslation ({PAPER}) with Humpback.{_dry(config)}

## Use

Ask it through its chat template, with this system prompt, as it was trained:

    {" ".join(system.split())}

Sample at temperature {config.augment.temperature:g} and top-p {config.augment.top_p:g}, as the run did. It is meant for
research on instruction tuning, and for judging whether a set of documents makes a model better at its tasks.

## Data

{_data(config, model)} The run's dataset, with source, licence and ratings of every row, has a card of its own.

## Training

{_recipe(config, facts)}

## Evaluation

{_evaluation(model, evaluation)}

## Limits

- Its knowledge and its prejudices are the base model's and those of the documents; neither was examined.
- It was not trained to decline harmful requests, and not tested for safety.
- Held-out loss says how likely people's answers are under the model, not whether its own answers are true.
- {_terms(base)}

## How to cite

{CITATION}
"""


def _metadata(config: Config, base: BaseModel, model: str) -> dict[str, Any]:
    adapter = config.train.method != "full" and not config.train.lora.merge
    return {
        "base_model": base.hub_name,
        "base_model_relation": ("adapter" if adapter else "finetune") if base.hub_name else None,
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "language": list(base.language),
        "license": base.licence,
        "license_name": base.licence_name,
        "license_link": base.licence_link,
        "tags": ["instruction-backtranslation", "humpback", *(["backward-model"] if model == BACKWARD else [])],
    }


def _what(model: str) -> str:
    if model == BACKWARD:
        return "A backward model: shown a text, it guesses the instruction that the text answers."
    if model == "m0":
        return "A model that follows instructions, tuned on human-written pairs only."
    return f"A model that follows instructions, from round {model.removeprefix('m')} of the loop."


def _data(config: Config, model: str) -> str:
    if model == BACKWARD:
        return "Pairs of instruction and answer that people wrote (the seed), turned round."
    if model == "m0":
        return "Pairs of instruction and answer that people wrote (the seed)."
    answers = "answers that a model wrote anew from documents" if config.curate.rewrite else "pieces of documents"
    return (
        f"Pairs that people wrote (the seed), and the pairs that round {model.removeprefix('m')} kept: {answers}, with "
        "instructions that the backward model wrote."
    )


def _recipe(config: Config, facts: Mapping[str, Any]) -> str:
    if not facts.get("steps"):
        return "No training took place."
    rows = [
        ("pairs a step", number(facts.get("batch_size"))),
        ("highest learning rate", scientific(facts.get("learning_rate"))),
        ("trained", _METHODS.get(config.train.method, config.train.method)),
        ("arithmetic", str(facts.get("dtype", "–"))),
        ("longest row, tokens", number(config.train.max_tokens)),
        ("answers cut there", number(facts.get("answers_cut", facts.get("texts_cut")))),
        ("random seed", str(config.random_seed)),
    ]
    said = f"Trained for {number(facts['steps'])} steps on {number(facts.get('examples'))} pairs"
    return f"{said}; the loss counts what it is to write, not the prompt.\n\n{table(('setting', ''), rows)}"


def _evaluation(model: str, sets: list[EvaluationSet] | None) -> str:
    rows = [
        (part.title, number(part.pairs), _interval(found.loss), _interval(found.against_m0, sign=True))
        for part in sets or []
        if (found := part.model(model)) is not None
    ]
    if not rows:
        return "The run's report holds what was measured, beside the base model and the one tuned on the seed alone."
    heads = ("pairs from", "pairs", "nats a token", "against M_0")
    return (
        "Mean negative log-likelihood of answers that people wrote and no model was trained on, with 95 % intervals; "
        f"below zero against M_0, the model tuned on the seed alone, is better.\n\n{table(heads, rows)}"
    )


def _interval(value: Interval | None, *, sign: bool = False) -> str:
    if value is None or not value.is_known:
        return "–"
    shown = signed if sign else number
    return f"{shown(value.mean, 4)} [{shown(value.low, 4)}, {shown(value.high, 4)}]"


def _terms(base: BaseModel) -> str:
    if base.name == BUILTIN_NAME:
        return f"It started from weights of four bits. The licence of {plain(base.name)} applies: {base.licence}."
    if base.licence is None:
        return f"The licence of {plain(base.name)} applies; its card, which states it, was not at hand."
    return f"The licence of {plain(base.name)} applies: {plain(base.licence_name or base.licence)}."


def _dry(config: Config) -> str:
    return "\n\n**A dry run: there are no weights.**" if config.engine.kind == "scripted" else ""
