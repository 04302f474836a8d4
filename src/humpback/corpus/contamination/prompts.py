"""The prompts in a table of an evaluation set, whatever its columns are called."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.tables import BrokenRow, Row, read_rows

log = logging.getLogger(__name__)

PROMPT_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("instruction",),
    ("prompt",),
    ("context", "question"),
    ("question",),
    ("question_stem",),
    ("goal",),
    ("query",),
    ("turns",),
    ("messages",),
    ("conversations",),
    ("conversation",),
    ("ctx",),
    ("sentence",),
    ("problem",),
    ("input",),
)
"""Columns that hold what a model is asked, the first that has text being taken; several stand one below the other in
one prompt. From the cards of the data sets in `DEFAULT_SETS` and the Alpaca, MT-bench and ShareGPT forms."""

PAIRED_COLUMNS = ("sent_more", "sent_less")
"""Columns of CrowS-Pairs, each a prompt of its own."""

ID_COLUMNS = ("id", "question_id", "prompt_id", "task_id", "key", "idx", "ind")
"""Columns that name a prompt (those of the same data sets); without one its line does."""

ASKING_ROLES = frozenset({"user", "human", "prompter"})
"""Who asks in conversations (OpenAI, ShareGPT and OpenAssistant forms)."""

SAMPLED_ROWS = 100
"""Rows that decide which column holds the prompts (ours: some may be empty in the first ones)."""

MIN_MEAN_CHARS = 20
"""Mean length from which a column of no known name may hold prompts (ours: names, labels and numbers are shorter)."""

_FIRST_OPTION = re.compile(r"\n[ \t]*(?:(?:answer|solution|option|ending|choice) ?1 ?:|\(?a[).:]\s)", re.IGNORECASE)
_SECOND_OPTION = re.compile(r"\s(?:(?:answer|solution|option|ending|choice) ?2 ?:|\(?b[).:]\s)", re.IGNORECASE)

MIN_STEM_WORDS = 5
"""Words that a question must have to stand without its options (ours: "Which is true?" says nothing alone)."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of an evaluation set, under the id that its file gives it, or else its line."""

    id: str
    text: str


def file_prompts(path: Path, prefix: str) -> Iterator[Prompt]:
    """Yields the prompts of the table at `path`, their ids behind `prefix`.

    Raises:
        InputError: the file cannot be read as a table.
    """
    # Broken rows are no reason to stop here: the other rows still have to be kept out of the training data.
    rows = read_rows(path, 1.0)
    sample = list(itertools.islice(rows, SAMPLED_ROWS))
    texts_of = _reader([row.values for row in sample if isinstance(row, Row)])
    broken = 0
    for row in itertools.chain(sample, rows):
        if isinstance(row, BrokenRow):
            broken += 1
            continue
        values = _lower(row.values)
        texts = [text for text in texts_of(values) if text.strip()]
        name = _id(values, row.line)
        for number, text in enumerate(texts, start=1):
            suffix = f"/{number}" if len(texts) > 1 else ""
            yield Prompt(f"{prefix}{name}{suffix}", question_stem(text))
    if broken:
        log.warning("decontamination: %s: %d rows cannot be read, so their prompts are not looked for", path, broken)


def question_stem(text: str) -> str:
    """A multiple-choice question without its options; any other text as it is."""
    first = _FIRST_OPTION.search(text)
    if first is None or _SECOND_OPTION.search(text, first.end()) is None:
        return text
    stem = text[: first.start()]
    return stem if len(stem.split()) >= MIN_STEM_WORDS else text


def _reader(sample: Sequence[Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], list[str]]:
    """What takes the texts of the prompts out of a row (names in lower case) of a table that begins with `sample`."""
    rows = [_lower(row) for row in sample]
    for columns in PROMPT_COLUMNS:
        if any(all(_texts(row.get(column)) for column in columns) for row in rows):
            return lambda row: _joined(row, columns)
    if any(_texts(row.get(column)) for column in PAIRED_COLUMNS for row in rows):
        return lambda row: [text for column in PAIRED_COLUMNS for text in _texts(row.get(column))]
    longest = _longest_column(rows)
    return lambda row: _texts(row.get(longest)) if longest is not None else []


def _joined(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    if len(columns) == 1:
        return _texts(row.get(columns[0]))
    return ["\n".join(text for column in columns for text in _texts(row.get(column)))]


def _texts(value: Any) -> list[str]:
    """The texts asked in a cell: a string, what users say in a conversation, or the turns in a list."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, Mapping):
        role = value.get("role", value.get("from"))
        if isinstance(role, str) and role.lower() not in ASKING_ROLES:
            return []
        return [text for key in ("content", "value", "text") for text in _texts(value.get(key))][:1]
    if isinstance(value, list | tuple):
        return [text for item in value if not isinstance(item, list | tuple) for text in _texts(item)]
    return []


def _longest_column(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The column of strings with the longest mean, where that is long enough for prompts."""
    totals: dict[str, int] = {}
    for row in rows:
        for column, value in row.items():
            if isinstance(value, str):
                totals[column] = totals.get(column, 0) + len(value)
    longest = max(totals, key=lambda column: totals[column], default=None)
    return longest if longest is not None and totals[longest] >= MIN_MEAN_CHARS * len(rows) else None


def _lower(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in values.items()}


def _id(values: Mapping[str, Any], line: int) -> str:
    for column in ID_COLUMNS:
        value = values.get(column)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return str(line)
