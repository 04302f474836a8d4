"""`humpback evaluate winrate`: the figures of an annotation file as one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app


@evaluate_app.command()
def winrate(
    annotations: Annotated[
        Path, typer.Argument(help="Annotations as AlpacaEval writes them, JSON, may be compressed.")
    ],
    length_control: Annotated[
        Path | None, typer.Option(help="AlpacaEval's df_gamed.csv; without it, it is asked of the hub.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The `generator_2`, where the file judges several.")] = None,
    breakdown: Annotated[bool, typer.Option(help="Also by the prompts' source and category.")] = False,
) -> None:
    """Print win rate, standard error and length-controlled win rate of an annotation file as JSON."""
    import json

    from humpback.evaluation.winrate.summary import summarise

    typer.echo(json.dumps(summarise(annotations, length_control, model, breakdown=breakdown), indent=2))
