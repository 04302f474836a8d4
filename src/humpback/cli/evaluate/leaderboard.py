"""`humpback evaluate leaderboard`: a user's models in the paper's table 4."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app

if TYPE_CHECKING:
    from rich.table import Table

    from humpback.evaluation.leaderboard import Entry


@evaluate_app.command()
def leaderboard(
    winrates: Annotated[list[Path], typer.Argument(help="What `humpback evaluate winrate` printed, a file a model.")],
    labelled: Annotated[
        list[int] | None,
        typer.Option(help="Human-made examples that a model was tuned on: once for all, or once for each.", min=0),
    ] = None,
    distilled: Annotated[bool, typer.Option(help="These models learnt from a stronger model's answers.")] = False,
) -> None:
    """Place your models in the paper's table 4; win rates by different judges are refused."""
    from humpback.cli.console import console
    from humpback.errors import InputError
    from humpback.evaluation.leaderboard import Kind, read_entry
    from humpback.evaluation.leaderboard import leaderboard as make_leaderboard

    counts: list[int | None] = list(labelled) if labelled else [None]
    if len(counts) not in (1, len(winrates)):
        raise InputError(f"--labelled: given {len(counts)} times for {len(winrates)} files; give it once, or for each")
    if len(counts) == 1:
        counts *= len(winrates)
    kind = Kind.DISTILLED if distilled else Kind.NON_DISTILLED
    tables = make_leaderboard([read_entry(file, kind, count) for file, count in zip(winrates, counts, strict=True)])
    for rows in tables:
        console.print(_title(rows[0]), markup=False)
        console.print(_table(rows))
    if len(tables) > 1:
        console.print("Your models were not judged as the paper's were, so the tables cannot be compared.")


def _title(entry: Entry) -> str:
    from humpback.cli.printable import printable
    from humpback.evaluation.leaderboard import PAPER_JUDGES

    judge = "GPT-4" if entry.judge in PAPER_JUDGES else printable(entry.judge) or "(no name)"
    baseline = printable(entry.baseline) or "(no name)"
    return f"Win rate against {baseline} on {entry.prompts:,} prompts, judged by {judge}"


def _table(rows: list[Entry]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from humpback.cli.printable import printable
    from humpback.evaluation.leaderboard import Kind

    table = Table()
    for name in ("class", "model", "labelled", "win rate %"):
        table.add_column(name, justify="left" if name in ("class", "model") else "right")
    for kind in Kind:
        for row in (row for row in rows if row.kind is kind):
            error = "" if row.standard_error is None else f" ± {row.standard_error:.2f}"
            known = "" if row.labelled is None else f"{row.labelled:,}"
            style = None if row.is_paper else "bold"
            table.add_row(str(kind), escape(printable(row.model)), known, f"{row.win_rate:.2f}{error}", style=style)
        table.add_section()
    return table
