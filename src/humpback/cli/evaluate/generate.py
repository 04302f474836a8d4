"""`humpback evaluate generate`: a model's answers to a set of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import EngineKind, Overrides, evaluate_app, overridden


@evaluate_app.command()
def generate(
    model: Annotated[str, typer.Argument(help="`builtin`, a model's folder, a hub name, or a run: its last model.")],
    prompts: Annotated[
        list[str],
        typer.Option(
            help="Requests: AlpacaEval, Vicuna, Koala, Self-Instruct or any table; may be repeated.",
            metavar="FILE|NAME=FILE",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Write the answers there, as AlpacaEval takes them.")],
    tags: Annotated[str, typer.Option(help="The system prompt, table 8: both, assistant, web or none.")] = "both",
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = 512,
    name: Annotated[str | None, typer.Option(help="What the answers call the model.")] = None,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Let a model answer a set of prompts."""
    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.engines import Sampling
    from humpback.evaluation.asking import find_model
    from humpback.evaluation.generations import answer_all, tags_named, work_folder, write_answers
    from humpback.evaluation.prompt_sets import read_prompt_sets

    chosen = tags_named(tags)
    asked = read_prompt_sets(prompts)
    found = find_model(model, overridden(overrides, engine), name)
    set_up_logging()
    sampling = Sampling(found.config.augment.temperature, found.config.augment.top_p, max_new_tokens)
    answers = answer_all(found, asked, chosen, sampling, work_folder(out), RichProgress())
    write_answers(out, answers, found.name)
    cut = sum(answer.finish != "end" for answer in answers)
    shortened = sum(answer.instruction_cut for answer in answers)
    typer.echo(
        f"{out}: {len(answers):,} answers of {found.name}, {cut:,} cut off at {max_new_tokens} tokens"
        + (f"; {shortened:,} instructions were too long and lost their end" if shortened else "")
    )
