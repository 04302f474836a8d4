"""vLLM beside transformers on the built-in model: the same in float32, in bfloat16 within its rounding."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources

import pytest

from humpback.config import PromptsConfig
from humpback.engines import ChoiceRequest, GenerationRequest, LikelihoodRequest, Sampling
from humpback.prompts import SCORES, ChatFormat, PromptContract, expected_score

SPEC = importlib.util.find_spec("vllm")
if SPEC is None or SPEC.origin is None:
    pytest.skip("vllm is not installed; `make test-vllm` installs it beside the rest", allow_module_level=True)
pytestmark = pytest.mark.model

PAIRS = 24


@pytest.fixture(scope="module")
def folder():
    from humpback.models import builtin_model

    return builtin_model()


@pytest.fixture(scope="module")
def asked(folder):
    """Ratings, questions to the model, and likelihoods of the built-in seed's shortest answers."""
    from humpback.models import load_tokenizer

    contract = PromptContract(ChatFormat.of(load_tokenizer(folder)), PromptsConfig())
    text = (resources.files("humpback") / "data" / "seed.jsonl").read_text(encoding="utf-8")
    rows = sorted(map(json.loads, text.splitlines()), key=lambda row: len(row["output"]))[20 : 20 + PAIRS]
    pairs = [(str(n), row["instruction"], rows[(n + n % 2) % PAIRS]["output"]) for n, row in enumerate(rows)]
    ratings = [ChoiceRequest(n, contract.rating(one, other)) for n, one, other in pairs]
    questions = [GenerationRequest(n, contract.backward(other), int(n)) for n, _, other in pairs]
    likelihoods = [
        LikelihoodRequest(n, contract.forward(one, contract.inference_tag), other) for n, one, other in pairs[:8]
    ]
    return ratings, questions, likelihoods


def answers(engine, asked, sampling):
    """Expected scores, texts, and log-probabilities per token."""
    ratings, questions, likelihoods = asked
    scores = [expected_score(answer.logprobs)[0] for answer in engine.choice_logprobs(ratings, SCORES)]
    texts = [answer.text for answer in engine.generate(questions, sampling)]
    means = [answer.logprob / answer.tokens for answer in engine.loglikelihood(likelihoods)]
    return scores, texts, means


@pytest.fixture(scope="module")
def reference(folder, asked, open_as):
    with open_as("transformers", folder) as engine:
        return answers(engine, asked, Sampling(0.0, 1.0, 24))


def rank_correlation(one, other) -> float:
    """Spearman's: the correlation of the ranks."""
    ranks = [[sorted(values).index(value) for value in values] for values in (one, other)]
    differences = sum((left - right) ** 2 for left, right in zip(*ranks, strict=True))
    return 1 - 6 * differences / (len(one) * (len(one) ** 2 - 1))


def furthest(one, other) -> float:
    return max(abs(left - right) for left, right in zip(one, other, strict=True))


def tell(scores, means, reference) -> None:
    """Prints the figures for `pytest -s`."""
    print("\nexpected scores differ by at most", furthest(scores, reference[0]))
    print("rank correlation of the scores", rank_correlation(scores, reference[0]))
    print("log-probabilities a token differ by at most", furthest(means, reference[2]))


def test_float32_answers_are_those_of_transformers(folder, asked, reference, open_as):
    with open_as("vllm", folder) as engine:
        scores, texts, means = answers(engine, asked, Sampling(0.0, 1.0, 24))
    tell(scores, means, reference)
    assert furthest(scores, reference[0]) < 5e-3
    assert rank_correlation(scores, reference[0]) >= 0.99
    assert furthest(means, reference[2]) < 1e-3
    assert texts == reference[1]


def test_bfloat16_rounds_but_ties_no_scores(folder, asked, reference, open_as):
    ratings, questions, _ = asked
    with open_as("vllm", folder, "bfloat16") as engine:
        scores, texts, means = answers(engine, asked, Sampling(0.0, 1.0, 24))
        found = [answer.logprobs for answer in engine.choice_logprobs(ratings, SCORES)]
        sampling = Sampling(0.7, 0.9, 24)
        one = engine.generate(questions, sampling)
        again = engine.generate(questions[::-1], sampling)[::-1]
    same = sum(left == right for left, right in zip(one, again, strict=True))
    tell(scores, means, reference)
    print("greedy texts as in float32", sum(a == b for a, b in zip(texts, reference[1], strict=True)))
    print("sampled texts the same in another order", same)
    assert all(len(set(logprobs)) == len(SCORES) for logprobs in found), "the head computes in float32"
    assert furthest(scores, reference[0]) < 0.15
    assert rank_correlation(scores, reference[0]) >= 0.95
    assert furthest(means, reference[2]) < 0.05
    assert same >= PAIRS / 2
