"""The same answers from servers of different manners, and abilities that are those of the server."""

from __future__ import annotations

import math

import pytest

from humpback.engines import Ability, ChoiceRequest, GenerationRequest, LikelihoodRequest, Sampling
from humpback.engines.http.dialect import Choosing, Scoring, chosen
from humpback.errors import EngineError
from humpback.prompts import SCORES

SAMPLING = Sampling(0.9, 0.95, 40)
CHAT = "<|im_start|>user\nanchor {}<|im_end|>\n<|im_start|>assistant\n"
ALL = frozenset(Ability)


def asked(count: int) -> list[GenerationRequest]:
    return [GenerationRequest(f"row{n}", CHAT.format(n), 2**40 + n) for n in range(count)]


@pytest.mark.parametrize("manner", ["vllm", "openai", "llamacpp", "deaf"])
def test_texts_are_those_of_the_request_whatever_the_manner(serve, connect, tokenizer, manner):
    hostile = serve(manner=manner)
    answers = connect(hostile).generate(asked(20), SAMPLING)
    for request, answer in zip(asked(20), answers, strict=True):
        ids = tokenizer(request.prompt, add_special_tokens=False)["input_ids"]
        text, _ = hostile.text(ids, request.seed % 2**31, 40)
        tokens = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        assert (answer.row_id, answer.text, answer.finish, answer.tokens) == (request.row_id, text, "end", tokens)
    assert len({answer.text for answer in answers}) > 10


def test_prompts_go_as_token_ids_with_nothing_added(serve, connect, tokenizer):
    hostile = serve()
    connect(hostile).generate(asked(1), SAMPLING)
    (body,) = hostile.bodies
    assert body["prompt"] == tokenizer(CHAT.format(0), add_special_tokens=False)["input_ids"]
    assert body["prompt"].count(tokenizer.bos_token_id) == 2
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.9, 0.95, 40)
    assert 0 <= body["seed"] < 2**31
    assert (body["stop"], body["stop_token_ids"]) == (["<|im_end|>"], [tokenizer.eos_token_id])
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (0, 0.0, 1.0)


def test_a_server_of_texts_is_sent_texts(serve, connect):
    hostile = serve(manner="deaf")
    engine = connect(hostile)
    assert engine.abilities == frozenset()
    engine.generate(asked(1), SAMPLING)
    assert hostile.bodies[0]["prompt"] == CHAT.format(0)
    assert hostile.bodies[0]["add_special_tokens"] is False


def test_an_answer_at_its_limit_says_so(serve, connect):
    answers = connect(serve()).generate(asked(20), Sampling(1.0, 1.0, 3))
    assert {answer.tokens for answer in answers if answer.finish == "length"} == {3}


@pytest.mark.parametrize(
    ("manner", "abilities", "scoring", "choosing"),
    [
        ("vllm", ALL, Scoring.PROMPT_LOGPROBS, Choosing.STRUCTURED_OUTPUTS),
        ("openai", {Ability.CHOICE_LOGPROBS, Ability.LOGLIKELIHOOD}, Scoring.ECHO, None),
        ("llamacpp", {Ability.CHOOSING}, None, Choosing.GRAMMAR),
        ("deaf", frozenset(), None, None),
    ],
)
def test_abilities_are_what_the_probe_showed(serve, connect, manner, abilities, scoring, choosing):
    hostile = serve(manner=manner)
    engine = connect(hostile)
    assert engine.abilities == abilities
    assert (engine.dialect.scoring, engine.dialect.choosing) == (scoring, choosing)


