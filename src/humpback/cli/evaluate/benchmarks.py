"""`humpback evaluate benchmarks`: the paper's benchmarks, from local files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from humpback.cli.evaluate.group import EngineKind, Overrides, evaluate_app, overridden

if TYPE_CHECKING:
    from rich.table import Table

    from humpback.evaluation.benchmarking import IFEval
    from humpback.evaluation.harness.tables import Line
    from humpback.evaluation.shares import Share


@evaluate_app.command()
def benchmarks(
    model: Annotated[str, typer.Argument(help="`builtin`, a model's folder, a hub name, or a run: its last model.")],
    data: Annotated[Path, typer.Option(help="The folder that holds the benchmarks' files, at any depth.")],
    tasks: Annotated[
        str | None,
        typer.Option(
            help="siqa, piqa, arc_easy, arc_challenge, openbookqa, mmlu, crows_pairs, ifeval; by default all found.",
            metavar="NAME,NAME",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write the tables there, as JSON.")] = Path("benchmarks.json"),
    limit: Annotated[int | None, typer.Option(help="Only the first so many rows of each task.", min=1)] = None,
    mmlu_shots: Annotated[int, typer.Option(help="Solved questions before each of MMLU's.", min=0, max=5)] = 0,
    batch_size: Annotated[int, typer.Option(help="Requests at once, with the transformers engine.", min=1)] = 8,
    name: Annotated[str | None, typer.Option(help="What the results call the model.")] = None,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Measure accuracy, bias and instruction following: the paper's tables 5, 6 and 10, and IFEval."""
    import shutil

    from humpback.cli.console import RichProgress, console, set_up_logging
    from humpback.evaluation.asking import find_model
    from humpback.evaluation.benchmarking import plan_benchmarks, run_benchmarks
    from humpback.evaluation.generations import work_folder
    from humpback.evaluation.harness.tables import TITLES
    from humpback.workspace import write_json

    named = None if tasks is None else [task.strip() for task in tasks.split(",") if task.strip()]
    plan = plan_benchmarks(data, named)
    found = find_model(model, overridden(overrides, engine), name)
    set_up_logging()
    results = run_benchmarks(
        found, plan, work_folder(out), RichProgress(), limit=limit, shots=mmlu_shots, batch_size=batch_size
    )
    settings = {"model": found.name, "engine": found.config.engine.kind, "limit": limit, "mmlu_shots": mmlu_shots}
    write_json(out, settings | results.as_json())
    shutil.rmtree(work_folder(out), ignore_errors=True)
    for number, lines in results.tables.items():
        console.print(TITLES[number], markup=False)
        console.print(_table(lines))
    if results.ifeval is not None:
        console.print("Instructions followed (IFEval)")
        console.print(_ifeval_table(results.ifeval))
    typer.echo(f"{out} written" + (f"; nothing found of {', '.join(plan.missing)}" if plan.missing else ""))


def _table(lines: list[Line]) -> Table:
    from rich.table import Table

    metrics = list(dict.fromkeys(metric for line in lines for metric in line.shares))
    table = Table("", "split", "rows", *metrics)
    for line in lines:
        count = max(share.count for share in line.shares.values())
        cells = [shown_share(line.shares[metric]) if metric in line.shares else "-" for metric in metrics]
        table.add_row(line.name, line.split, f"{count:,}", *cells)
    return table


def _ifeval_table(found: IFEval) -> Table:
    from rich.table import Table

    measured = found.following
    table = Table("", "prompts", "instructions")
    table.add_row("strict", shown_share(measured.prompt_strict), shown_share(measured.instruction_strict))
    table.add_row("loose", shown_share(measured.prompt_loose), shown_share(measured.instruction_loose))
    return table


def shown_share(share: Share) -> str:
    """A share with its interval, in per cent, as tables show it."""
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value:.1%} [{100 * share.low:.1f}, {100 * share.high:.1f}]"
