"""What of a run's folder must be the same each time: kills, power cuts, clusters and copies are held against it."""

from __future__ import annotations

from pathlib import Path

PAGES = {"index.html", "progress.html", "progress.json"}
# What holds times, or the place of the folder.
NOT_COMPARED = PAGES | {"stage.json", "metrics.jsonl", "humpback.yaml", ".lock", ".checked.json"}


def content(run: Path) -> dict[str, bytes]:
    """Each such file by its name below the run's folder."""
    files = sorted(file for file in run.rglob("*") if file.is_file() and file.name not in NOT_COMPARED)
    return {str(file.relative_to(run)): file.read_bytes() for file in files}
