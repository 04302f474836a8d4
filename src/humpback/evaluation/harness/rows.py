"""Rows of public data files in the columns that the harness's own task files read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

_ASKED = re.compile(r"\APlease choose the correct (?:answer|solution) to the question: ")
_FORMAT = re.compile(r"\s*\n\s*Answer format: (\w+(?:/\w+)+)\s*\Z")
_LAST_SENTENCE = re.compile(r"(?<=[.!?]) (?=\S)|(?<=[.!?][\"')]) (?=\S)")
_COLUMNS = {
    "siqa": ("context", "question", "answerA", "answerB", "answerC", "label"),
    "piqa": ("goal", "sol1", "sol2", "label"),
    "arc_easy": ("question", "choices", "answerKey"),
    "arc_challenge": ("question", "choices", "answerKey"),
    "openbookqa": ("question_stem", "choices", "answerKey"),
    "mmlu": ("question", "choices", "answer"),
    "crows_pairs": ("sent_more", "sent_less", "bias_type"),
}


def harness_row(benchmark: str, values: Values) -> dict[str, Any]:
    """A row in the columns of the data set that the harness's task reads.

    It may stand in them already, or be in the form of LLM-Adapters, one text with the question and its answers (Hu et
    al. 2023, arXiv 2304.01933).

    Raises:
        ValueError: it is of neither form; the message says what is missing.
    """
    columns = _COLUMNS[benchmark]
    if all(values.get(name) is not None for name in columns):
        return {name: values[name] for name in columns}
    if isinstance(values.get("instruction"), str) and isinstance(values.get("answer"), str):
        question, answers, right = read_choices(values["instruction"], values["answer"])
        return _arranged(benchmark, question, answers, right)
    missing = [name for name in columns if values.get(name) is None]
    raise ValueError(f"lacks {', '.join(missing)}; it has {', '.join(map(str, values)) or 'nothing'}")


def read_choices(instruction: str, answer: str) -> tuple[str, list[str], int]:
    """Question, answers and the place of the right one, from 0, of a text in the form of LLM-Adapters.

    The pieces are handed on with the spaces that stand in them, since the harness's prompts would have them too.

    Raises:
        ValueError: the text is not of that form, or where an answer ends cannot be told.
    """
    begin, end = _ASKED.match(instruction), _FORMAT.search(instruction)
    if begin is None or end is None:
        raise ValueError("its `instruction` does not ask to choose an answer and name the format of the answer")
    names = end.group(1).split("/")
    if answer not in names:
        raise ValueError(f"its `answer` {answer!r} is none of {', '.join(names)}")
    text = instruction[begin.end() : end.start(0)]
    text += re.match(r"[ \t]*", instruction[end.start(0) :]).group()  # type: ignore[union-attr]
    pieces = []
    for name in names:
        before, mark, text = text.partition(f"{name.capitalize()}: ")
        if not mark or f"{name.capitalize()}: " in text:
            raise ValueError(f"its `instruction` must have {name.capitalize()!r} exactly once")
        pieces.append(before)
    question, *answers = [*pieces, text]
    separator = "\n\n" if names[0].startswith("solution") else " "
    answers = [one.removesuffix(separator) for one in answers[:-1]] + answers[-1:]
    return question.removesuffix("\n\n"), answers, names.index(answer)


def _arranged(benchmark: str, question: str, answers: list[str], right: int) -> dict[str, Any]:
    if benchmark == "siqa" and len(answers) == 3:
        # The harness joins both by one space, so any place between two words would do.
        parts = _LAST_SENTENCE.split(question)
        context, asked = (" ".join(parts[:-1]), parts[-1]) if len(parts) > 1 else question.split(" ", 1)
        named = dict(zip(("answerA", "answerB", "answerC"), answers, strict=True))
        return {"context": context, "question": asked, **named, "label": str(right + 1)}
    if benchmark == "piqa" and len(answers) == 2:
        return {"goal": question, "sol1": answers[0], "sol2": answers[1], "label": right}
    if benchmark in ("arc_easy", "arc_challenge", "openbookqa"):
        labels = [chr(ord("A") + place) for place in range(len(answers))]
        name = "question_stem" if benchmark == "openbookqa" else "question"
        return {name: question, "choices": {"text": answers, "label": labels}, "answerKey": labels[right]}
    raise ValueError(f"has {len(answers)} answers, which is not {benchmark}'s form")


def mmlu_row(cells: list[str]) -> dict[str, Any]:
    """A row of MMLU's CSV files: question, four answers, and the right one as a letter or from 0.

    Raises:
        ValueError: it has other columns.
    """
    right = {**{letter: place for place, letter in enumerate("ABCD")}, **{str(place): place for place in range(4)}}
    if len(cells) != 6 or cells[5].strip() not in right:
        raise ValueError("must have six columns: question, four answers, and the right one as A to D or 0 to 3")
    return {"question": cells[0], "choices": cells[1:5], "answer": right[cells[5].strip()]}
