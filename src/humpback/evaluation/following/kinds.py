"""The 25 kinds of instructions of IFEval by their names in its data file, and how their arguments are read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from humpback.evaluation.following import counting, form

Check = Callable[..., bool]

KINDS: dict[str, Check] = {
    "change_case:capital_word_frequency": counting.capital_word_frequency,
    "change_case:english_capital": counting.english_capitals,
    "change_case:english_lowercase": counting.english_small_letters,
    "combination:repeat_prompt": form.repeats_prompt,
    "combination:two_responses": form.two_responses,
    "detectable_content:number_placeholders": form.placeholder_count,
    "detectable_content:postscript": form.has_postscript,
    "detectable_format:constrained_response": form.is_constrained,
    "detectable_format:json_format": form.is_json,
    "detectable_format:multiple_sections": form.section_count,
    "detectable_format:number_bullet_lists": form.bullet_count,
    "detectable_format:number_highlighted_sections": form.highlight_count,
    "detectable_format:title": form.has_title,
    "keywords:existence": counting.keywords_exist,
    "keywords:forbidden_words": counting.no_forbidden_words,
    "keywords:frequency": counting.keyword_frequency,
    "keywords:letter_frequency": counting.letter_frequency,
    "language:response_language": counting.response_language,
    "length_constraints:nth_paragraph_first_word": counting.nth_paragraph_first_word,
    "length_constraints:number_paragraphs": counting.paragraph_count,
    "length_constraints:number_sentences": counting.sentence_count,
    "length_constraints:number_words": counting.word_count,
    "punctuation:no_comma": counting.no_comma,
    "startend:end_checker": form.ends_with,
    "startend:quotation": form.is_quoted,
}


def read_arguments(kind: str, given: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of a known kind; those that are null are absent, as in the data set's other form.

    Raises:
        ValueError: one is missing, unknown, or of a wrong type.
    """
    wanted = _arguments(kind)
    found = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(found.keys() - wanted.keys()):
        raise ValueError(f"unknown argument `{unknown[0]}`; it takes {', '.join(wanted) or 'none'}")
    return {name: _typed(name, found.get(name), hint) for name, hint in wanted.items()}


@cache
def _arguments(kind: str) -> dict[str, Any]:
    """Names and types of a kind's arguments, without the response."""
    hints = get_type_hints(KINDS[kind])
    return {name: hints[name] for name in list(inspect.signature(KINDS[kind]).parameters)[1:]}


def _typed(name: str, value: object, hint: Any) -> object:
    if value is None:
        raise ValueError(f"argument `{name}` is missing")
    if hint is int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is int and value >= 0:
            return value
        raise ValueError(f"argument `{name}` must be a whole number from 0 on, not {value!r}")
    if hint == list[str]:
        if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            return value
        raise ValueError(f"argument `{name}` must be a list of texts, not {value!r}")
    if isinstance(value, str) and value and (hint is str or value in get_args(hint)):
        return value
    raise ValueError(f"argument `{name}` must be {' or '.join(get_args(hint)) or 'a text'}, not {value!r}")
