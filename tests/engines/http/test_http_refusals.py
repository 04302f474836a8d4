"""What is not asked again, keys that nobody sees, and log-probabilities that an answer lacks."""

from __future__ import annotations

import logging
import math

import pytest
from manners import Fault

from humpback.engines import Ability, ChoiceRequest, GenerationRequest, LikelihoodRequest, Sampling
from humpback.errors import EngineError
from humpback.prompts import SCORES

SAMPLING = Sampling(0.9, 0.95, 40)
KEY = "sk-very-secret"


def asked(count: int) -> list[GenerationRequest]:
    return [GenerationRequest(f"row{n}", f"anchor {n} basket", n) for n in range(count)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_repeated(serve, connect, monkeypatch, status):
    monkeypatch.setenv("MY_KEY", KEY)
    hostile = serve()
    hostile.key = KEY
    engine = connect(hostile, api_key_env="MY_KEY", concurrency=1)
    hostile.faults.append(Fault("status", status))
    with pytest.raises(EngineError) as caught:
        engine.generate(asked(3), SAMPLING)
    message = str(caught.value)
    assert [body["seed"] for body in hostile.bodies].count(0) == 1
    assert f"refuses row row0: {status} no, Bearer ***" in message
    assert KEY not in message


def test_a_wrong_key_is_named_by_its_variable_alone(serve, connect, monkeypatch):
    hostile = serve()
    hostile.key = "another"
    monkeypatch.setenv("MY_KEY", KEY)
    with pytest.raises(EngineError, match="MY_KEY") as caught:
        connect(hostile, api_key_env="MY_KEY")
    assert KEY not in str(caught.value)
    with pytest.raises(EngineError, match=r"name its variable in engine\.http\.api_key_env"):
        connect(hostile)
    assert hostile.bodies == []


def test_the_key_is_in_no_log(serve, connect, monkeypatch, caplog):
    monkeypatch.setenv("MY_KEY", KEY)
    hostile = serve()
    hostile.key = KEY
    with caplog.at_level(logging.DEBUG, "humpback"):
        engine = connect(hostile, api_key_env="MY_KEY")
        hostile.faults.append(Fault("status", 500))
        engine.generate(asked(3), SAMPLING)
    assert any("Bearer ***" in message for message in caplog.messages)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("kind", "value"),
    [("no_logprobs", None), ("few_logprobs", None), *(("value", x) for x in (math.nan, -math.inf, 0.5))],
)
def test_log_probabilities_that_are_missing_are_asked_for_again(serve, connect, tokenizer, kind, value):
    hostile = serve()
    engine = connect(hostile)
    hostile.faults.extend([Fault(kind, value)] * 3)
    (answer,) = engine.loglikelihood([LikelihoodRequest("x", "anchor", " silver")])
    before, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("anchor", " silver"))
    total = sum(hostile.logprob(before + after[:place], token) for place, token in enumerate(after))
    assert answer.logprob == pytest.approx(total)
    assert len(hostile.bodies) == 4


def test_a_missing_score_is_found_in_another_way(serve, connect, tokenizer):
    hostile = serve()
    engine = connect(hostile)
    hostile.faults.append(Fault("no_digit"))
    (answer,) = engine.choice_logprobs([ChoiceRequest("x", "anchor\nScore:")], SCORES)
    ids = tokenizer("anchor\nScore:", add_special_tokens=False)["input_ids"]
    wanted = [hostile.logprob(ids, tokenizer(score, add_special_tokens=False)["input_ids"][0]) for score in SCORES]
    assert answer.logprobs == pytest.approx(wanted)
    assert len(hostile.bodies) == 6


def test_a_hiccup_while_probing_costs_no_ability(serve, connect):
    hostile = serve()
    seen = 0

    def every_other(body):
        nonlocal seen
        seen += 1
        return Fault("status", 500) if seen % 2 else None

    hostile.fault_of = every_other
    assert connect(hostile).abilities == frozenset(Ability)


def test_a_longer_hiccup_over_one_question_costs_none_either(serve, connect):
    hostile = serve()
    left = [3]

    def three_times(body):
        if "structured_outputs" not in body or not left[0]:
            return None
        left[0] -= 1
        return Fault("status", 503)

    hostile.fault_of = three_times
    assert Ability.CHOOSING in connect(hostile).abilities


def test_a_server_that_breaks_over_one_parameter_lacks_that_ability(serve, connect):
    hostile = serve()
    hostile.fault_of = lambda body: Fault("status", 500) if "structured_outputs" in body else None
    assert connect(hostile).abilities == {Ability.CHOICE_LOGPROBS, Ability.LOGLIKELIHOOD}
