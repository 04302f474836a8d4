"""`humpback evaluate scaling`: models trained on more and more rows, and the law that they follow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app
from humpback.errors import InputError

if TYPE_CHECKING:
    from humpback.evaluation.scaling import Estimate, Scaling, Series
    from humpback.pipeline.scaling_points import Kind, TrainingSet

OUT = Path("scaling")
RESULT_FILE, POINTS_FILE, PAGE_FILE = "scaling.json", "points.csv", "index.html"

SetFiles = list[str] | None


class StepsTable(StrEnum):
    """Whose steps models are trained for."""

    PAPER = "paper"
    SCALED = "scaled"


@evaluate_app.command()
def scaling(
    config: Annotated[
        Path | None, typer.Argument(help="The configuration: base model, training, seed and held-out sets.")
    ] = None,
    sets: Annotated[SetFiles, typer.Option("--set", metavar="NAME=FILE", help="Pairs, trained on alone.")] = None,
    augmented: Annotated[
        SetFiles,
        typer.Option(metavar="NAME=FILE", help="Augmented pairs, trained on alone, under their own system prompt."),
    ] = None,
    joint: Annotated[
        SetFiles,
        typer.Option(metavar="NAME=FILE", help="Augmented pairs, trained on beside the configuration's whole seed."),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Rows of each set that are trained on.")] = "100,200,400,800",
    steps_table: Annotated[
        StepsTable, typer.Option(help="Steps by number of rows: the paper's table 18, or that divided by --factor.")
    ] = StepsTable.PAPER,
    factor: Annotated[float, typer.Option(help="With --steps-table scaled.", min=1.0)] = 10.0,
    random_seeds: Annotated[int, typer.Option(help="Trainings of each size, each on rows of its own lot.", min=1)] = 3,
    results: Annotated[
        Path | None, typer.Option(help="Train nothing: fit the values of a table with the columns set, n and value.")
    ] = None,
    unit: Annotated[str, typer.Option(help="With --results: what the values are.")] = "win rate",
    lower_is_better: Annotated[bool, typer.Option(help="With --results: say so of a loss.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the figures, the plots and what is finished.")] = OUT,
    overrides: Annotated[
        SetFiles,
        typer.Option("--override", "-s", metavar="KEY=VALUE", help="Change one field, e.g. train.max_tokens=512."),
    ] = None,
    engine: Annotated[str | None, typer.Option(help="`scripted` walks the experiment without any model.")] = None,
) -> None:
    """Train on N = 100, 200, ... rows of given sets and fit value = alpha log N + C."""
    from humpback.cli.console import set_up_logging

    set_up_logging()
    chosen = _sets(sets, "alone") + _sets(augmented, "augmented") + _sets(joint, "joint")
    if results is not None:
        if chosen or overrides or engine or config is not None:
            raise InputError(
                "--results fits values that are there already and trains nothing; leave out CONFIG, the sets, "
                "--override and --engine"
            )
        found, values = _read(results, unit, lower_is_better)
    elif config is None or not chosen:
        raise InputError(
            "humpback evaluate scaling needs a CONFIG and a --set NAME=FILE to train on, or --results FILE with values"
        )
    else:
        extra = [f"engine.kind={engine}"] if engine else []
        divisor = factor if steps_table is StepsTable.SCALED else 1.0
        found, values = _train(
            config, [*(overrides or []), *extra], chosen, _numbers(sizes), divisor, random_seeds, out
        )
    _write(found, values, out)
    _print(found)
    typer.echo(f"{out / RESULT_FILE}, {out / POINTS_FILE} and {out / PAGE_FILE} written")


def _sets(given: list[str] | None, kind: Kind) -> list[TrainingSet]:
    from humpback.pipeline.scaling_points import TrainingSet

    found = []
    for value in given or []:
        name, mark, file = value.partition("=")
        if not mark or not name or not file:
            raise InputError(f"{value}: is no NAME=FILE; name the set, as in --set seed=seed.jsonl")
        found.append(TrainingSet(name, Path(file), kind))
    return found


def _numbers(sizes: str) -> list[int]:
    try:
        found = [int(size) for size in sizes.split(",") if size.strip()]
    except ValueError:
        found = []
    if len(set(found)) < 2 or min(found) < 1:
        raise InputError(f"--sizes {sizes}: give two or more numbers of rows, as in 100,200,400")
    return found


def _read(file: Path, unit: str, lower_is_better: bool) -> tuple[Scaling, dict[str, list[Series]]]:
    from humpback.config import EvaluateConfig
    from humpback.evaluation.scaling import scaling_of_results

    samples = EvaluateConfig().bootstrap_samples
    return scaling_of_results(file, unit, lower_is_better=lower_is_better, samples=samples, random_seed=0)


def _train(
    file: Path,
    overrides: list[str],
    sets: list[TrainingSet],
    sizes: list[int],
    factor: float,
    repeats: int,
    out: Path,
) -> tuple[Scaling, dict[str, list[Series]]]:
    from humpback.cli.console import RichProgress
    from humpback.config import load_config
    from humpback.pipeline.scaling import ScalingPlan, run_scaling

    plan = ScalingPlan(sets, sizes, repeats, factor)
    return run_scaling(plan, out, load_config(file, overrides), RichProgress())


def _write(found: Scaling, values: dict[str, list[Series]], out: Path) -> None:
    from dataclasses import asdict

    from humpback.evaluation.scaling import points_csv
    from humpback.report.scaling_page import scaling_page
    from humpback.workspace import write_json, write_text

    write_json(out / RESULT_FILE, asdict(found))
    write_text(out / POINTS_FILE, points_csv(values))
    write_text(out / PAGE_FILE, scaling_page(found))


def _print(found: Scaling) -> None:
    better = "lower" if found.lower_is_better else "higher"
    for part in found.measured:
        base = "" if part.base is None else f"; untrained {part.base.value:.4f}"
        name = found.unit if part.name == found.unit else f"{part.name}: {found.unit}"
        typer.echo(f"{name}, {better} is better{base}. Intervals over {part.fits.over}.")
        for series in part.fits.series:
            points = ", ".join(f"{point.n:,}: {point.value.value:.4f}" for point in series.points)
            typer.echo(f"  {series.name}: alpha {_interval(series.alpha)}, C {series.constant.value:.4f} ({points})")


def _interval(value: Estimate) -> str:
    return f"{value.value:+.4f}" + ("" if value.low is None else f" [{value.low:+.4f}, {value.high:+.4f}]")
