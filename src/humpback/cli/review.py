"""`humpback review`: prints the addresses and serves, or prints or writes what annotators said."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from humpback.errors import ConfigError

if TYPE_CHECKING:
    from humpback.review.arena import Arena

STOPPED = "\nStopped. Everything is kept; the same command goes on from there."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of the command, as the user gave them."""

    run: Path
    arena: tuple[Path, Path] | None
    screening: Path | None
    pass_mark: float
    judgements: Path | None
    annotators: Sequence[str]
    host: str
    port: int
    results: bool
    export_labels: Path | None
    export_edits: Path | None


def review_run(wanted: Wanted) -> None:
    """Does what the options ask for."""
    _check(wanted)
    if wanted.results:
        typer.echo(json.dumps(_results(wanted), indent=2, ensure_ascii=False))
    elif wanted.export_labels or wanted.export_edits:
        _export(wanted)
    else:
        _serve(wanted)


def _check(wanted: Wanted) -> None:
    """Options that do not go together are all told at once."""
    exporting = bool(wanted.export_labels or wanted.export_edits)
    lonely = [("--screening", wanted.screening), ("--judgements", wanted.judgements)]
    problems = [f"{name}: is for --arena A.json B.json only" for name, value in lonely if value and not wanted.arena]
    if exporting and (wanted.arena or wanted.results):
        problems.append("--export-labels and --export-edits: cannot be combined with --arena or --results")
    if problems:
        raise ConfigError(problems)


def _arena(wanted: Wanted) -> Arena:
    from humpback.review.arena import read_arena
    from humpback.workspace import RunFolder

    assert wanted.arena is not None
    seed = RunFolder(wanted.run).config().random_seed
    return read_arena(*wanted.arena, wanted.screening, wanted.pass_mark, seed)


def _results(wanted: Wanted) -> dict[str, Any]:
    from humpback.review import label_figures
    from humpback.review.acts import REVIEW_FOLDER

    if wanted.arena is None:
        return label_figures(wanted.run)
    from humpback.review.arena import arena_results

    arena = _arena(wanted)
    return arena_results(arena, wanted.run / REVIEW_FOLDER / arena.folder_name, wanted.judgements)


def _export(wanted: Wanted) -> None:
    from humpback.review import export_edits, export_labels

    if wanted.export_labels:
        count = export_labels(wanted.run, wanted.export_labels)
        typer.echo(
            f"{wanted.export_labels}: {count:,} labels. Next: humpback curate CONFIG --labels {wanted.export_labels}"
        )
    if wanted.export_edits:
        count = export_edits(wanted.run, wanted.export_edits)
        typer.echo(f"{wanted.export_edits}: {count:,} edited pairs, in the form of a seed file")


def _serve(wanted: Wanted) -> None:
    from humpback.review.serve import bind, check_installed, guarded, hosts_of, one_at_a_time, serve
    from humpback.workspace import RunFolder

    check_installed()
    from humpback.review.acts import annotator_names
    from humpback.review.guard import Person

    RunFolder(wanted.run).config()  # a folder that is no run is refused
    people = [Person(name) for name in annotator_names(wanted.annotators)]
    names = [person.name for person in people]
    with one_at_a_time(wanted.run):
        routes, told = _arena_pages(wanted, names) if wanted.arena else _label_pages(wanted, names)
        with bind(wanted.host, wanted.port) as listening:
            hosts = hosts_of(wanted.host, listening.getsockname()[1])
            app = guarded(routes, people, hosts)
            try:
                _print_addresses(wanted, told, {one.name: f"http://{hosts[0]}/?token={one.token}" for one in people})
                serve(app, listening)
            except KeyboardInterrupt:
                typer.echo(STOPPED)


def _label_pages(wanted: Wanted, names: list[str]) -> tuple[list[Any], str]:
    from humpback.review.label_app import LabelPages

    pages = LabelPages(wanted.run, names)
    counts = {name: pages.candidates.counts(name) for name in names}
    done = ", ".join(f"{one.good + one.bad:,} labelled by {name}" for name, one in counts.items())
    return pages.routes(), f"{counts[names[0]].all:,} candidates, {done}"


def _arena_pages(wanted: Wanted, names: list[str]) -> tuple[list[Any], str]:
    from humpback.review.arena.pages import ArenaPages

    arena = _arena(wanted)
    pages = ArenaPages(arena, wanted.run, names, wanted.judgements)
    done = ", ".join(f"{pages.done(name):,} answered by {name}" for name in names)
    screening = f", {len(arena.screening):,} of them for screening" if arena.screening else ""
    return pages.routes(), f"{len(arena.questions) + len(arena.screening):,} questions{screening}; {done}"


def _print_addresses(wanted: Wanted, told: str, addresses: dict[str, str]) -> None:
    from humpback.review.serve import is_loopback

    typer.echo(f"{wanted.run}: {told}\n")
    for name, address in addresses.items():
        typer.echo(f"  {name}: {address}")
    typer.echo("\nEverything is saved at once. Stop with Ctrl-C.")
    if not is_loopback(wanted.host):
        typer.secho(
            f"warning: {wanted.host} can be reached from other machines and nothing is encrypted; whoever listens in "
            "reads texts and tokens. A tunnel is safer: ssh -L 8642:127.0.0.1:8642 HOST",
            fg="yellow",
            err=True,
        )
    sys.stdout.flush()
