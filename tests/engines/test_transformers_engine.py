"""Transformers in this process: batches, caches and padding change how fast, never what."""

from __future__ import annotations

import random

import pytest
import torch

from humpback.config import EngineConfig, PromptsConfig
from humpback.engines import (
    ChoiceRequest,
    Generation,
    GenerationRequest,
    LikelihoodRequest,
    Sampling,
    chat_format,
    open_engine,
)
from humpback.engines.tokens import end_ids, generation_of
from humpback.errors import ModelError
from humpback.models import load_model, load_tokenizer
from humpback.prompts import SCORES

SAMPLING = Sampling(0.9, 0.95, 12)
WORDS = ["anchor", "basket", "candle", "silver", "yellow", "window", "Score:", "1", "2", "3", "4", "5", "and", "the"]


@pytest.fixture(scope="module")
def prompts():
    generator = random.Random(0)
    return [" ".join(generator.choices(WORDS, k=generator.randint(3, 40))) for _ in range(13)]


def engine(folder, batch_tokens=8192):
    config = EngineConfig(device="cpu", dtype="float32", batch_tokens=batch_tokens)
    return open_engine(config, folder, "<|im_end|>")


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model, dtype=torch.float32, device="cpu").eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def naive(model, tokenizer, prompt: str, continuation: str) -> float:
    """Log-probability of the continuation's tokens from one full forward pass."""
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = tokenizer(continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logprobs = torch.log_softmax(model(torch.tensor([before + after])).logits[0].float(), -1)
    return sum(logprobs[len(before) + i - 1, token].item() for i, token in enumerate(after))


def test_text_depends_on_neither_order_nor_batch(tiny_model, prompts):
    asked = [GenerationRequest(str(n), prompt, n) for n, prompt in enumerate(prompts)]
    together = engine(tiny_model).generate(asked, SAMPLING)
    assert [answer.row_id for answer in together] == [request.row_id for request in asked]
    assert len({answer.text for answer in together}) > 8
    assert engine(tiny_model).generate(asked[::-1], SAMPLING)[::-1] == together
    assert engine(tiny_model, 64).generate(asked, SAMPLING) == together
    assert engine(tiny_model, 200).generate(asked, SAMPLING) == together
    other = [GenerationRequest(request.row_id, request.prompt, request.seed + 100) for request in asked]
    assert engine(tiny_model).generate(other, SAMPLING) != together


def test_generation_ends_at_the_end_token_and_leaves_it_out(tokenizer):
    ends = end_ids(tokenizer, "<|im_end|>")
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    word = tokenizer(" silver", add_special_tokens=False)["input_ids"]
    assert generation_of(tokenizer, "x", [*word, end, end], ends) == Generation("x", " silver", "end", len(word))
    assert generation_of(tokenizer, "x", word, ends) == Generation("x", " silver", "length", len(word))
    assert generation_of(tokenizer, "x", [end], ends) == Generation("x", "", "end", 0)


def test_greedy_text_is_that_of_transformers_own_generate(tiny_model, model, tokenizer, prompts):
    """Row by row, without padding, cache of a shared prefix, or rows that leave the batch."""
    shared = "You are asked about " + " ".join(WORDS) + ". "
    for begins in ("", shared):
        asked = [GenerationRequest(str(n), begins + prompt, n) for n, prompt in enumerate(prompts)]
        for request, answer in zip(asked, engine(tiny_model).generate(asked, Sampling(0.0, 1.0, 24)), strict=True):
            ids = tokenizer(request.prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
            whole = model.generate(
                ids, max_new_tokens=24, do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=0
            )[0, ids.shape[1] :]
            assert answer.text == tokenizer.decode(whole, skip_special_tokens=True)


def test_rows_that_end_early_change_nothing_for_the_others(tiny_model, prompts):
    """Every token that ends in `e` ends an answer, so that the rows of a batch end at many different steps."""
    ending = engine(tiny_model)
    vocabulary = ending.tokenizer.get_vocab()
    ending._end_ids = [token for text, token in vocabulary.items() if text.endswith(("e", "n"))]
    asked = [GenerationRequest(str(n), prompt, n) for n, prompt in enumerate(prompts * 3)]
    together = ending.generate(asked, Sampling(1.5, 1.0, 40))
    assert len({answer.tokens for answer in together}) > 8
    assert {answer.finish for answer in together} == {"end", "length"}
    assert [ending.generate([request], Sampling(1.5, 1.0, 40))[0] for request in asked] == together


def test_at_most_so_many_new_tokens(tiny_model, prompts):
    asked = [GenerationRequest(str(n), prompt, n) for n, prompt in enumerate(prompts)]
    answers = engine(tiny_model).generate(asked, Sampling(1.0, 1.0, 3))
    assert {answer.tokens for answer in answers if answer.finish == "length"} == {3}
    assert all(answer.tokens <= 3 for answer in answers)


@pytest.mark.parametrize("choices", [SCORES, (" silver", " yellow window", " q"), ("4", " 4")])
@pytest.mark.parametrize("shared", ["", "You rate answers. The scale goes from 1 to 5 and is this:\n"])
def test_choices_are_those_of_a_full_forward_pass(tiny_model, model, tokenizer, prompts, choices, shared):
    asked = [ChoiceRequest(str(n), f"{shared}{prompt}\nScore:") for n, prompt in enumerate(prompts)]
    for batch_tokens in (8192, 80):
        answers = engine(tiny_model, batch_tokens).choice_logprobs(asked, choices)
        for request, answer in zip(asked, answers, strict=True):
            wanted = [naive(model, tokenizer, request.prompt, choice) for choice in choices]
            assert answer.row_id == request.row_id
            if choices is SCORES:
                assert answer.logprobs == pytest.approx(wanted, abs=1e-4)
            else:
                gaps = [value - answer.logprobs[0] for value in answer.logprobs]
                assert gaps == pytest.approx([value - wanted[0] for value in wanted], abs=2e-4)


def test_one_prompt_and_a_prompt_that_begins_another(tiny_model, model, tokenizer):
    texts = ["silver window", "silver window and garden", "silver window"]
    for asked in ([texts[0]], texts):
        answers = engine(tiny_model).choice_logprobs([ChoiceRequest(t, t) for t in asked], SCORES)
        for text, answer in zip(asked, answers, strict=True):
            wanted = [naive(model, tokenizer, text, choice) for choice in SCORES]
            assert answer.logprobs == pytest.approx(wanted, abs=1e-4)


def test_likelihoods_are_those_of_a_full_forward_pass(tiny_model, model, tokenizer, prompts):
    asked = [LikelihoodRequest(str(n), p, c) for n, (p, c) in enumerate(zip(prompts, prompts[::-1], strict=True))]
    asked.append(LikelihoodRequest("empty", "silver", ""))
    for batch_tokens in (8192, 90):
        for request, answer in zip(asked, engine(tiny_model, batch_tokens).loglikelihood(asked), strict=True):
            tokens = tokenizer(request.continuation, add_special_tokens=False)["input_ids"]
            assert (answer.row_id, answer.tokens) == (request.row_id, len(tokens))
            wanted = naive(model, tokenizer, request.prompt, request.continuation) if tokens else 0.0
            assert answer.logprob == pytest.approx(wanted, abs=1e-3)


def test_nothing_asked_nothing_answered(tiny_model):
    silent = engine(tiny_model)
    assert silent.generate([], SAMPLING) == []
    assert silent.choice_logprobs([], SCORES) == []
    assert silent.loglikelihood([]) == []


def limited(monkeypatch, running, rows: int) -> list[int]:
    """Makes `running` run out of memory on more than `rows` rows; returns the sizes of the batches it tried."""
    tried = []
    usual = running._last_logprobs

    def run(batch, counts):
        tried.append(len(batch))
        if len(batch) > rows:
            raise torch.OutOfMemoryError("out of memory")
        return usual(batch, counts)

    monkeypatch.setattr(running, "_last_logprobs", run)
    return tried


def test_running_out_of_memory_halves_the_batch_and_goes_on(tiny_model, prompts, monkeypatch):
    asked = [LikelihoodRequest(str(n), prompt, " silver") for n, prompt in enumerate(prompts)]
    wanted = [answer.logprob for answer in engine(tiny_model).loglikelihood(asked)]
    small = engine(tiny_model)
    tried = limited(monkeypatch, small, 3)
    answers = small.loglikelihood(asked)
    assert [answer.row_id for answer in answers] == [request.row_id for request in asked]
    assert [answer.logprob for answer in answers] == pytest.approx(wanted, abs=1e-4)
    assert tried[0] == 13
    tried.clear()
    small.loglikelihood(asked)
    assert max(tried) <= 6, "the smaller budget is kept"


def test_the_budget_is_halved_once_for_all_batches_of_its_size(tiny_model, monkeypatch):
    asked = [LikelihoodRequest(str(n), "silver window", " garden") for n in range(64)]
    rows_of_16 = engine(tiny_model, 64)
    length = rows_of_16.count("silver window") + rows_of_16.count(" garden")
    rows_of_16.budget.tokens = 16 * length
    tried = limited(monkeypatch, rows_of_16, 8)
    assert len(rows_of_16.loglikelihood(asked)) == 64
    assert tried == [16, *[8] * 8]
    assert rows_of_16.budget.tokens == 8 * length


def test_a_single_row_that_does_not_fit_says_what_to_do(tiny_model, monkeypatch, prompts):
    small = engine(tiny_model)
    limited(monkeypatch, small, 0)
    asked = [LikelihoodRequest(str(n), prompt, " silver") for n, prompt in enumerate(prompts)]
    with pytest.raises(ModelError, match=r"out of memory on a single row of \d+ tokens; use a smaller model"):
        small.loglikelihood(asked)


def test_cut_counts_the_models_tokens(tiny_model, tokenizer):
    text = "the silver window and the yellow garden"
    cut = engine(tiny_model).cut(text, 4)
    assert text.startswith(cut)
    assert len(tokenizer(cut, add_special_tokens=False)["input_ids"]) == 4


def test_the_scripted_engine_needs_no_model(tmp_path):
    scripted = EngineConfig(kind="scripted")
    assert open_engine(scripted, tmp_path, "<|end|>").identity == "base"
    assert chat_format(scripted, PromptsConfig(), None).end == "<|end|>"
