"""vLLM beside transformers in float32: the same ratings, likelihoods and greedy texts, on a model and an adapter."""

from __future__ import annotations

import importlib.util
import math
import os
import random
import signal
import string

import pytest

from humpback.config import EngineConfig
from humpback.engines import (
    Ability,
    ChoiceRequest,
    GenerationRequest,
    LikelihoodRequest,
    Sampling,
    open_engine,
)
from humpback.engines.vllm.start import CPU_BATCH
from humpback.errors import EngineError
from humpback.prompts import SCORES

SPEC = importlib.util.find_spec("vllm")
if SPEC is None or SPEC.origin is None:
    pytest.skip("vllm is not installed; `make test-vllm` installs it beside the rest", allow_module_level=True)

SAMPLING = Sampling(0.9, 0.95, 12)
GREEDY = Sampling(0.0, 1.0, 24)


@pytest.fixture(scope="module")
def running(small_llama, open_as):
    with open_as("vllm", small_llama) as engine:
        yield engine


@pytest.fixture(scope="module")
def reference(small_llama, open_as):
    with open_as("transformers", small_llama) as engine:
        yield engine


def choices(prompts):
    return [ChoiceRequest(str(n), f"{prompt}\nScore:") for n, prompt in enumerate(prompts)]


def generations(prompts):
    return [GenerationRequest(str(n), prompt, n) for n, prompt in enumerate(prompts)]


def likelihoods(prompts):
    asked = [LikelihoodRequest(str(n), p, c) for n, (p, c) in enumerate(zip(prompts, prompts[::-1], strict=True))]
    return [*asked, LikelihoodRequest("one", "silver", " 1"), LikelihoodRequest("none", "silver", "")]


def same_choices(one, other, wanted, abs=1e-3):
    for left, right in zip(one.choice_logprobs(*wanted), other.choice_logprobs(*wanted), strict=True):
        assert left.row_id == right.row_id
        gaps = [value - left.logprobs[0] for value in left.logprobs]
        assert gaps == pytest.approx([value - right.logprobs[0] for value in right.logprobs], abs=abs)


def same_likelihoods(one, other, asked):
    for left, right in zip(one.loglikelihood(asked), other.loglikelihood(asked), strict=True):
        assert (left.row_id, left.tokens) == (right.row_id, right.tokens)
        assert left.logprob == pytest.approx(right.logprob, abs=1e-3 * max(1, left.tokens))


@pytest.mark.parametrize("texts", [SCORES, (" silver", " yellow window", " q"), ("4", " 4"), (" 2",)])
def test_choices_are_those_of_transformers(running, reference, prompts, texts):
    same_choices(running, reference, (choices(prompts), texts))


def test_likelihoods_are_those_of_transformers(running, reference, prompts):
    same_likelihoods(running, reference, likelihoods(prompts))


def test_greedy_texts_are_those_of_transformers(running, reference, prompts):
    answers = running.generate(generations(prompts), GREEDY)
    assert answers == reference.generate(generations(prompts), GREEDY)
    assert len({answer.text for answer in answers}) > 8


def test_text_depends_on_neither_order_nor_batch(running, prompts):
    asked = generations(prompts)
    together = running.generate(asked, SAMPLING)
    assert [answer.row_id for answer in together] == [request.row_id for request in asked]
    assert len({answer.text for answer in together}) > 8
    assert running.generate(asked[::-1], SAMPLING)[::-1] == together
    assert [running.generate([request], SAMPLING)[0] for request in asked] == together
    other = [GenerationRequest(request.row_id, request.prompt, request.seed + 100) for request in asked]
    assert running.generate(other, SAMPLING) != together
    seeds = [GenerationRequest(str(seed), prompts[0], seed) for seed in (-1, -1, 2**63 - 1, 2**80 + 1, 1)]
    texts = [answer.text for answer in running.generate(seeds, SAMPLING)]
    assert texts[0] == texts[1], "-1 is a seed, too"


def test_more_seeded_prompts_than_fit_a_batch(running):
    generator = random.Random(1)
    words = ["anchor", "basket", "candle", "silver", "yellow", "window", "lemon", "marble"]
    texts = [" ".join(generator.choices(words, k=140)) for _ in range(24)]
    tokens = [running.count(text) for text in texts]
    assert sum(tokens) > CPU_BATCH
    assert max(tokens) < 480
    answers = running.generate(generations(texts), SAMPLING)
    assert answers == [running.generate([request], SAMPLING)[0] for request in generations(texts)]


