"""The file of pairs: JSON Lines in TRL's conversational preference format, with where each pair came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from humpback.errors import InputError
from humpback.preferences.choose import Choice
from humpback.preferences.material import Asked
from humpback.preferences.messages import answer_message, answer_of, instruction_of, prompt_messages
from humpback.prompts import PromptContract
from humpback.records import to_row
from humpback.tables import BrokenRow, Row, read_rows
from humpback.workspace import write_text

MAKE = "`humpback preferences` writes them"


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """One pair of the file; `id` is that of the row whose instruction it answers."""

    id: str
    instruction: str
    chosen: str
    rejected: str


def write_pairs(file: Path, pairs: Iterable[tuple[Asked, Choice]], prompts: PromptContract) -> None:
    """Writes one line a pair, whole or not at all."""
    lines = []
    for row, choice in pairs:
        values = {
            "id": row.id,
            "prompt": prompt_messages(prompts, row.instruction),
            "chosen": answer_message(choice.chosen.output),
            "rejected": answer_message(choice.rejected.output),
            "chosen_rating": choice.chosen.rating,
            "rejected_rating": choice.rejected.rating,
            "source": to_row(row.source),
            "chosen_is_document": choice.chosen.is_document,
            "rejected_is_document": choice.rejected.is_document,
        }
        lines.append(json.dumps(values, ensure_ascii=False) + "\n")
    write_text(file, "".join(lines))


def read_pairs(file: Path, prompts: PromptContract) -> list[PreferencePair]:
    """The pairs of the file, in order; all must ask what `prompts` asks.

    Raises:
        InputError: there is no such file, it holds no pair, or a line is none of this run; the message names the line.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give pairs as {MAKE}")
    if file.stat().st_size == 0:
        raise InputError(f"{file}: holds no pair; {MAKE}")
    return [_pair(file, row, prompts) for row in read_rows(file, max_broken_fraction=1.0)]


def _pair(file: Path, row: Row | BrokenRow, prompts: PromptContract) -> PreferencePair:
    if isinstance(row, BrokenRow):
        raise InputError(f"{file}: line {row.line}: {row.detail}; {MAKE}")
    where, values = f"{file}: line {row.line}", row.values
    missing = [name for name in ("prompt", "chosen", "rejected") if name not in values]
    if missing:
        raise InputError(f"{where}: is no preference pair (no `{'`, `'.join(missing)}`); {MAKE}")
    chosen, rejected = answer_of(values["chosen"]), answer_of(values["rejected"])
    if chosen is None or rejected is None:
        name = "chosen" if chosen is None else "rejected"
        raise InputError(f"{where}: `{name}` must be a list of one message of the assistant, with text; {MAKE}")
    if chosen == rejected:
        raise InputError(f"{where}: `chosen` and `rejected` are the same text; {MAKE}")
    instruction = instruction_of(prompts, values["prompt"])
    if instruction is None:
        raise InputError(
            f"{where}: `prompt` is not what the models of this run are asked: one request under the tags "
            f"{prompts.inference_tag!r}; a model must be trained on what it is asked later, so make the pairs from "
            "this run with `humpback preferences`"
        )
    return PreferencePair(str(values.get("id") or f"line-{row.line}"), instruction, chosen, rejected)
