"""The four accuracies, and which response belongs to which prompt."""

from __future__ import annotations

import json

import pytest

from humpback.errors import InputError
from humpback.evaluation.following import (
    FollowingPrompt,
    Instruction,
    match_responses,
    measure_following,
    read_following_prompts,
)

NO_COMMA = Instruction("punctuation:no_comma", {})
QUOTED = Instruction("startend:quotation", {})
PROMPTS = [FollowingPrompt(1, "first", (NO_COMMA, QUOTED)), FollowingPrompt(2, "second", (NO_COMMA,))]


def test_accuracies_by_prompt_and_by_instruction():
    found = measure_following(PROMPTS, ["no comma", "none"])
    assert (found.prompt_strict.hits, found.prompt_strict.count) == (1, 2)
    assert (found.instruction_strict.hits, found.instruction_strict.count) == (2, 3)
    assert found.kinds["startend:quotation"].strict.value == 0
    assert found.groups["punctuation"].strict.value == 1


def test_loose_accuracy_forgives_a_first_line_and_asterisks():
    found = measure_following(PROMPTS, ['Sure, here you are:\n"quoted"', "*none*"])
    assert found.prompt_strict.hits == 1
    assert found.prompt_loose.hits == 2
    found = measure_following(PROMPTS, ['**"quoted"**', "a, b"])
    assert (found.instruction_strict.hits, found.instruction_loose.hits) == (1, 2)


def test_an_empty_response_follows_nothing():
    found = measure_following(PROMPTS, ["", "  "])
    assert found.instruction_loose.hits == 0


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    prompts = [PROMPTS[1]] * 20
    responses = ["none"] * 15 + ["a, b"] * 5
    first, again = (measure_following(prompts, responses, seed=3).prompt_strict for _ in range(2))
    assert first == again
    assert first.low < first.value == 0.75 < first.high


@pytest.fixture
def files(tmp_path):
    prompts, outputs = tmp_path / "prompts.jsonl", tmp_path / "outputs.json"
    rows = [
        {"prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
        {"prompt": "Say more.", "instruction_id_list": ["startend:quotation"], "kwargs": [{}]},
    ]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return prompts, outputs


def test_responses_are_matched_by_their_prompt(files):
    prompts, outputs = files
    rows = [("Another", "x"), ("Say more. ", '"more"'), ("Say it.", "it")]
    outputs.write_text(json.dumps([{"instruction": a, "output": b, "finish": "end"} for a, b in rows]))
    found = match_responses(outputs, read_following_prompts(prompts))
    assert [(one.text, one.finish) for one in found] == [("it", "end"), ('"more"', "end")]


def test_an_unanswered_prompt_is_named_by_its_line(files):
    prompts, outputs = files
    outputs.write_text(json.dumps([{"prompt": "Say it.", "response": "it"}]))
    with pytest.raises(InputError, match=r"no answer to 1 of the 2 prompts, the first of them in line 2: 'Say more\.'"):
        match_responses(outputs, read_following_prompts(prompts))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "x", "instruction_id_list": ["no:kind"], "kwargs": [{}]}, "line 1: unknown kind of instruction"),
        ({"prompt": "x", "instruction_id_list": ["punctuation:no_comma"], "kwargs": []}, "of the same length"),
        ({"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}, "line 1: no `prompt`"),
    ],
)
def test_prompts_of_another_form(tmp_path, row, message):
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match=message):
        read_following_prompts(file)


def test_the_same_prompt_twice(files):
    prompts, _ = files
    prompts.write_text(prompts.read_text() * 2)
    with pytest.raises(InputError, match="line 3: the same prompt as in line 1"):
        read_following_prompts(prompts)
