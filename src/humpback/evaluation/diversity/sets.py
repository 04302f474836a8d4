"""The sets whose instructions are measured: tables of any form, or a run's seed and its last curated set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from humpback.config import IngestConfig
from humpback.errors import InputError, WorkspaceError
from humpback.records import Curated, Example
from humpback.seed import read_seed
from humpback.seed.formats import INSTRUCTION_COLUMNS, folded, recognise
from humpback.tables import Row, read_rows
from humpback.workspace import RunFolder
from humpback.workspace import read_rows as step_rows

SEED = "seed"
_LOOKED_AT = 10  # rows; as in `humpback.seed`


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """Instructions under a name; `source` says where they were read."""

    name: str
    source: str
    instructions: list[str]


def read_set(name: str, path: Path) -> InstructionSet:
    """The instructions of a table: of pairs in any form that seeds have, or of instructions alone.

    Raises:
        InputError: the file cannot be read, or holds no instruction.
    """
    rows = list(itertools.islice(_rows(path), _LOOKED_AT))
    if any(recognise(row) is not None for row in rows):
        found = [example.instruction for example in read_seed([str(path)], _settings()).examples]
    else:
        found = _column(path, rows)
    if not found:
        raise InputError(f"{path}: holds no instruction; give a table with a column {_columns()}")
    return InstructionSet(name, str(path), found)


def read_run(folder: Path) -> list[InstructionSet]:
    """The seed pairs that a run trains on, under the name `seed`, and the set that its last finished round curated.

    Raises:
        WorkspaceError: the folder is no run, or no round of it is finished.
    """
    run = RunFolder(folder)
    config = run.config()
    seed = run.step(SEED)
    finished = (
        step
        for number in range(config.rounds, 0, -1)
        for name in (f"rewritten-{number}", f"curated-{number}")
        if (step := run.step(name)).manifest() is not None
    )
    curated = next(finished, None)
    if curated is None or seed.manifest() is None:
        raise WorkspaceError(f"{folder}: no round of this run is curated yet; `humpback curate` goes on with it")
    found = [InstructionSet(SEED, str(seed.path), [row.instruction for row in step_rows(seed.path, Example)])]
    rows = [row.instruction for row in step_rows(curated.path, Curated)]
    return [*found, InstructionSet(curated.name, str(curated.path), rows)]


def is_run(path: Path) -> bool:
    """Whether `path` is a folder; a table never is."""
    return path.is_dir()


def _rows(path: Path) -> Iterator[Row]:
    return (row for row in read_rows(path, _settings().max_broken_fraction) if isinstance(row, Row))


def _column(path: Path, rows: list[Row]) -> list[str]:
    names = {name for row in rows for name in folded(row)}
    column = next((name for name in INSTRUCTION_COLUMNS if name in names), None)
    if column is None:
        raise InputError(
            f"{path}: no column {_columns()}; there are {', '.join(sorted(names)) or 'none'}. Rename the one with the "
            "instructions"
        )
    values = (folded(row).get(column) for row in _rows(path))
    return [value for value in values if isinstance(value, str) and value.strip()]


def _columns() -> str:
    return f"{', '.join(INSTRUCTION_COLUMNS[:-1])} or {INSTRUCTION_COLUMNS[-1]}"


def _settings() -> IngestConfig:
    return IngestConfig(seed_language=None)