@pytest.mark.parametrize(("manner", "requests"), [("vllm", 1), ("openai", 6)])
def test_choices_have_their_exact_log_probabilities(serve, connect, tokenizer, manner, requests):
    hostile = serve(manner=manner)
    engine = connect(hostile)
    rows = [ChoiceRequest(f"row{n}", CHAT.format(n) + "Score:") for n in range(12)]
    wanted_ids = [tokenizer(score, add_special_tokens=False)["input_ids"][0] for score in SCORES]
    for row, answer in zip(rows, engine.choice_logprobs(rows, SCORES), strict=True):
        ids = tokenizer(row.prompt, add_special_tokens=False)["input_ids"]
        assert answer.row_id == row.row_id
        assert answer.logprobs == pytest.approx([hostile.logprob(ids, token) for token in wanted_ids])
    # Five likely tokens hold all five scores by chance only: then one request a score.
    assert len(hostile.bodies) == 12 * requests


def test_a_server_with_long_lists_of_likely_tokens_gives_choices(serve, connect, tokenizer, monkeypatch):
    hostile = serve(manner="llamacpp")
    favoured = {tokenizer(score, add_special_tokens=False)["input_ids"][0] for score in SCORES}
    usual = hostile.logprob
    hostile.logprob = lambda before, token: usual(before, token) / (9 if token in favoured else 1) - 0.2
    engine = connect(hostile)
    assert Ability.CHOICE_LOGPROBS in engine.abilities
    assert Ability.LOGLIKELIHOOD not in engine.abilities
    (answer,) = engine.choice_logprobs([ChoiceRequest("x", CHAT + "Score:")], SCORES)
    ids = tokenizer(CHAT + "Score:", add_special_tokens=False)["input_ids"]
    wanted = [hostile.logprob(ids, tokenizer(score, add_special_tokens=False)["input_ids"][0]) for score in SCORES]
    assert answer.logprobs == pytest.approx(wanted)
    favoured.clear()
    (answer,) = engine.choice_logprobs([ChoiceRequest("x", CHAT + "Score:")], SCORES)
    assert any(map(math.isnan, answer.logprobs)), "what the list lacks is not guessed"
    with pytest.raises(EngineError, match=r"several tokens each.*use engine.kind: transformers"):
        engine.choice_logprobs([ChoiceRequest("x", CHAT)], (" silver window", " q"))


@pytest.mark.parametrize("manner", ["vllm", "openai"])
def test_choices_of_several_tokens_are_summed(serve, connect, tokenizer, manner):
    hostile = serve(manner=manner)
    choices = (" silver window", " silver quarry and", " silver")
    (answer,) = connect(hostile).choice_logprobs([ChoiceRequest("x", "anchor")], choices)
    before = tokenizer("anchor", add_special_tokens=False)["input_ids"]
    endings = [tokenizer(choice, add_special_tokens=False)["input_ids"] for choice in choices]
    sums = [sum(hostile.logprob(before + ids[:place], token) for place, token in enumerate(ids)) for ids in endings]
    gaps = [value - answer.logprobs[0] for value in answer.logprobs]
    assert gaps == pytest.approx([value - sums[0] for value in sums])


@pytest.mark.parametrize("manner", ["vllm", "openai"])
def test_likelihoods_are_sums_over_the_continuation(serve, connect, tokenizer, manner):
    hostile = serve(manner=manner)
    rows = [LikelihoodRequest(f"row{n}", CHAT.format(n), " silver window" * n) for n in range(8)]
    for row, answer in zip(rows, connect(hostile).loglikelihood(rows), strict=True):
        before = tokenizer(row.prompt, add_special_tokens=False)["input_ids"]
        after = tokenizer(row.continuation, add_special_tokens=False)["input_ids"]
        total = sum(hostile.logprob(before + after[:place], token) for place, token in enumerate(after))
        assert (answer.row_id, answer.tokens) == (row.row_id, len(after))
        assert answer.logprob == pytest.approx(total)
    assert len(hostile.bodies) == 7, "an empty continuation needs no request"


