"""`humpback evaluate leaderboard`: a user's models in the paper's table 4."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app


@evaluate_app.command()
def leaderboard(
    winrates: Annotated[list[Path], typer.Argument(help="What `humpback evaluate winrate` printed, a file a model.")],
    labelled: Annotated[
        int | None, typer.Option(help="Human-made examples that these models were tuned on.", min=0)
    ] = None,
    distilled: Annotated[bool, typer.Option(help="These models learnt from a stronger model's answers.")] = False,
) -> None:
    """Place your models in the paper's table 4; win rates by different judges are refused."""
    from rich.table import Table

    from humpback.cli.console import console
    from humpback.evaluation.leaderboard import Kind, read_entry
    from humpback.evaluation.leaderboard import leaderboard as make_leaderboard

    kind = Kind.DISTILLED if distilled else Kind.NON_DISTILLED
    rows = make_leaderboard([read_entry(file, kind, labelled) for file in winrates])
    table = Table(title=f"Win rate against {rows[0].baseline}, judged by {rows[0].judge}")
    for name in ("class", "model", "labelled", "win rate %"):
        table.add_column(name, justify="left" if name in ("class", "model") else "right")
    for class_ in Kind:
        for row in (row for row in rows if row.kind is class_):
            error = "" if row.standard_error is None else f" ± {row.standard_error:.2f}"
            known = "" if row.labelled is None else f"{row.labelled:,}"
            style = None if row.is_paper else "bold"
            table.add_row(str(class_), row.model, known, f"{row.win_rate:.2f}{error}", style=style)
        table.add_section()
    console.print(table)
    if not any(row.is_paper for row in rows):
        console.print("The paper's models were judged by GPT-4 against text-davinci-003 and are left out.")
