"""`humpback evaluate diversity`: what instructions ask for, and how variously."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from humpback.cli.evaluate.group import evaluate_app
from humpback.errors import InputError

if TYPE_CHECKING:
    from humpback.evaluation.diversity import Diversity, InstructionSet


@evaluate_app.command()
def diversity(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Tables of instructions, as FILE or NAME=FILE; or a run's folder.", metavar="FILE|RUN..."),
    ],
    seed: Annotated[
        Path | None, typer.Option(help="A table of seed instructions; distances to it are measured.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Write the figures there, as JSON.")] = Path("diversity.json"),
    html: Annotated[Path | None, typer.Option(help="Write a page with the plots there.")] = None,
    limit: Annotated[
        int, typer.Option(help="Measure at most so many instructions of each set, by lot.", min=2)
    ] = 20000,
    random_seed: Annotated[int, typer.Option(help="For the lots and the map.", min=0)] = 0,
) -> None:
    """Measure how diverse instructions are: root verbs with their objects, distinct n-grams, spread and topics."""
    from dataclasses import asdict

    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.evaluation.diversity import measure_diversity
    from humpback.workspace import write_json, write_text

    set_up_logging()
    sets, seed_name = _sets(inputs, seed)
    found = measure_diversity(sets, seed_name, limit=limit, random_seed=random_seed, progress=RichProgress())
    write_json(out, asdict(found))
    if html is not None:
        from humpback.report.diversity_page import diversity_page

        write_text(html, diversity_page(found))
    _print(found)
    typer.echo(f"{out} written" if html is None else f"{out} and {html} written")


def _sets(inputs: list[str], seed: Path | None) -> tuple[list[InstructionSet], str | None]:
    """The sets, the seed first, and the name under which the seed is among them."""
    from humpback.evaluation.diversity import SEED, is_run, read_run, read_set

    found = [] if seed is None else [read_set(SEED, seed)]
    for value in inputs:
        name, path = named_file(value)
        found += read_run(path) if is_run(path) else [read_set(name, path)]
    names = [part.name for part in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        where = " and ".join(part.source for part in found if part.name == twice)
        raise InputError(f"{where}: both are called {twice}; name one of them otherwise, as NAME=FILE")
    return found, SEED if SEED in names else None


def named_file(value: str) -> tuple[str, Path]:
    """Name and path of NAME=FILE, or of a FILE, which is named after itself."""
    name, mark, path = value.partition("=")
    if mark and name and not Path(value).exists():
        return name, Path(path)
    return Path(value).name.split(".")[0] or value, Path(value)


def _print(found: Diversity) -> None:
    from humpback.cli.printable import printable

    for part in found.sets:
        verbs = ", ".join(f"{printable(verb.verb)} {verb.count}" for verb in part.verbs[:5])
        distinct = " ".join(f"{value:.3f}" for value in part.distinct.values())
        spread = "-" if part.spread is None else f"{part.spread:.3f}"
        nearest = "" if part.nearest_seed is None else f", {part.nearest_seed.mean:.3f} from the nearest of the seed"
        typer.echo(
            f"{part.name}: {part.instructions:,} instructions, {part.parsed:.1%} with a verb and an object ({verbs})\n"
            f"  distinct-1/2/3 {distinct} and {part.verb_entropy_bits:.2f} bits of verbs on {found.lot:,} of each; "
            f"mean distance {spread}{nearest}"
        )
