"""`humpback evaluate judge`: which of two models' answers is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import EngineKind, Overrides, evaluate_app, overridden


@evaluate_app.command()
def judge(
    reference: Annotated[Path, typer.Argument(help="Outputs of the model that is compared with, `generator_1`.")],
    outputs: Annotated[Path, typer.Argument(help="Outputs of the model that is judged, `generator_2`.")],
    out: Annotated[Path, typer.Option(help="Write AlpacaEval annotations there.")],
    model: Annotated[str, typer.Option("--judge", help="The judge: as for `generate`, also a run.")] = "builtin",
    name: Annotated[str | None, typer.Option(help="What the annotations call the judge.")] = None,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Let a judge compare two models' answers, each pair in both orders; then: humpback evaluate winrate."""
    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.evaluation.asking import find_model
    from humpback.evaluation.judging.annotate import annotate

    found = find_model(model, overridden(overrides, engine), name)
    set_up_logging()
    figures = annotate(found, reference, outputs, out, RichProgress())
    agreement = "-" if figures.agreement is None else f"{figures.agreement:.1%}"
    leaning = "-" if figures.first_preferred is None else f"{figures.first_preferred:.1%}"
    too_long = f" ({figures.too_long:,} too long)" if figures.too_long else ""
    cut = f"; {figures.instructions_cut:,} instructions lost their end" if figures.instructions_cut else ""
    typer.echo(
        f"{out}: {figures.judged:,} pairs judged by {found.name}, {figures.unparsed:,} without a preference{too_long}"
        f"{cut}; both orders agree on {agreement}, the first answer is preferred by {leaning}. "
        f"Next: humpback evaluate winrate {out}"
    )
