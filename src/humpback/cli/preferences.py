"""`humpback preferences` and `humpback dpo`: pairs of a better and a worse answer, and tuning on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import EngineKind, Overrides, overridden

Run = Annotated[Path, typer.Argument(help="A finished run's folder, e.g. runs/humpback.", metavar="RUN")]


def preferences(
    run: Run,
    out: Annotated[Path, typer.Option(help="Write the pairs there, as JSON Lines that TRL takes.")],
    samples: Annotated[int, typer.Option(help="Answers that the run's last model gives to an instruction.", min=1)] = 4,
    margin: Annotated[
        float, typer.Option(help="Least difference of a pair's ratings, on the scale of 1 to 5.", min=0.0)
    ] = 0.5,
    limit: Annotated[int | None, typer.Option(help="At most so many instructions, by lot.", min=1)] = None,
    include_seed: Annotated[
        bool, typer.Option("--include-seed", help="The seed's instructions too, not only those of the curated set.")
    ] = False,
    documents: Annotated[bool, typer.Option(help="Let the document's own text compete with the answers.")] = True,
    max_new_tokens: Annotated[
        int, typer.Option(help="Longest answer; one that has not ended by then is set aside.", min=1)
    ] = 512,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Let a run's last model answer several times, rate the answers, and write the best and the worst as pairs."""
    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.preferences import Wanted, make_preferences
    from humpback.preferences.make import counts_text

    set_up_logging()
    made = make_preferences(
        run,
        out,
        Wanted(samples, margin, max_new_tokens, documents),
        with_seed=include_seed,
        limit=limit,
        overrides=overridden(overrides, engine),
        progress=RichProgress(),
    )
    typer.echo(
        f"{out}: {made.pairs:,} pairs from {made.instructions:,} instructions; without a pair: "
        f"{counts_text(made.no_pair)}\n"
        f"The document's own text won {made.documents_chosen:,} and lost {made.documents_rejected:,} of them. "
        f"{made.answers:,} sampled answers were rated; set aside: {counts_text(made.set_aside)}\n"
        f"Next: humpback dpo {run} {out} --out {run / 'models' / 'dpo'}"
    )


def dpo(
    run: Run,
    pairs: Annotated[Path, typer.Argument(help="Pairs that `humpback preferences` made from this run.")],
    out: Annotated[Path, typer.Option(help="Write the tuned model there, e.g. to RUN/models/dpo.")],
    beta: Annotated[float, typer.Option(help="How dear it is to differ from the model before.")] = 0.1,
    learning_rate: Annotated[
        float | None, typer.Option(help="The highest; by default 1e-6, with adapters 1e-5. It falls to a tenth.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps; by default every pair once.", min=1)] = None,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Tune a run's last model on preference pairs (direct preference optimisation, through TRL)."""
    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.preferences import tune_on_preferences

    set_up_logging()
    tuned = tune_on_preferences(
        run,
        pairs,
        out,
        beta=beta,
        learning_rate=learning_rate,
        steps=steps,
        overrides=overridden(overrides, engine),
        progress=RichProgress(),
    )
    left_out = f", {tuned.left_out:,} left out" if tuned.left_out else ""
    cut = f", {tuned.answers_cut:,} with an answer cut at train.max_tokens" if tuned.answers_cut else ""
    lines = [f"{out}: tuned on {tuned.pairs:,} pairs{left_out}{cut}, {tuned.recipe.steps:,} steps"]
    if tuned.last:
        lines.append(
            f"Loss {tuned.first['loss']:.3f} -> {tuned.last['loss']:.3f} (0.693 before any step); in the last step the "
            f"chosen answer gained on the rejected one in {tuned.last['rewards/accuracies']:.0%} of pairs"
        )
    lines.append(f"Next: humpback evaluate generate {out} --prompts PROMPTS --out answers.json")
    typer.echo("\n".join(lines))
