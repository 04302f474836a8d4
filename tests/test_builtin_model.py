"""The built-in model, SmolLM2-135M-Instruct. Slow; `pytest -m "not model"` leaves it out."""

from __future__ import annotations

import pytest

from humpback.config import EngineConfig, PromptsConfig, TrainConfig
from humpback.engines import ChoiceRequest, chat_format, open_engine
from humpback.models import builtin_model, inspect_model, load_tokenizer
from humpback.prompts import SCORES, PromptContract, expected_score, tokenise_pair
from humpback.training import Recipe, fine_tune

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def folder():
    return builtin_model()


@pytest.fixture(scope="module")
def contract(folder):
    return PromptContract(chat_format(EngineConfig(), PromptsConfig(), folder), PromptsConfig())


def test_it_is_what_it_says(folder):
    info = inspect_model(folder)
    assert info.architecture == "LlamaForCausalLM"
    assert 130e6 < info.parameters < 170e6
    assert info.context == 8192


def test_the_contract_token_by_token(folder, contract):
    tokenizer = load_tokenizer(folder)
    assert contract.chat.end == "<|im_end|>"
    row = tokenise_pair(tokenizer, contract.forward_pair("Name a river.", "The Nile.", "Be brief."), 512)
    shown = [tokenizer.decode([token]) for token in row.input_ids]
    trained = [tokenizer.decode([label]) for label in row.labels if label != -100]
    assert shown == [
        *("<|im_start|>", "system", "\n", "Be", " brief", ".", "<|im_end|>", "\n"),
        *("<|im_start|>", "user", "\n", "Name", " a", " river", ".", "<|im_end|>", "\n"),
        *("<|im_start|>", "ass", "istant", "\n"),
        *trained,
    ]
    assert trained == ["The", " Nile", ".", "<|im_end|>"]


def test_scores_are_single_tokens_behind_the_prompt(folder, contract):
    tokenizer = load_tokenizer(folder)
    prompt = contract.rating("Name a river.", "The Nile.")
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    for score in SCORES:
        whole = tokenizer(prompt + score, add_special_tokens=False)["input_ids"]
        assert whole == before + tokenizer(score, add_special_tokens=False)["input_ids"]


def test_a_right_answer_is_rated_above_a_wrong_one(folder, contract):
    engine = open_engine(EngineConfig(dtype="float32"), folder, contract.chat.end)
    asked = [
        ("What is the capital of France?", "The capital of France is Paris."),
        ("What is the capital of France?", "Home | About us | Contact | Log in | Cookies"),
    ]
    requests = [ChoiceRequest(str(n), contract.rating(*pair)) for n, pair in enumerate(asked)]
    right, wrong = (expected_score(answer.logprobs)[0] for answer in engine.choice_logprobs(requests, SCORES))
    assert 1 <= wrong < right <= 5


def test_two_steps_of_training(folder, contract, tmp_path):
    tokenizer = load_tokenizer(folder)
    pair = contract.forward_pair("Name a river.", "The Nile.", "Be brief.")
    rows = [tokenise_pair(tokenizer, pair, 512)] * 2
    config = TrainConfig(dropout=0.0, dtype="float32")
    recipe = Recipe(2, 2, 2, (1e-4, 1e-4))
    result = fine_tune(folder, rows, tmp_path / "out", config, recipe, device="cpu", seed=0, end="<|im_end|>")
    first, second = (entry["loss"] for entry in result.history)
    assert second < first
    assert inspect_model(tmp_path / "out").parameters == inspect_model(folder).parameters
