"""Prompts to answer, from the files in which public sets come."""

from __future__ import annotations

from collections.abc import Mapping
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
    """One request; `dataset` and `category` are empty where the file does not name them."""

    id: str
    instruction: str
    dataset: str
    category: str


def read_prompts(file: Path) -> list[Prompt]:
    """The requests of a file in its order, of FastChat's only the first turn.

    Raises:
        InputError: there is no such file, a row has no request, or two are the same.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give a table with a column `instruction` or `prompt`")
    prompts: list[Prompt] = []
    lines: dict[str, int] = {}
    for row in read_rows(file, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: line {row.line}: {row.detail}")
        text = _request(row.values)
        if text is None:
            raise InputError(
                f"{file}: line {row.line}: no request; it needs one of {', '.join(FIELDS)} and has "
                f"{', '.join(map(str, row.values)) or 'nothing'}"
            )
        prompt = Prompt(
            content_id("prompt", text), text, *(str(row.values.get(n) or "") for n in ("dataset", "category"))
        )
        if prompt.id in lines:
            raise InputError(f"{file}: line {row.line}: the same request as in line {lines[prompt.id]}; keep one")
        lines[prompt.id] = row.line
        prompts.append(prompt)
    return prompts


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
