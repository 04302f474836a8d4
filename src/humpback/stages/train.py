"""Trains the backward model and the forward models, each from the base model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.engines.scripted import SCRIPT_FILE
from humpback.errors import NothingLeftError
from humpback.product.model_card import BACKWARD, model_card
from humpback.product.rows import CARD_FILE
from humpback.prompts import BACKWARD_SYSTEM, Pair, PromptContract, TokenRow, cut_text, tokenise_pair
from humpback.randomness import derived_seed
from humpback.records import Curated, Example
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import fingerprint, read_rows, write_json, write_text

if TYPE_CHECKING:
    from humpback.training import Recipe, TrainingResult

VERSION = 3
# Share and least number of the training rows that are set aside for `train.early_stop`; ours.
EARLY_STOP_SHARE, EARLY_STOP_ROWS = 0.05, 16


def train_backward(context: StageContext) -> Outcome:
    """Trains M_yx on the seed pairs turned round (section 2.1)."""
    examples = list(read_rows(context.inputs["seed"], Example))
    pairs = [(example.instruction, example.output) for example in examples]
    limit = context.config.prompts.max_text_tokens
    if context.is_scripted:
        return _script(context, [context.prompts.backward_pair(*pair) for pair in pairs])
    from humpback.models import load_tokenizer

    tokenizer = load_tokenizer(context.base_model)
    cut = [(instruction, cut_text(tokenizer, output, limit)) for instruction, output in pairs]
    texts_cut = sum(len(short) < len(whole) for (_, short), (_, whole) in zip(cut, pairs, strict=True))
    named = [(example.id, context.prompts.backward_pair(*pair)) for example, pair in zip(examples, cut, strict=True)]
    outcome = _fine_tune(context, named)
    return Outcome(outcome.facts | {"texts_cut": texts_cut})


def train_forward(context: StageContext) -> Outcome:
    """Trains M_0 on the seed, or M_t on the seed and the curated set of round t, tagged apart (section 2.2)."""
    chosen = (folder for name, folder in context.inputs.items() if name.startswith(("curated", "rewritten")))
    curated = next(chosen, None)
    named = list(forward_pairs(context.prompts, context.inputs["seed"], curated))
    return _script(context, [pair for _, pair in named]) if context.is_scripted else _fine_tune(context, named)


def forward_pairs(prompts: PromptContract, seed: Path, curated: Path | None) -> Iterator[tuple[str, Pair]]:
    """The training pairs of a forward model, each after its row's id: the seed's under S_a, curated ones under S_w."""
    for example in read_rows(seed, Example):
        yield example.id, prompts.forward_pair(example.instruction, example.output, prompts.config.seed_tag)
    if curated is not None:
        for row in read_rows(curated, Curated):
            yield row.id, prompts.forward_pair(row.instruction, row.output, prompts.config.web_tag)


def held_out_rows(rows: Sequence[TokenRow], seed: int) -> tuple[list[TokenRow], list[TokenRow]]:
    """`rows` parted by lot into those trained on and those that `train.early_stop` looks at.

    They are taken from the training rows: on the pairs that evaluation measures, a training that stops where their
    loss is lowest would look better than it is.
    """
    count = max(EARLY_STOP_ROWS, math.ceil(len(rows) * EARLY_STOP_SHARE))
    if len(rows) < 2 * count:
        raise NothingLeftError(
            f"train.early_stop sets {count} rows aside and there are only {len(rows)}; bring more pairs, or set it to "
            "null"
        )
    by_lot = sorted(range(len(rows)), key=lambda number: derived_seed(seed, rows[number].row_id))
    aside = set(by_lot[:count])
    return (
        [row for number, row in enumerate(rows) if number not in aside],
        [row for number, row in enumerate(rows) if number in aside],
    )


def _fine_tune(context: StageContext, pairs: list[tuple[str, Pair]]) -> Outcome:
    from humpback.models import inspect_model
    from humpback.training import fine_tune, recipe_for

    config, name = context.config, context.output.name
    rows = _token_rows(context, pairs)
    too_long = len(pairs) - len(rows)
    held_out: list[TokenRow] = []
    if config.train.early_stop is not None:
        rows, held_out = held_out_rows(rows, derived_seed(config.random_seed, "early_stop"))
    recipe = recipe_for(len(rows), inspect_model(context.base_model).parameters, config.train)
    with context.progress.task(f"training {name}", recipe.steps, "steps") as task:

        def report(entry: dict[str, float]) -> None:
            task.advance()
            task.note(f"loss {entry['loss']:.3f}")
            context.log_metrics(name, **{key: value for key, value in entry.items() if key != "epoch"})

        if config.train.machines > 1:
            context.executor.release()
        result = fine_tune(
            context.base_model,
            rows,
            context.output.path,
            config.train,
            recipe,
            device=config.engine.device,
            seed=derived_seed(config.random_seed, "train"),  # of all models, so that they differ by their rows alone
            end=context.prompts.chat.end,
            chat_template=context.prompts.chat.template,
            on_step=report,
            held_out=held_out,
            run_name=f"{config.name}/{name}",
            cluster=config.cluster,
        )
    write_json(context.output.path / "training.json", asdict(result))
    counts = {"examples": len(rows), "prompts_too_long": too_long, "answers_cut": sum(row.is_cut for row in rows)}
    facts = counts | {"set_aside": len(held_out)} | _figures(result, recipe)
    write_text(context.output.path / CARD_FILE, _card(context, facts))
    return Outcome(facts)


def _token_rows(context: StageContext, pairs: list[tuple[str, Pair]]) -> list[TokenRow]:
    """The rows of the pairs whose prompt leaves room for an answer."""
    from humpback.models import load_tokenizer

    tokenizer, limit = load_tokenizer(context.base_model), context.config.train.max_tokens
    tokenised = [tokenise_pair(tokenizer, pair, limit, row_id) for row_id, pair in pairs]
    rows = [row for row in tokenised if row is not None]
    if not rows:
        raise NothingLeftError(
            f"{context.output.name}: every prompt is longer than train.max_tokens ({limit}); raise it"
        )
    return rows


def _figures(result: TrainingResult, recipe: Recipe) -> dict[str, object]:
    return {
        "steps": len(result.history),
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.rates[0],
        "first_loss": result.history[0]["loss"] if result.history else None,
        "last_loss": result.history[-1]["loss"] if result.history else None,
        "tokens": result.tokens,
        "tokens_per_second": round(result.tokens_per_second, 1),
        "dtype": result.dtype,
    }


def _card(context: StageContext, facts: Mapping[str, object]) -> str:
    model = context.output.name.rpartition("/")[2]
    system = BACKWARD_SYSTEM if model == BACKWARD else context.prompts.inference_tag
    return model_card(context.config, model, facts, system)


def _script(context: StageContext, pairs: list[Pair]) -> Outcome:
    identity = fingerprint([[pair.prompt, pair.completion] for pair in pairs])
    write_json(context.output.path / SCRIPT_FILE, {"identity": identity})
    return Outcome({"examples": len(pairs)})