def test_draws_follow_the_probabilities(running, prompts):
    letters = [letter for letter in string.printable if running.count(letter) == 1]
    (found,) = running.choice_logprobs([ChoiceRequest("x", prompts[0])], letters)
    likeliest = sorted(zip(found.logprobs, letters, strict=True))[-8:]
    rows = 600
    asked = [GenerationRequest(str(seed), prompts[0], seed) for seed in range(rows)]
    drawn = [answer.text for answer in running.generate(asked, Sampling(1.0, 1.0, 1))]
    assert sum(math.exp(logprob) for logprob, _ in likeliest) > 0.05
    for logprob, letter in likeliest:
        share = math.exp(logprob)
        assert abs(drawn.count(letter) - rows * share) < 5 * math.sqrt(rows * share * (1 - share)) + 1


def test_generation_ends_at_the_end_token_and_leaves_it_out(running, prompts):
    asked = [GenerationRequest(str(n), prompts[n % len(prompts)], n) for n in range(40)]
    answers = running.generate(asked, Sampling(2.0, 1.0, 200))
    ended = [answer for answer in answers if answer.finish == "end"]
    assert 0 < len(ended) < len(answers)
    assert all(answer.tokens < 200 and "<|im_end|>" not in answer.text for answer in ended)
    assert {answer.tokens for answer in answers if answer.finish == "length"} == {200}


def test_an_answer_is_one_of_the_choices(running, prompts):
    assert Ability.CHOOSING in running.abilities
    asked = generations(prompts)
    drawn = running.generate(asked, Sampling(1.0, 1.0, 4, SCORES))
    assert {answer.text for answer in drawn} <= set(SCORES)
    assert len({answer.text for answer in drawn}) > 1
    likeliest = running.generate(asked, Sampling(0.0, 1.0, 4, SCORES))
    found = running.choice_logprobs([ChoiceRequest(request.row_id, request.prompt) for request in asked], SCORES)
    best = [SCORES[answer.logprobs.index(max(answer.logprobs))] for answer in found]
    assert [answer.text for answer in likeliest] == best


def test_a_row_may_fill_the_context_and_no_more(running, reference):
    assert running.context == reference.context == 512
    half = running.cut("silver window and yellow anchor " * 200, 256)
    filling = LikelihoodRequest("x", half, half)
    assert running.count(half) == 256
    same_likelihoods(running, reference, [filling])
    with pytest.raises(EngineError, match=r"row long: its prompt has 513 tokens.*context of 512"):
        running.generate([*generations(["silver"]), GenerationRequest("long", half + half + "a", 0)], SAMPLING)
    with pytest.raises(EngineError, match="row long: its prompt"):
        running.loglikelihood([LikelihoodRequest("long", half, half + "a")])
    assert len(running.generate(generations(["silver"]), SAMPLING)) == 1, "it goes on"


def test_cut_and_count_are_those_of_the_tokenizer(running, reference):
    text = "the silver window and the yellow garden"
    assert running.cut(text, 4) == reference.cut(text, 4)
    assert running.count(text) == reference.count(text)


def test_nothing_asked_nothing_answered(running):
    assert running.generate([], SAMPLING) == []
    assert running.choice_logprobs([], SCORES) == []
    assert running.loglikelihood([]) == []


def processes() -> list[str]:
    import psutil

    found = psutil.Process().children(recursive=True)
    return [child.name() for child in found if child.status() != psutil.STATUS_ZOMBIE and "VLLM" in child.name()]


def test_an_adapter_after_its_base_and_an_engine_that_dies(running, small_llama, small_adapter, open_as, prompts):
    import torch

    before = running.choice_logprobs(choices(prompts), SCORES)
    assert processes()
    running.close()
    running.close()
    assert processes() == []
    assert not torch.distributed.is_initialized()
    with open_as("vllm", small_adapter) as adapted, open_as("transformers", small_adapter) as merged:
        assert adapted.choice_logprobs(choices(prompts), SCORES) != before
        same_choices(adapted, merged, (choices(prompts), SCORES))
        same_likelihoods(adapted, merged, likelihoods(prompts))
        assert adapted.generate(generations(prompts), GREEDY) == merged.generate(generations(prompts), GREEDY)
        import psutil

        for child in psutil.Process().children(recursive=True):
            if child.name().startswith("VLLM::EngineCor"):
                os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"rows 0 to 12: vllm's process was killed.*run again"):
            adapted.choice_logprobs(choices(prompts), SCORES)
    assert processes() == []


def test_a_start_without_memory_names_the_settings(small_llama, monkeypatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    with pytest.raises(EngineError, match=r"small-llama: vllm did not start: .*emory") as caught:
        open_engine(EngineConfig(kind="vllm", dtype="float32"), small_llama, "<|im_end|>")
    for name in ("engine.vllm.memory", "engine.vllm.max_context", "engine.vllm.tensor_parallel"):
        assert name in str(caught.value)
    assert processes() == []
