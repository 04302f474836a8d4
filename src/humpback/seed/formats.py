"""The forms that seed rows come in, and how each becomes an instruction and its answer.

A form is a test, which looks at the columns of one row, and a parser, which turns the rows of one file into
`Parsed` pairs and `Rejected` rows, one outcome for every row, in the order of the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from humpback.records import DropReason
from humpback.tables import Row

INSTRUCTION_COLUMNS = ("instruction", "prompt", "question")
OUTPUT_COLUMNS = ("output", "response", "completion", "answer")
CONTEXT_COLUMNS = ("input", "context")
CONVERSATION_COLUMNS = ("conversations", "conversation")
USER_ROLES = frozenset({"human", "user", "prompter"})
ASSISTANT_ROLES = frozenset({"gpt", "assistant", "chatgpt", "bot", "model"})
UNRANKED = float("inf")
"""The rank of a reply that states none: after all that do."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row's instruction and answer, both as they stand in the file."""

    line: int
    instruction: str
    output: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row without a usable pair; `text` is what is worth keeping of it (empty: the whole row)."""

    line: int
    reason: DropReason
    detail: str
    text: str = ""


Outcome = Parsed | Rejected
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of rows: its name in `ingest.seed_format`, what it needs in words, its test and its parser."""

    name: str
    needs: str
    fits: Callable[[Columns], bool]
    parse: Callable[[Iterable[Row], str | None], Iterator[Outcome]]


def folded(row: Row) -> dict[str, Any]:
    """The row's values under lower-case column names (the first wins where two fold together)."""
    values: dict[str, Any] = {}
    for name, value in row.values.items():
        values.setdefault(str(name).strip().lower(), value)
    return values


def recognise(row: Row) -> Form | None:
    """The first form, from the most particular to the plainest, that fits the row's columns."""
    values = folded(row)
    return next((form for form in FORMS if form.fits(values)), None)


class _Wrong(Exception):
    """A row's value is of the wrong type, or a column is missing; the message is the detail."""


def _has(values: Columns, names: Iterable[str]) -> bool:
    return any(name in values for name in names)


def _text(values: Columns, names: tuple[str, ...]) -> str:
    """The text in the first of the columns `names` that is there; null is the empty text."""
    for name in names:
        if name in values:
            value = values[name]
            if value is None:
                return ""
            if not isinstance(value, str):
                raise _Wrong(f"column {name!r} holds {type(value).__name__}, not text")
            return value
    raise _Wrong(f"no column {' or '.join(repr(name) for name in names)}")


def _with_context(instruction: str, values: Columns) -> str:
    context = _text(values, CONTEXT_COLUMNS) if _has(values, CONTEXT_COLUMNS) else ""
    return f"{instruction}\n\n{context}" if context.strip() and instruction.strip() else instruction


def _outcome(line: int, instruction: str, output: str) -> Outcome:
    if not instruction.strip():
        return Rejected(line, DropReason.EMPTY_INSTRUCTION, "the instruction is empty", output)
    if not output.strip():
        return Rejected(line, DropReason.EMPTY_OUTPUT, "the answer is empty", instruction)
    return Parsed(line, instruction, output)


def _each(parse: Callable[[int, Columns], Outcome], rows: Iterable[Row]) -> Iterator[Outcome]:
    for row in rows:
        try:
            yield parse(row.line, folded(row))
        except _Wrong as wrong:
            yield Rejected(row.line, DropReason.UNREADABLE, str(wrong))


def _pair(line: int, values: Columns) -> Outcome:
    instruction = _with_context(_text(values, INSTRUCTION_COLUMNS), values)
    return _outcome(line, instruction, _text(values, OUTPUT_COLUMNS))


def read_pair(row: Row) -> Outcome:
    """The instruction and answer of one row of pairs."""
    return next(_each(_pair, [row]))


def _self_instruct(line: int, values: Columns) -> Outcome:
    instances = values.get("instances")
    if not isinstance(instances, list) or not instances or not isinstance(instances[0], dict):
        raise _Wrong("column 'instances' holds no list of objects")
    instruction = _with_context(_text(values, ("instruction",)), instances[0])
    return _outcome(line, instruction, _text(instances[0], ("output",)))


