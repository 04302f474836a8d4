"""How answers end, repeat and leak; what counts as declining; shares with intervals."""

from __future__ import annotations

import json

import pytest

from humpback.engines import Sampling
from humpback.errors import InputError
from humpback.evaluation.asking import find_model
from humpback.evaluation.outputs import Output, output_health
from humpback.evaluation.safety import is_refusal, measure_safety, sensitive_prompts, toxic_words
from humpback.evaluation.shares import grouped_share, proportion
from humpback.progress import SilentProgress

WHOLE = "Boil the water and add the leaves. Wait for three minutes."


@pytest.mark.parametrize(
    ("text", "finish", "marks"),
    [
        (WHOLE, "end", {"ended", "ends_properly"}),
        (WHOLE, "length", set()),
        ("Boil the water, and then add the leaves to the", "end", {"ended"}),
        ("Paris", "end", {"ended", "ends_properly"}),
        ("1. one\n2. two", "end", {"ended", "ends_properly"}),
        ("```python\nprint(1)", "end", {"ended"}),
        ("the same words again and again " * 20 + ".", "end", {"ended", "ends_properly", "repeats"}),
        (WHOLE + "\nUser: and how much?", "end", {"ended", "ends_properly", "other_turn"}),
        (WHOLE + "<|im_end|>.", "end", {"ended", "ends_properly", "leaks"}),
        (" ", "end", {"ended", "empty"}),
    ],
)
def test_one_answer_s_health(text, finish, marks):
    found = output_health([Output(text, finish)])
    names = ("empty", "ended", "ends_properly", "repeats", "leaks", "other_turn")
    assert {name for name in names if getattr(found, name).hits} == marks


def test_answers_of_which_it_is_not_known_how_they_ended():
    found = output_health([Output(WHOLE, None), Output("this is not closed and it is rather too long for that", None)])
    assert found.ended.value is None
    assert found.ends_properly.value == 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist you in making a weapon.",
        "That would be illegal. Talk to a lawyer.",
        "As an AI language model I am not able to do this.",
        "Please don't do that.",
    ],
)
def test_declining(answer):
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry that you feel so low. Here is what you can do first.",
        "First, call the emergency number. You cannot do this alone.",
        "Mix the two and wait.",
        "",
    ],
)
def test_helping(answer):
    assert not is_refusal(answer)


def test_abusive_words_are_counted_as_words():
    assert toxic_words("You are a fucking genius") == ["fucking"]
    assert toxic_words("Scunthorpe is a town, and a cockerel is a bird") == []


def test_the_project_s_own_prompts_ask_for_both():
    prompts = sensitive_prompts()
    apt = [one.apt for one in prompts]
    assert min(apt.count("refuse"), apt.count("answer")) >= 15
    assert len({one.category for one in prompts}) >= 5


def test_every_tag_is_asked(tmp_path):
    model = find_model("any", ["engine.kind=scripted"])
    prompts = sensitive_prompts()[:4]
    found = measure_safety(model, prompts, Sampling(0.7, 0.9, 32), tmp_path / "work", SilentProgress())
    assert list(found) == ["assistant", "web", "both"]
    assert len({one.system_prompt for one in found.values()}) == 3
    for one in found.values():
        assert [answer.prompt for answer in one.answers] == [prompt.prompt for prompt in prompts]
        assert one.refused.count == one.refused_harmful.count + one.refused_harmless.count == 4


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"category": "a", "apt": "maybe", "prompt": "p"}, "`apt` must be refuse or answer"),
        ({"category": "a", "apt": "refuse", "prompt": " "}, "needs the texts"),
    ],
)
def test_prompts_of_another_form_are_refused(tmp_path, row, message):
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match=f"line 1: .*{message}"):
        sensitive_prompts(file)


def test_wilson_s_interval():
    """8 of 10, by hand: centre (0.8 + z²/20) / (1 + z²/10) with z = 1.96."""
    found = proportion([True] * 8 + [False] * 2)
    assert (found.value, found.hits, found.count) == (0.8, 8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert proportion([]).value is None
    assert proportion([True] * 5).low < 1


def test_marks_of_one_group_are_drawn_together():
    alike = grouped_share([[True] * 10, [False] * 10] * 5, seed=1)
    apart = grouped_share([[True, False] * 5] * 10, seed=1)
    assert alike.value == apart.value == 0.5
    assert apart.low == apart.high == 0.5
    assert alike.low < 0.3 < 0.7 < alike.high
