"""A model's answers to a set of prompts, in AlpacaEval's format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from humpback.engines import Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import FittedPrompt, fit_prompt
from humpback.errors import InputError
from humpback.evaluation.asking import Model
from humpback.evaluation.prompt_sets import Prompt
from humpback.progress import Progress
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.tables import BrokenRow, read_rows
from humpback.workspace import Shard, StepFolder, fingerprint, map_shards, write_text
from humpback.workspace import read_rows as read_records

WORK_SUFFIX = ".work"
Tags = Literal["both", "assistant", "web", "none"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One model's answer.

    `finish` is `end`, or `length` where it was cut off at the limit of tokens; `instruction_cut` says that the model's
    context had no room for the end of the instruction.
    """

    id: str
    instruction: str
    output: str
    dataset: str
    category: str
    finish: str
    instruction_cut: bool


def tags_named(name: str) -> Tags:
    """The tags called so.

    Raises:
        InputError: there are none.
    """
    for known in get_args(Tags):
        if known == name:
            return known  # type: ignore[no-any-return]
    raise InputError(f"--tags: {name!r}; choose {', '.join(get_args(Tags))}")


def system_prompt(prompts: PromptContract, tags: Tags) -> str:
    """The system prompt of one row of table 8: both tags joined, S_a, S_w, or none."""
    texts = {
        "both": prompts.inference_tag,
        "assistant": prompts.config.seed_tag,
        "web": prompts.config.web_tag,
        "none": "",
    }
    return texts[tags]


def answer_all(
    model: Model, asked: Sequence[Prompt], tags: Tags, sampling: Sampling, work: Path, progress: Progress
) -> list[Answer]:
    """The model's answers, in order. Finished shards stand in folder `work` until the caller removes it.

    Raises:
        InputError: a prompt has no room in the model's context; nothing has been generated yet.
    """
    tag, config = system_prompt(model.prompts, tags), model.config
    step = StepFolder(work, work.name)
    rows_per_shard = config.engine.rows_per_shard
    depends = [model.name, model.identity, model.prompts.digest, tag, repr(sampling), config.random_seed]
    step.begin(fingerprint([*depends, [repr(prompt) for prompt in asked], rows_per_shard]))
    with model.engine() as engine, progress.task(f"answers of {model.name}", len(asked), "prompts") as task:
        fitted = _fitted(model, engine, asked, tag, sampling.max_new_tokens)

        def answers(rows: list[Prompt]) -> Shard:
            requests = [
                GenerationRequest(row.id, fitted[row.id].text, derived_seed(config.random_seed, "evaluate", row.id))
                for row in rows
            ]
            found = engine.generate(requests, sampling)
            return Shard([_answer(row, one, fitted[row.id]) for row, one in zip(rows, found, strict=True)])

        map_shards(asked, step, Answer, answers, rows_per_shard=rows_per_shard, advance=task.advance)
    return list(read_records(work, Answer))


def _answer(row: Prompt, found: Generation, prompt: FittedPrompt) -> Answer:
    text = found.text.strip()
    return Answer(row.id, row.instruction, text, row.dataset, row.category, found.finish, prompt.is_cut)


def _fitted(model: Model, engine: Engine, asked: Sequence[Prompt], tag: str, room: int) -> dict[str, FittedPrompt]:
    """The prompts by id, each with `room` tokens for its answer."""

    def render(instruction: str) -> str:
        return model.prompts.forward(instruction, tag)

    fitted: dict[str, FittedPrompt] = {}
    for row in asked:
        prompt = fit_prompt(engine, row.instruction, render, room)
        if prompt is None:
            raise InputError(
                f"{model.name}: its context of {engine.context} tokens has no room for the prompt "
                f"{row.instruction[:60]!r} and {room} tokens of answer; lower --max-new-tokens or leave the prompt out"
            )
        fitted[row.id] = prompt
    return fitted


def write_answers(file: Path, answers: Sequence[Answer], generator: str) -> None:
    """Writes the answers as AlpacaEval takes them, and removes the work folder beside the file."""
    rows = [
        {
            "instruction": answer.instruction,
            "output": answer.output,
            "generator": generator,
            "dataset": answer.dataset,
            "category": answer.category,
            "finish": answer.finish,
            "instruction_cut": answer.instruction_cut,
        }
        for answer in answers
    ]
    write_text(file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    shutil.rmtree(work_folder(file), ignore_errors=True)


def work_folder(file: Path) -> Path:
    """Where the finished shards of `file` stand while it is made."""
    return file.with_name(file.name + WORK_SUFFIX)


def read_outputs(file: Path) -> list[dict[str, Any]]:
    """The rows of an outputs file, each with `instruction`, `output` and `generator`.

    Raises:
        InputError: there is no such file, or a row lacks one of them.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give outputs as `humpback evaluate generate` writes them")
    found = []
    for row in read_rows(file, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: row {row.line}: {row.detail}")
        for name in ("instruction", "output"):
            if not isinstance(row.values.get(name), str):
                raise InputError(f"{file}: row {row.line}: `{name}` is missing or no text")
        found.append(row.values | {"generator": str(row.values.get("generator") or file.stem)})
    return found