def _turns(values: Columns, columns: tuple[str, ...], role: str, content: str) -> list[tuple[str, str]]:
    """The turns of a conversation as (role in lower case, text)."""
    column = next((name for name in columns if name in values), columns[0])
    turns = values.get(column)
    if not isinstance(turns, list):
        raise _Wrong(f"column {column!r} holds no list of turns")
    if all(isinstance(turn, str) for turn in turns):  # LIMA's way: plain texts, the user's first
        return [("assistant" if index % 2 else "user", text) for index, text in enumerate(turns)]
    result = []
    for turn in turns:
        if not isinstance(turn, dict) or not isinstance(turn.get(role), str):
            raise _Wrong(f"a turn in {column!r} is no object with {role!r} and {content!r}")
        result.append((turn[role].lower(), _text(turn, (content,))))
    return result


def _first_turn(line: int, turns: list[tuple[str, str]]) -> Outcome:
    """The first user turn and the answer right after it; a system message before it opens the instruction."""
    first = next((index for index, (role, _) in enumerate(turns) if role in USER_ROLES), None)
    if first is None:
        return Rejected(line, DropReason.EMPTY_INSTRUCTION, "no turn is the user's")
    instruction = turns[first][1]
    system = "\n\n".join(text for role, text in turns[:first] if role == "system" and text.strip())
    if system and instruction.strip():
        instruction = f"{system}\n\n{instruction}"
    if first + 1 == len(turns) or turns[first + 1][0] not in ASSISTANT_ROLES:
        return Rejected(line, DropReason.NO_REPLY, "no answer follows the user's first turn", instruction)
    return _outcome(line, instruction, turns[first + 1][1])


def _sharegpt(line: int, values: Columns) -> Outcome:
    return _first_turn(line, _turns(values, CONVERSATION_COLUMNS, "from", "value"))


def _messages(line: int, values: Columns) -> Outcome:
    return _first_turn(line, _turns(values, ("messages",), "role", "content"))


def _rank(values: Columns) -> float:
    value = values.get("rank")
    if value is None or value == "":
        return UNRANKED
    try:
        rank = float(value)
    except (TypeError, ValueError):
        raise _Wrong(f"column 'rank' holds {type(value).__name__} that is no number") from None
    return UNRANKED if math.isnan(rank) else rank


def _parse_ranked(rows: Iterable[Row], language: str | None) -> Iterator[Outcome]:
    """Keeps the usable answer of lowest rank of every question; the first in the file where ranks are
    equal."""
    outcomes: list[Outcome] = []
    best: dict[str, tuple[float, int]] = {}
    for row in rows:
        values = folded(row)
        try:
            outcome, rank = _pair(row.line, values), _rank(values)
        except _Wrong as wrong:
            outcomes.append(Rejected(row.line, DropReason.UNREADABLE, str(wrong)))
            continue
        if isinstance(outcome, Parsed):
            place = (rank, len(outcomes))
            best[outcome.instruction] = min(place, best.get(outcome.instruction, place))
        outcomes.append(outcome)
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, Parsed) and best[outcome.instruction][1] != index:
            detail = "another answer to the same question is ranked above it"
            yield Rejected(outcome.line, DropReason.NOT_BEST_REPLY, detail, outcome.output)
        else:
            yield outcome


def _best_reply(replies: list[Any], language: str | None) -> Columns | None:
    """The best-ranked assistant reply that was not deleted and is not of another language, or None."""
    usable = [
        reply
        for reply in replies
        if isinstance(reply, dict)
        and reply.get("role") == "assistant"
        and not reply.get("deleted")
        and (language is None or reply.get("lang") in (None, language))
    ]
    return min(usable, key=_rank, default=None)


def _oasst_pair(line: int, prompt: Columns, reply: Columns | None, language: str | None) -> Outcome:
    """A conversation's first message with its best reply."""
    instruction = _text(prompt, ("text",))
    if language is not None and prompt.get("lang") not in (None, language):
        detail = f"the row states {prompt['lang']!r}, not {language!r}"
        return Rejected(line, DropReason.OTHER_LANGUAGE, detail, instruction)
    if reply is None or prompt.get("deleted"):
        return Rejected(line, DropReason.NO_REPLY, "no assistant reply that was not deleted", instruction)
    return _outcome(line, instruction, _text(reply, ("text",)))


