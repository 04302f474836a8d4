"""Taking a site's texts out of a run: which rows, from which files, and which models had learnt from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from humpback.corpus.sites import is_of_site, site_of
from humpback.errors import InputError
from humpback.stages.export import remove_from_dataset
from humpback.stages.report import PAGE_FILE
from humpback.workspace import STARTED_FILE, TAKEDOWN_FILE, RunFolder, filter_rows, write_json
from humpback.workspace.store import open_copy

Row = Mapping[str, Any]

READ_INPUTS = ("seed", "passages")  # steps whose shards are of what the user gave, from which the site stays away


@dataclass(frozen=True, slots=True)
class TakenRow:
    """A row of the site, by the step in whose folder it stood."""

    step: str
    id: str
    uri: str


@dataclass(slots=True)
class Takedown:
    """What a takedown did.

    `models` counts, for each model that was trained on rows of the site, those rows; `again` names the steps that
    were half done and begin again.
    """

    domain: str
    rows: list[TakenRow] = field(default_factory=list)
    models: dict[str, int] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)


def takedown(run: str | Path, domain: str, *, dry_run: bool = False) -> Takedown:
    """Removes every text of `domain` and its subdomains from a run: rows kept and set aside, ratings, the dataset.

    The request is noted in the run's folder first, so that a later run of the folder leaves the site out and a
    takedown that was stopped can be given again. Models stay as they are; the answer names those that were trained
    on the site's rows. A step that is half done on such rows begins again, since it counts its shards by the rows that
    went in. A copy in a store is changed alike. The report, which shows rows, is removed; `humpback report` writes it
    anew.

    Raises:
        InputError: `domain` is no host name.
        WorkspaceError: the folder is no run, or is in use.
    """
    site = site_of(domain)
    if site is None:
        raise InputError(f"--domain: {domain!r} is no host name; give one like example.org")
    folder = RunFolder(run)
    config = folder.config()
    with folder.locked(), open_copy(None if dry_run else config.copy_url, folder) as copy:
        copy.require_latest()
        found = Takedown(site, list(_rows_of(folder, site)))
        trained_on = _trained_on(found.rows, config.rounds)
        found.again = _half_done(folder, trained_on) if found.rows else []
        found.models = {name: count for name, count in trained_on.items() if name not in found.again}
        if dry_run:
            return found
        _note(folder, site)
        for name in found.again:
            folder.step(name).discard()
        ids = {row.id for row in found.rows}
        for name in _row_folders(folder):
            filter_rows(folder.step(name), _stays(site, ids))
        remove_from_dataset(folder.step("dataset"), config, lambda row: not is_of_site(row.source.uri, site))
        if ids:
            (folder.path / "report" / PAGE_FILE).unlink(missing_ok=True)
        copy.publish()
    return found


def _stays(site: str, ids: set[str]) -> Callable[[Row], bool]:
    def stays(row: Row) -> bool:
        if "source" in row:
            return not is_of_site(row["source"]["uri"], site)
        return row.get("candidate_id") not in ids

    return stays


def _half_done(folder: RunFolder, trained_on: Mapping[str, int]) -> list[str]:
    """The steps that have begun, have not ended, and read rows of other steps that change."""
    begun = sorted(
        str(file.parent.relative_to(folder.path))
        for pattern in ("*/", "models/*/")
        for file in folder.path.glob(pattern + STARTED_FILE)
    )
    return [
        name
        for name in begun
        if name not in READ_INPUTS
        and (name in trained_on or not name.startswith("models/"))
        and folder.step(name).manifest() is None
    ]


def _row_folders(folder: RunFolder) -> list[str]:
    """The steps that hold rows, by name."""
    parts = folder.path.glob("*/part-*.parquet")
    return sorted({part.parent.name for part in parts})


def _rows_of(folder: RunFolder, site: str) -> Iterator[TakenRow]:
    """The site's rows in every step and among what each set aside."""
    import pyarrow.parquet as pq

    for name in [*_row_folders(folder), "dataset"]:
        for part in sorted((folder.path / name).rglob("*.parquet")):
            with pq.ParquetFile(part) as file:
                if "source" not in file.schema_arrow.names:
                    continue
                for batch in file.iter_batches(columns=["id", "source.uri"]):
                    for row in batch.to_pylist():
                        if is_of_site(row["source"]["uri"], site):
                            where = str(part.parent.relative_to(folder.path))
                            yield TakenRow(where, row["id"], row["source"]["uri"])


def _trained_on(rows: list[TakenRow], rounds: int) -> dict[str, int]:
    counts = dict.fromkeys(["seed", *(f"curated-{number}" for number in range(1, rounds + 1))], 0)
    for row in rows:
        if row.step in counts:
            counts[row.step] += 1
    models = {"backward": counts["seed"], "m0": counts["seed"]}
    for number in range(1, rounds + 1):
        models[f"m{number}"] = counts["seed"] + counts[f"curated-{number}"]
    return {f"models/{name}": count for name, count in models.items() if count}


def _note(folder: RunFolder, site: str) -> None:
    file = folder.path / TAKEDOWN_FILE
    requests = json.loads(file.read_text(encoding="utf-8"))["requests"] if file.exists() else []
    if not any(request["domain"] == site for request in requests):
        requests.append({"domain": site, "asked": datetime.now(UTC).isoformat(timespec="seconds")})
        write_json(file, {"requests": requests})
