"""vLLM's own server against transformers in this process, both in float32.

Runs where the environment variable HUMPBACK_VLLM names a Python that has vLLM.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from humpback.config import EngineConfig, PromptsConfig
from humpback.engines import (
    Ability,
    ChoiceRequest,
    Engine,
    GenerationRequest,
    LikelihoodRequest,
    Sampling,
    chat_format,
    open_engine,
)
from humpback.models import builtin_model
from humpback.prompts import SCORES, PromptContract, expected_score

PYTHON = os.environ.get("HUMPBACK_VLLM")
pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(600),
    pytest.mark.skipif(PYTHON is None, reason="set HUMPBACK_VLLM to a Python that has vLLM"),
]
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}
GREEDY = Sampling(0.0, 1.0, 32)
WORDS = ["anchor", "basket", "candle", "silver", "yellow", "window", "and", "the", "of", "a", "river", "garden"]


@pytest.fixture(scope="module")
def small_model(tiny_model, tmp_path_factory) -> Path:
    """The tiny model with attention heads as wide as vLLM's kernels want them."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "small"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = LlamaConfig.from_pretrained(tiny_model)
    config.hidden_size, config.num_attention_heads, config.num_key_value_heads, config.head_dim = 128, 2, 2, 64
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["small", pytest.param("builtin", marks=pytest.mark.model)])
def model(request) -> Path:
    return builtin_model() if request.param == "builtin" else request.getfixturevalue("small_model")


@pytest.fixture(scope="module")
def prompts(model) -> PromptContract:
    return PromptContract(chat_format(EngineConfig(), PromptsConfig(), model), PromptsConfig())


@pytest.fixture(scope="module")
def served(model, prompts) -> Iterator[Engine]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = (
        f"{PYTHON} -m vllm.entrypoints.openai.api_server --model {{folder}} --served-model-name {{name}} "
        f"--host 127.0.0.1 --port {port} --dtype float32 --max-model-len 1024 --enforce-eager "
        # On a CPU, vLLM 0.32 ends when a seeded request's prompt is read in parts.
        "--no-enable-chunked-prefill --max-num-batched-tokens 2048"
    )
    http = {"url": f"http://127.0.0.1:{port}/v1", "start": start, "deadline_minutes": 5}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        engine = open_engine(EngineConfig(kind="http", http=http), model, prompts.chat.end)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def here(model, prompts) -> Engine:
    return open_engine(EngineConfig(device="cpu", dtype="float32"), model, prompts.chat.end)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    generator = random.Random(0)

    def text(longest: int) -> str:
        return " ".join(generator.choices(WORDS, k=generator.randint(3, longest)))

    return [(f"What is {text(8)}?", f"It is {text(40)}.") for _ in range(16)]


def test_what_it_gives(served):
    assert served.abilities == frozenset(Ability)
    assert served.context == 1023


def test_greedy_texts_are_the_same(served, here, prompts, pairs):
    asked = [GenerationRequest(str(n), prompts.backward(output), n) for n, (_, output) in enumerate(pairs)]
    assert served.generate(asked, GREEDY) == here.generate(asked, GREEDY)


def test_ratings_are_the_same(served, here, prompts, pairs):
    asked = [ChoiceRequest(str(n), prompts.rating(*pair)) for n, pair in enumerate(pairs)]
    theirs, ours = served.choice_logprobs(asked, SCORES), here.choice_logprobs(asked, SCORES)
    worst = 0.0
    for one, other in zip(theirs, ours, strict=True):
        (score, probabilities), (wanted, others) = expected_score(one.logprobs), expected_score(other.logprobs)
        assert probabilities == pytest.approx(others, abs=1e-3)
        worst = max(worst, abs(score - wanted))
    assert worst < 2e-3


def test_choices_of_several_tokens_are_the_same(served, here, prompts, pairs):
    choices = (" a silver window", " basket and candle", " q")
    asked = [ChoiceRequest(str(n), prompts.rating(*pair)) for n, pair in enumerate(pairs[:4])]
    for one, other in zip(served.choice_logprobs(asked, choices), here.choice_logprobs(asked, choices), strict=True):
        gaps = [value - one.logprobs[0] for value in one.logprobs]
        assert gaps == pytest.approx([value - other.logprobs[0] for value in other.logprobs], abs=5e-3)


def test_likelihoods_are_the_same(served, here, prompts, pairs):
    asked = [
        LikelihoodRequest(str(n), prompts.forward(instruction, prompts.inference_tag), output)
        for n, (instruction, output) in enumerate(pairs)
    ]
    for one, other in zip(served.loglikelihood(asked), here.loglikelihood(asked), strict=True):
        assert one.tokens == other.tokens > 3
        assert abs(one.logprob - other.logprob) / one.tokens < 1e-3


def test_choosing_gives_scores_and_draws_are_repeated(served, prompts, pairs):
    asked = [GenerationRequest(str(n), prompts.rating(*pair), n) for n, pair in enumerate(pairs)]
    answers = served.generate(asked, Sampling(1.0, 1.0, 4, SCORES))
    assert {answer.text for answer in answers} <= set(SCORES)
    sampling = Sampling(0.9, 0.95, 16)
    assert served.generate(asked[::-1], sampling)[::-1] == served.generate(asked, sampling)
    other = [GenerationRequest(request.row_id, request.prompt, request.seed + 100) for request in asked]
    assert served.generate(other, sampling) != served.generate(asked, sampling)
