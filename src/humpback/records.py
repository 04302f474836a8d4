"""Typed rows that cross every boundary, and their Arrow schemas.

A record is a flat, frozen dataclass of strings, numbers, lists of them, numbers by name, and at most one nested
`Source`. Its Arrow schema is derived from its type hints, so the two cannot disagree.
"""

from __future__ import annotations

import dataclasses
import hashlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

R = TypeVar("R")


class DropReason(StrEnum):
    """Every reason for which a row is set aside. The list is closed: a row leaves for one of these or stays."""

    # reading
    UNREADABLE = "unreadable"
    NOT_A_DOCUMENT = "not_a_document"
    TOO_LARGE = "too_large"
    STOPPED = "stopped"
    NO_CONTENT = "no_content"
    TAKEN_DOWN = "taken_down"
    EMPTY_INSTRUCTION = "empty_instruction"
    EMPTY_OUTPUT = "empty_output"
    OTHER_LANGUAGE = "other_language"
    NO_REPLY = "no_reply"
    NOT_BEST_REPLY = "not_best_reply"
    # segments
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    HEADER_EMPTY = "header_empty"
    HEADER_UPPER_CASE = "header_upper_case"
    HEADER_NAVIGATION = "header_navigation"
    REPEATED_SENTENCES = "repeated_sentences"
    MOSTLY_CODE = "mostly_code"
    INSIDE_KEPT = "inside_kept"
    WORD_LENGTH = "word_length"
    SYMBOLS = "symbols"
    BULLETS = "bullets"
    ELLIPSES = "ellipses"
    FEW_LETTERS = "few_letters"
    FEW_STOP_WORDS = "few_stop_words"
    REPEATED_LINES = "repeated_lines"
    REPEATED_NGRAMS = "repeated_ngrams"
    UNPUNCTUATED = "unpunctuated"
    SHORT_LINES = "short_lines"
    BOILERPLATE = "boilerplate"
    MOSTLY_LINKS = "mostly_links"
    TRUNCATED = "truncated"
    MOSTLY_NUMBERS = "mostly_numbers"
    BLOCKED_WORDS = "blocked_words"
    PERSONAL_DATA = "personal_data"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    CONTAMINATED = "contaminated"
    OVER_LIMIT = "over_limit"
    # candidates; an empty instruction is EMPTY_INSTRUCTION
    UNFINISHED = "unfinished"
    LEAKED_PROMPT = "leaked_prompt"
    REFUSAL = "refusal"
    OTHER_TURN = "other_turn"
    COPIED_OUTPUT = "copied_output"
    REPEATS_ITSELF = "repeats_itself"
    TOO_FEW_WORDS = "too_few_words"
    TITLE_ONLY = "title_only"
    NO_REQUEST = "no_request"
    LANGUAGE_MISMATCH = "language_mismatch"
    MISSING_TEXT = "missing_text"
    SEVERAL_REQUESTS = "several_requests"
    INSTRUCTION_TOO_LONG = "instruction_too_long"
    NOT_CHOSEN = "not_chosen"
    SAME_INSTRUCTION = "same_instruction"
    # curation
    BELOW_THRESHOLD = "below_threshold"
    NOT_AMONG_BEST = "not_among_best"
    SOURCE_FULL = "source_full"
    TOO_SIMILAR = "too_similar"
    LABELLED_BAD = "labelled_bad"
    UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text stands: which file or URL, which record in it, which characters of the record's extracted text.

    `fetched` is when it was fetched, in ISO 8601, and `sha256` the digest of the text between `start` and `end`
    as it stands there; both None where they are not known.
    """

    uri: str
    record: str | None = None
    start: int | None = None
    end: int | None = None
    licence: str | None = None
    fetched: str | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        where = self.uri if self.record is None else f"{self.uri}:{self.record}"
        return where if self.start is None else f"{where} [{self.start}:{self.end}]"


@dataclass(frozen=True, slots=True)
class Document:
    """One unlabelled document, before it is cut: the text whose spans its segments name, Markdown or plain."""

    text: str
    title: str
    source: Source
    is_markdown: bool = True


@dataclass(frozen=True, slots=True)
class Segment:
    """A self-contained piece of a document: the paper's y_i. `headers` leads from the title down to its own.

    `language` is an ISO 639 code, empty where it was not looked for. `text` is what `source` names, except where
    personal data in it was redacted.
    """

    id: str
    text: str
    headers: list[str]
    source: Source
    language: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A seed pair: a user's instruction and a human's answer, byte for byte."""

    id: str
    instruction: str
    output: str
    source: Source


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment with the instruction that the backward model sampled for it: the paper's (x̂_i, y_i).

    `text_cut`: the backward model saw only the beginning of the text, which was too long for it.
    """

    id: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    text_cut: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """One candidate's quality as one model sees it.

    `rating` is on the 1-to-5 scale, or None with `unparsed_reason`. `probabilities` are those of the scores 1 to 5
    (empty for a written judgement, whose text is in `judgement`). `method` says how it was had: `expected`, `chosen`
    or `written`. `instruction_cut`: the judge saw only the beginning of the instruction, since both together were
    longer than its context; the output is never cut. `p_good` is a calibrated probability that the pair is good,
    `signals` are what it was calibrated on, by name (`humpback.judge`).
    """

    candidate_id: str
    rating: float | None
    unparsed_reason: str | None = None
    probabilities: list[float] = field(default_factory=list)
    judgement: str | None = None
    method: str = "expected"
    instruction_cut: bool = False
    p_good: float | None = None
    signals: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planted:
    """Seed pair `pair` with a planted defect of one kind, or as it is; `signals` by name, once they were read."""

    id: str
    kind: str
    pair: str
    instruction: str
    output: str
    signals: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curated:
    """A row of the curated set: a candidate that round `round` kept, with the rating that kept it.

    Where answers are rewritten, `output` is the model's and `original` the document's, or `not_rewritten` says why the
    document's stayed.
    """

    id: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    rating: float
    round: int
    original: str | None = None
    not_rewritten: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that was set aside: as much of it as there was, one reason, and where it came from."""

    id: str
    reason: DropReason
    detail: str
    text: str
    source: Source


