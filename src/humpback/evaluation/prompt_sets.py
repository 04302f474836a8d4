"""Prompts to answer, from the files in which public sets come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.records import content_id
from humpback.tables import BrokenRow, read_rows

FIELDS = ("instruction", "prompt", "question", "turns", "text")
"""Where the request stands: AlpacaEval and Self-Instruct; Koala, LIMA, IFEval; others; FastChat's Vicuna, MT-Bench."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request; `dataset` is the set's name where the file names none, `category` is then empty."""

    id: str
    instruction: str
    dataset: str
    category: str


def read_prompt_sets(sets: Sequence[str]) -> list[Prompt]:
    """The requests of several sets, one after the other; each set is a FILE or NAME=FILE.

    A set without a name is named after its file.

    Raises:
        InputError: a file is missing, a row has no request, or two are the same.
    """
    prompts: list[Prompt] = []
    places: dict[str, str] = {}
    for value in sets:
        name, file = _named(value)
        for line, prompt in _read(file, name):
            place = f"{file}: line {line}"
            if prompt.id in places:
                raise InputError(f"{place}: the same request as in {places[prompt.id]}; keep one")
            places[prompt.id] = place
            prompts.append(prompt)
    return prompts


def _named(value: str) -> tuple[str, Path]:
    name, mark, path = value.partition("=")
    if mark and name and not Path(value).exists():
        return name, Path(path)
    return Path(value).name.split(".")[0], Path(value)


def _read(file: Path, name: str) -> Iterator[tuple[int, Prompt]]:
    """The requests with their lines; of FastChat's only the first turn."""
    if not file.is_file():
        raise InputError(f"{file}: no such file; give a table with a column `instruction` or `prompt`")
    for row in read_rows(file, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: line {row.line}: {row.detail}")
        text = _request(row.values)
        if text is None:
            raise InputError(
                f"{file}: line {row.line}: no request; it needs one of {', '.join(FIELDS)} and has "
                f"{', '.join(map(str, row.values)) or 'nothing'}"
            )
        dataset = str(row.values.get("dataset") or name)
        yield row.line, Prompt(content_id("prompt", text), text, dataset, str(row.values.get("category") or ""))


def _request(values: Mapping[str, Any]) -> str | None:
    found = next((values[name] for name in FIELDS if values.get(name)), None)
    if isinstance(found, list):
        found = found[0]
    if not isinstance(found, str) or not found.strip():
        return None
    given = _input(values)
    return f"{found.rstrip()}\n\n{given}" if given else found


def _input(values: Mapping[str, Any]) -> str:
    """What the request is about, where it stands apart."""
    instances = values.get("instances")
    first = instances[0] if isinstance(instances, list) and instances and isinstance(instances[0], dict) else values
    given = first.get("input")
    return given.strip() if isinstance(given, str) else ""
