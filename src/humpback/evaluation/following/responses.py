"""Which response belongs to which prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.following.prompts import FollowingPrompt
from humpback.evaluation.outputs import Output
from humpback.tables import BrokenRow, read_rows

_FORMS = (("instruction", "output"), ("prompt", "response"))
"""Columns of AlpacaEval's outputs, and of IFEval's own."""


def match_responses(file: Path, prompts: Sequence[FollowingPrompt]) -> list[Output]:
    """The responses of an outputs file to the prompts, in their order; rows for other prompts are passed over.

    Raises:
        InputError: the file cannot be used, answers a prompt twice, or leaves one without an answer.
    """
    wanted = {prompt.text.strip() for prompt in prompts}
    found: dict[str, Output] = {}
    for text, output, line in _rows(file):
        if text in found:
            raise InputError(f"{file}: row {line}: a second answer to {text[:60]!r}; keep one")
        if text in wanted:
            found[text] = output
    missing = [prompt for prompt in prompts if prompt.text.strip() not in found]
    if missing:
        raise InputError(
            f"{file}: has no answer to {len(missing)} of the {len(prompts)} prompts, the first of them in line "
            f"{missing[0].line}: {missing[0].text[:60]!r}; answer them all with `humpback evaluate generate`, or leave "
            "them out of the prompts"
        )
    return [found[prompt.text.strip()] for prompt in prompts]


def _rows(file: Path) -> list[tuple[str, Output, int]]:
    if not file.is_file():
        raise InputError(f"{file}: no such file; give outputs as `humpback evaluate generate` writes them")
    found = []
    for row in read_rows(file, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: row {row.line}: {row.detail}")
        text, answer = _columns(row.values, f"{file}: row {row.line}")
        finish = row.values.get("finish")
        found.append((text.strip(), Output(answer, finish if isinstance(finish, str) else None), row.line))
    return found


def _columns(values: Mapping[str, Any], place: str) -> tuple[str, str]:
    for request, answer in _FORMS:
        if isinstance(values.get(request), str) and isinstance(values.get(answer), str):
            return values[request], values[answer]
    raise InputError(
        f"{place}: needs the texts `instruction` and `output`, or `prompt` and `response`; it has "
        f"{', '.join(map(str, values)) or 'nothing'}"
    )
