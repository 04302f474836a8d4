"""`humpback evaluate following`: whether answers follow instructions that a program can check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app


@evaluate_app.command()
def following(
    outputs: Annotated[
        Path, typer.Argument(help="Answers: `instruction` and `output`, as `generate` writes, or `prompt`, `response`.")
    ],
    prompts: Annotated[Path, typer.Option(help="IFEval's input_data.jsonl, or prompts of the same form.")],
    random_seed: Annotated[int, typer.Option(help="For the intervals.", min=0)] = 0,
) -> None:
    """Print how far answers follow instructions that can be checked, and how they end, as JSON."""
    import json
    from dataclasses import asdict

    from humpback.evaluation.following import match_responses, measure_following, read_following_prompts
    from humpback.evaluation.outputs import output_health

    asked = read_following_prompts(prompts)
    answers = match_responses(outputs, asked)
    found = measure_following(asked, [answer.text for answer in answers], random_seed)
    typer.echo(json.dumps({**asdict(found), "health": asdict(output_health(answers))}, indent=2))
