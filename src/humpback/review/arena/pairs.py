"""The questions of a comparison: two models' outputs, screening questions, and who sees which when on which side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.randomness import derived_seed
from humpback.records import content_id
from humpback.tables import BrokenRow, read_rows

FIRST, SAME, SECOND = "first", "same", "second"
CHOICES = (FIRST, SAME, SECOND)

_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Question:
    """An instruction with two answers. Where `is_screening`, answer `a` is the better one, as everybody should see.

    `key` is the same whichever of the two models comes first.
    """

    key: str
    instruction: str
    a: str
    b: str
    is_screening: bool = False


@dataclass(frozen=True, slots=True)
class Arena:
    """A comparison of model `name_a` with `name_b`. `pass_mark` is the least share of screening questions that an
    annotator must get right."""

    name_a: str
    name_b: str
    questions: list[Question]
    screening: list[Question]
    pass_mark: float
    random_seed: int
    folder_name: str = field(init=False)

    def __post_init__(self) -> None:
        names = sorted((self.name_a, self.name_b))
        object.__setattr__(self, "folder_name", f"arena-{content_id('arena', *names)}")

    def order(self, annotator: str) -> list[Question]:
        """All questions in an annotator's own random order, the screening ones spread evenly, each at a random place
        of its stretch, so that whoever stops early has seen a share of them."""
        return [
            question
            for _, question in sorted(
                [*self._places(self.questions, annotator), *self._places(self.screening, annotator)],
                key=lambda placed: placed[0],
            )
        ]

    def a_is_first(self, annotator: str, question: Question) -> bool:
        """Whether this annotator sees answer `a` on the first side, drawn for each annotator and question."""
        names = sorted((self.name_a, self.name_b))
        drawn = bool(derived_seed(self.random_seed, "arena side", annotator, question.key) & 1)
        # The draw is about the models in alphabetical order, so that it does not matter which file comes first.
        return drawn if question.is_screening or names[0] == self.name_a else not drawn

    def _places(self, questions: list[Question], annotator: str) -> Iterator[tuple[tuple[float, str], Question]]:
        def drawn(purpose: str, question: Question) -> int:
            return derived_seed(self.random_seed, purpose, annotator, question.key)

        shuffled = sorted(questions, key=lambda question: drawn("arena order", question))
        for number, question in enumerate(shuffled):
            within = drawn("arena place", question) / 2**63
            yield ((number + within) / len(shuffled), question.key), question


def read_arena(a: Path, b: Path, screening: Path | None, pass_mark: float, random_seed: int) -> Arena:
    """The comparison of two files of outputs in AlpacaEval's format, row by row.

    Raises:
        InputError: a file is missing or of another form, or the files do not belong together.
    """
    rows_a, rows_b = _outputs(a), _outputs(b)
    if len(rows_a) != len(rows_b):
        raise InputError(
            f"--arena: {a} has {len(rows_a)} rows and {b} has {len(rows_b)}; give outputs for the same prompts"
        )
    for number, (one, other) in enumerate(zip(rows_a, rows_b, strict=True), 1):
        if one["instruction"] != other["instruction"]:
            raise InputError(
                f"--arena: row {number} has another instruction in {a} ({_short(one['instruction'])}) than in {b} "
                f"({_short(other['instruction'])}); give outputs for the same prompts in the same order"
            )
    names = _generator(a, rows_a), _generator(b, rows_b)
    if names[0] == names[1]:
        raise InputError(f"--arena: {a} and {b} both hold outputs of {names[0]}; a comparison needs two generators")
    questions = [
        _question(one["instruction"], (names[0], one["output"]), (names[1], other["output"]))
        for one, other in zip(rows_a, rows_b, strict=True)
    ]
    asked = [] if screening is None else _screening(screening)
    # Equal rows are one question; a dictionary keeps the first of each.
    distinct = list({question.key: question for question in questions}.values())
    return Arena(*names, distinct, asked, pass_mark, random_seed)


def _question(instruction: str, a: tuple[str, str], b: tuple[str, str]) -> Question:
    key = content_id("question", instruction, *(part for pair in sorted((a, b)) for part in pair))
    return Question(key, instruction, a[1], b[1])


def _outputs(file: Path) -> list[dict[str, Any]]:
    return list(_texts(file, "--arena", ("instruction", "output", "generator")))


def _screening(file: Path) -> list[Question]:
    found = [
        Question(
            content_id("screening", row["instruction"], row["better"], row["worse"]),
            row["instruction"],
            row["better"],
            row["worse"],
            is_screening=True,
        )
        for row in _texts(file, "--screening", ("instruction", "better", "worse"))
    ]
    return list({question.key: question for question in found}.values())


def _texts(file: Path, option: str, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        raise InputError(f"{option}: {file}: no such file; give a table with {', '.join(names)}")
    for number, row in enumerate(read_rows(file, max_broken_fraction=0.0), 1):
        if isinstance(row, BrokenRow):
            raise InputError(f"{option}: {file}: row {number}: {row.detail}")
        for name in names:
            if not isinstance(row.values.get(name), str) or (not row.values[name] and name != "output"):
                raise InputError(f"{option}: {file}: row {number}: `{name}` is missing or no text")
        yield row.values


def _generator(file: Path, rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(str(row["generator"]) for row in rows))
    if len(names) > 1:
        raise InputError(f"--arena: {file}: holds outputs of {', '.join(names[:4])}; give a file with one generator")
    return names[0]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN_CHARS else line[: _SHOWN_CHARS - 1] + "…")