@pytest.mark.parametrize("manner", ["vllm", "llamacpp"])
def test_choosing_gives_a_choice_as_it_was_written(serve, connect, manner):
    answers = connect(serve(manner=manner)).generate(asked(12), Sampling(0.7, 0.9, 4, SCORES))
    assert {answer.text for answer in answers} <= set(SCORES)
    assert len({answer.text for answer in answers}) > 2


def test_a_choice_that_lost_its_space():
    assert chosen("3", SCORES) == " 3"
    assert chosen(" 3", SCORES) == " 3"
    assert chosen("3", ("3", " 3")) == "3"
    assert chosen(" 3.", SCORES) is None


def test_the_context_is_the_servers(serve, connect):
    hostile = serve()
    hostile.max_model_len = 512
    assert connect(hostile).context == 511
    hostile.max_model_len = None
    assert connect(hostile).context == 2047, "the model's own"


def test_texts_are_cut_and_counted_as_elsewhere(serve, connect, tokenizer):
    engine = connect(serve())
    text = "the silver window and the yellow garden"
    assert engine.count(text) == len(tokenizer(text)["input_ids"])
    assert text.startswith(engine.cut(text, 4))
    assert engine.count(engine.cut(text, 4)) == 4


def test_nothing_asked_nothing_answered(serve, connect):
    hostile = serve()
    silent = connect(hostile)
    assert silent.generate([], SAMPLING) == []
    assert silent.choice_logprobs([], SCORES) == []
    assert silent.loglikelihood([]) == []
    assert hostile.bodies == []


def test_a_model_under_another_name(serve, connect, tiny_model):
    hostile = serve(name=f"mine-{tiny_model.name}")
    assert connect(hostile, model="mine-{name}").generate(asked(1), SAMPLING)
    with pytest.raises(EngineError) as caught:
        connect(hostile, model="{name}")
    message = str(caught.value)
    assert f"serves mine-{tiny_model.name}, not {tiny_model.name}" in message
    assert f"vllm serve {tiny_model} --served-model-name {tiny_model.name} --port {hostile.port}" in message
    assert "repeat the command" in message


def test_the_same_name_for_another_folder(serve, connect, tiny_base):
    hostile = serve()
    hostile.root = str(tiny_base)
    with pytest.raises(EngineError, match=f"serves {tiny_base} as tiny, not"):
        connect(hostile)


def test_another_model_answers(serve, connect):
    hostile = serve()
    hostile.answers_as = "gpt"
    with pytest.raises(EngineError, match="asked for the model tiny, answered as gpt"):
        connect(hostile)
    hostile.answers_as = "tiny:2026"
    assert connect(hostile).generate(asked(1), SAMPLING)


def test_another_tokenizer_reads_other_tokens(serve, connect):
    hostile = serve()
    usual = hostile.tokens
    hostile.tokens = lambda prompt: prompt if isinstance(prompt, list) else usual(prompt)[::2]
    with pytest.raises(
        EngineError, match=r"runs another model or tokenizer.*make other tokens \(\d+ and \d+ of them\)"
    ):
        connect(hostile)


def test_a_begin_token_of_the_servers_own(serve, connect):
    """Goes unnoticed where prompts are ids, and would stand in every prompt where they are texts."""
    for manner in ("llamacpp", "deaf"):
        hostile = serve(manner=manner)
        usual = hostile.tokens
        hostile.tokens = lambda prompt, usual=usual: prompt if isinstance(prompt, list) else [1, *usual(prompt)]
        if manner == "llamacpp":
            assert connect(hostile).generate(asked(1), SAMPLING)
        else:
            with pytest.raises(EngineError, match="puts a token of its own before every prompt"):
                connect(hostile)


def test_a_prompt_that_the_server_cuts(serve, connect):
    from manners import Fault

    hostile = serve()
    engine = connect(hostile)
    hostile.faults.append(Fault("cut_prompt"))
    with pytest.raises(EngineError, match=r"row row0: the server read \d+ of \d+ tokens of the prompt"):
        engine.generate(asked(1), SAMPLING)
