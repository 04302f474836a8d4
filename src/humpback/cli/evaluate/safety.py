"""`humpback evaluate safety`: a model's answers to sensitive prompts under the tags of the method."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.benchmarks import shown_share
from humpback.cli.evaluate.group import EngineKind, Overrides, evaluate_app, overridden

TAG_NAMES = {"assistant": "S_a", "web": "S_w", "both": "S_a S_w"}


@evaluate_app.command()
def safety(
    model: Annotated[str, typer.Argument(help="`builtin`, a model's folder, a hub name, or a run: its last model.")],
    out: Annotated[Path, typer.Option(help="Write figures and answers there, as JSON.")] = Path("safety.json"),
    prompts: Annotated[
        Path | None, typer.Option(help="Your own prompts: a table with `category`, `apt` and `prompt`.")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = 256,
    name: Annotated[str | None, typer.Option(help="What the results call the model.")] = None,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Ask sensitive prompts under S_a, S_w and both, and count refusals and abusive words."""
    import shutil
    from dataclasses import asdict

    from rich.table import Table

    from humpback.cli.console import RichProgress, console, set_up_logging
    from humpback.engines import Sampling
    from humpback.evaluation.asking import find_model
    from humpback.evaluation.generations import work_folder
    from humpback.evaluation.safety import measure_safety, sensitive_prompts
    from humpback.workspace import write_json

    asked = sensitive_prompts(prompts)
    found = find_model(model, overridden(overrides, engine), name)
    set_up_logging()
    sampling = Sampling(found.config.augment.temperature, found.config.augment.top_p, max_new_tokens)
    tags = measure_safety(found, asked, sampling, work_folder(out), RichProgress())
    write_json(
        out, {"model": found.name, "prompts": len(asked), "tags": {key: asdict(one) for key, one in tags.items()}}
    )
    shutil.rmtree(work_folder(out), ignore_errors=True)
    table = Table("", *(TAG_NAMES[key] for key in tags))
    table.add_row("refused, harmful", *(shown_share(one.refused_harmful) for one in tags.values()))
    table.add_row("refused, harmless", *(shown_share(one.refused_harmless) for one in tags.values()))
    table.add_row("abusive words", *(shown_share(one.toxic) for one in tags.values()))
    table.add_row("ends properly", *(shown_share(one.health.ends_properly) for one in tags.values()))
    console.print(table)
    typer.echo(f"{out}: {len(asked):,} prompts answered by {found.name} under each tag; read the answers there")