def _oasst_tree(line: int, values: Columns, language: str | None) -> Outcome:
    prompt = values.get("prompt")
    if not isinstance(prompt, dict) or not isinstance(prompt.get("replies") or [], list):
        raise _Wrong("column 'prompt' holds no tree of messages")
    return _oasst_pair(line, prompt, _best_reply(prompt.get("replies") or [], language), language)


def _parse_oasst(rows: Iterable[Row], language: str | None) -> Iterator[Outcome]:
    """Trees row by row; flat messages are gathered under the first message that they reply to.

    A flat conversation's outcome stands at its first message; the row of the reply that it uses yields
    nothing.
    """
    held = [(row.line, folded(row)) for row in rows]
    replies: dict[str, list[dict[str, Any]]] = {}
    for _, values in held:
        if "prompt" not in values and isinstance(values.get("parent_id"), str):
            replies.setdefault(values["parent_id"], []).append(values)
    outcomes: list[Outcome] = []
    used: set[int] = set()
    rest: list[tuple[int, Columns]] = []
    for line, values in held:
        try:
            if "prompt" in values:
                outcomes.append(_oasst_tree(line, values, language))
            elif values.get("parent_id") in (None, "") and values.get("role") == "prompter":
                reply = _best_reply(replies.get(str(values.get("message_id")), []), language)
                outcome = _oasst_pair(line, values, reply, language)
                outcomes.append(outcome)
                if isinstance(outcome, Parsed):
                    used.add(id(reply))
            else:
                rest.append((line, values))
        except _Wrong as wrong:
            outcomes.append(Rejected(line, DropReason.UNREADABLE, str(wrong)))
    outcomes += [_later_message(line, values) for line, values in rest if id(values) not in used]
    yield from sorted(outcomes, key=lambda outcome: outcome.line)


def _later_message(line: int, values: Columns) -> Outcome:
    try:
        text = _text(values, ("text",))
    except _Wrong as wrong:
        return Rejected(line, DropReason.UNREADABLE, str(wrong))
    return Rejected(line, DropReason.NOT_BEST_REPLY, "neither a first message nor the best reply to one", text)


def _fits_oasst(values: Columns) -> bool:
    tree = isinstance(values.get("prompt"), dict)
    return tree or all(name in values for name in ("message_id", "parent_id", "role", "text"))


def _fits_pairs(values: Columns) -> bool:
    return _has(values, INSTRUCTION_COLUMNS) and _has(values, OUTPUT_COLUMNS)


FORMS = (
    Form(
        "oasst",
        "`prompt` with its tree of `replies`, or flat `message_id`, `parent_id`, `role`, `text`",
        _fits_oasst,
        _parse_oasst,
    ),
    Form(
        "sharegpt",
        "`conversations`: turns with `from` and `value`, or plain texts in turn",
        lambda values: _has(values, CONVERSATION_COLUMNS),
        lambda rows, _: _each(_sharegpt, rows),
    ),
    Form(
        "messages",
        "`messages`: turns with `role` and `content`",
        lambda values: "messages" in values,
        lambda rows, _: _each(_messages, rows),
    ),
    Form(
        "self_instruct",
        "`instruction` and `instances`, a list of objects with `input` and `output`",
        lambda values: "instruction" in values and "instances" in values,
        lambda rows, _: _each(_self_instruct, rows),
    ),
    Form(
        "ranked",
        "`question`, `answer` and `rank` (0 is best)",
        lambda values: _fits_pairs(values) and "rank" in values,
        _parse_ranked,
    ),
    Form(
        "pairs",
        "one of `instruction`, `prompt`, `question` and one of `output`, `response`, `completion`, `answer`, "
        "with or without `input` or `context`",
        _fits_pairs,
        lambda rows, _: _each(_pair, rows),
    ),
)
"""Every form, the most particular first."""