def content_id(*parts: object) -> str:
    """Sixteen hexadecimal digits that depend on `parts` alone (64 bits: a clash is expected past 4 billion rows)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        piece = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


def to_row(record: object) -> dict[str, Any]:
    """The record as the plain dictionary that Arrow and JSON take."""
    return dataclasses.asdict(record)  # type: ignore[call-overload, no-any-return]


def to_table(rows: Sequence[object], kind: type) -> pa.Table:
    """The records of type `kind` as one Arrow table, a column a field."""
    import pyarrow as pa

    schema = arrow_schema(kind)
    columns = [_column([getattr(row, field.name) for row in rows], field) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], declared: pa.Field) -> pa.Array:
    """A column of Arrow; nested records go field by field, several times as fast as through dictionaries."""
    import pyarrow as pa

    if pa.types.is_struct(declared.type):
        parts = [_column([getattr(value, part.name) for value in values], part) for part in declared.type]
        return pa.StructArray.from_arrays(parts, fields=list(declared.type))
    return pa.array(values, type=declared.type)


def from_row(kind: type[R], row: Mapping[str, Any]) -> R:
    """The record of type `kind` that `to_row` turned into `row`."""
    values = dict(row)
    for name, convert in _converters(typing.cast(Any, kind)).items():
        if values.get(name) is not None:
            values[name] = convert(values[name])
    return kind(**values)


@cache
def _converters(kind: Any) -> dict[str, Callable[[Any], Any]]:
    """For each field that is more than a plain value: what makes it from one."""
    found: dict[str, Callable[[Any], Any]] = {}
    for name, hint in typing.get_type_hints(kind).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found[name] = partial(_construct, hint)
        elif isinstance(hint, type) and issubclass(hint, StrEnum):
            found[name] = hint
        elif typing.get_origin(hint) is dict:
            found[name] = dict  # Arrow gives pairs
    return found


def _construct(kind: type, values: Mapping[str, Any]) -> object:
    return kind(**values)


def arrow_schema(kind: type) -> pa.Schema:
    """The Arrow schema of a record type; a field is nullable where its type admits None."""
    import pyarrow as pa

    hints = typing.get_type_hints(kind)
    fields = []
    for declared in dataclasses.fields(kind):
        hint, nullable = _without_none(hints[declared.name])
        fields.append(pa.field(declared.name, _arrow_type(hint), nullable=nullable))
    return pa.schema(fields)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if isinstance(hint, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
        return members[0], True
    return hint, False


def _arrow_type(hint: Any) -> pa.DataType:
    import pyarrow as pa

    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return pa.struct(list(arrow_schema(hint)))
    if typing.get_origin(hint) is list:
        item, nullable = _without_none(typing.get_args(hint)[0])
        return pa.list_(pa.field("item", _arrow_type(item), nullable=nullable))
    if typing.get_origin(hint) is dict:
        key, value = typing.get_args(hint)
        return pa.map_(_arrow_type(key), _arrow_type(value))
    if issubclass(hint, str):
        return pa.string()
    scalars: dict[Any, pa.DataType] = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return scalars[hint]
