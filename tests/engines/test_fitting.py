"""Prompts in a short context: the instruction gives way, never the answer."""

from __future__ import annotations

import pytest

from humpback.engines.fitting import LEAST_TOKENS, fit_prompt, text_limit
from humpback.engines.scripted import ScriptedEngine

WORDS = [f"w{number}" for number in range(100)]
ANSWER = " ".join(["answer"] * 30)


class Short(ScriptedEngine):
    """Counts words, so that every number below can be checked by hand."""

    def __init__(self, context):
        super().__init__("short")
        self.context = context


def render(instruction):
    return f"{instruction} | {ANSWER}"


def test_what_fits_is_left_alone():
    whole = render(" ".join(WORDS))  # 100 + 1 + 30 words
    for context in (None, 141, 10_000):
        fitted = fit_prompt(Short(context), " ".join(WORDS), render, 10)
        assert (fitted.text, fitted.is_cut) == (whole, False)


def test_one_token_too_many_cuts_the_end_of_the_instruction():
    fitted = fit_prompt(Short(140), " ".join(WORDS), render, 10)
    assert fitted.is_cut
    instruction, _, answer = fitted.text.partition(" | ")
    assert answer == ANSWER
    assert instruction == " ".join(WORDS[:95])  # one too many, and four for the seam
    assert Short(140).count(fitted.text) + 10 <= 140


@pytest.mark.parametrize(("context", "fits"), [(41 + LEAST_TOKENS + 4, True), (41 + LEAST_TOKENS + 3, False)])
def test_an_answer_too_long_for_the_context_is_not_cut_but_refused(context, fits):
    fitted = fit_prompt(Short(context), " ".join(WORDS), render, 10)
    assert (fitted is not None) == fits
    if fitted is not None:
        assert len(fitted.text.partition(" | ")[0].split()) == LEAST_TOKENS


def test_the_limit_of_a_text_leaves_room_for_question_and_instruction():
    assert text_limit(Short(None), render, 768, 128) == 768
    assert text_limit(Short(10_000), render, 768, 128) == 768
    assert text_limit(Short(500), render, 768, 128) == 500 - Short(500).count(render("")) - 128 - 4
