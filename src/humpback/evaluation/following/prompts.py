"""IFEval's prompts: a request, and the instructions in it that can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.following.kinds import KINDS, read_arguments
from humpback.tables import BrokenRow, read_rows


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a prompt: its kind, one of `KINDS`, and the arguments that its check takes."""

    kind: str
    arguments: dict[str, Any]

    def holds(self, response: str) -> bool:
        """Whether a response follows it. An empty one follows nothing."""
        return bool(response.strip()) and KINDS[self.kind](response, **self.arguments)


@dataclass(frozen=True, slots=True)
class FollowingPrompt:
    """A request with its instructions; `line` is where it stands in its file."""

    line: int
    text: str
    instructions: tuple[Instruction, ...]


def read_following_prompts(file: Path) -> list[FollowingPrompt]:
    """The prompts of a file in the form of IFEval's input_data.jsonl: `prompt`, `instruction_id_list`, `kwargs`.

    Raises:
        InputError: there is no such file, a row lacks a column, or an instruction's kind or arguments are unknown.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give IFEval's input_data.jsonl or a file of the same form")
    found: list[FollowingPrompt] = []
    lines: dict[str, int] = {}
    for row in read_rows(file, max_broken_fraction=0.0):
        place = f"{file}: line {row.line}"
        if isinstance(row, BrokenRow):
            raise InputError(f"{place}: {row.detail}")
        prompt = _prompt(row.line, row.values, place)
        if prompt.text in lines:
            raise InputError(f"{place}: the same prompt as in line {lines[prompt.text]}; keep one")
        lines[prompt.text] = row.line
        found.append(prompt)
    return found


def _prompt(line: int, values: Mapping[str, Any], place: str) -> FollowingPrompt:
    text, kinds, arguments = (values.get(name) for name in ("prompt", "instruction_id_list", "kwargs"))
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{place}: no `prompt`; it needs `prompt`, `instruction_id_list` and `kwargs`, as IFEval has")
    if not isinstance(kinds, list) or not kinds or not isinstance(arguments, list) or len(kinds) != len(arguments):
        raise InputError(f"{place}: `instruction_id_list` and `kwargs` must be lists of the same length, and not empty")
    return FollowingPrompt(line, text, tuple(_instruction(*one, place) for one in zip(kinds, arguments, strict=True)))


def _instruction(kind: object, arguments: object, place: str) -> Instruction:
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{place}: unknown kind of instruction {kind!r}; known are {', '.join(sorted(KINDS))}")
    if not isinstance(arguments, dict | None):
        raise InputError(f"{place}: {kind}: its entry in `kwargs` must be an object, not {arguments!r}")
    try:
        return Instruction(kind, read_arguments(kind, arguments or {}))
    except ValueError as error:
        raise InputError(f"{place}: {kind}: {error}") from None
