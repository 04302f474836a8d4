"""The scripted engine is a pure function of its model and the request."""

from __future__ import annotations

import json
import math

from humpback.engines import ChoiceRequest, GenerationRequest, LikelihoodRequest, Sampling
from humpback.engines.scripted import ScriptedEngine

SAMPLING = Sampling(0.7, 0.9, 16)
PROMPTS = [f"Tell something about silver windows and garden number {n} please" for n in range(200)]


def requests():
    return [GenerationRequest(str(n), prompt, n) for n, prompt in enumerate(PROMPTS)]


def test_answers_depend_on_the_request_alone():
    engine = ScriptedEngine("a")
    asked = requests()
    together = engine.generate(asked, SAMPLING)
    assert [answer.row_id for answer in together] == [request.row_id for request in asked]
    assert engine.generate(asked[::-1], SAMPLING) == together[::-1]
    assert [ScriptedEngine("a").generate([request], SAMPLING)[0] for request in asked] == together
    assert ScriptedEngine("b").generate(asked, SAMPLING) != together
    assert any(answer.finish == "length" for answer in together), "a few never end"
    assert sum(answer.finish == "end" for answer in together) > 150


def test_choices_are_a_distribution():
    engine = ScriptedEngine("a")
    asked = [ChoiceRequest(str(n), prompt) for n, prompt in enumerate(PROMPTS[:9])]
    for answer in engine.choice_logprobs(asked, (" 1", " 2", " 3")):
        assert math.isclose(sum(map(math.exp, answer.logprobs)), 1.0)
    assert engine.choice_logprobs(asked[::-1], (" 1",)) == engine.choice_logprobs(asked, (" 1",))[::-1]


def test_likelihoods_are_those_of_words():
    answer = ScriptedEngine("a").loglikelihood([LikelihoodRequest("x", "prompt", "four words stand here")])[0]
    assert answer.tokens == 4
    assert -12.0 <= answer.logprob <= -4.0


def test_the_identity_stands_in_the_models_folder(tmp_path):
    assert ScriptedEngine.of(tmp_path).identity == "base"
    (tmp_path / "scripted.json").write_text(json.dumps({"identity": "trained"}))
    assert ScriptedEngine.of(tmp_path).identity == "trained"


def test_cut_takes_words():
    assert ScriptedEngine("a").cut("one two three", 2) == "one two"
    assert ScriptedEngine("a").cut("one", 2) == "one"
