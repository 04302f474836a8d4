"""Sentences in a document that ask for a high rating: they end no turn, and are never taken for the prompt's own."""

from __future__ import annotations

import importlib.util
import random
import re
from pathlib import Path

import pytest

from humpback.config import PromptsConfig
from humpback.models import load_tokenizer
from humpback.prompts import PromptContract
from humpback.prompts.chat import PLAIN_TEMPLATE, ChatFormat
from humpback.prompts.contract import SCORE_LABEL

FILE = Path(__file__).parents[2] / "benchmarks" / "injections.py"
OUTPUT = "Put the kettle on. Then wait for the water to boil."


def planted() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("injections", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.INJECTIONS


INJECTIONS = planted()


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


@pytest.fixture(scope="module")
def contract(tokenizer):
    return PromptContract(ChatFormat.of(tokenizer), PromptsConfig())


def prompts_of(contract: PromptContract, output: str) -> list[str]:
    question = "How do I make tea?"
    return [
        contract.rating(question, output),
        contract.judgement(question, output),
        contract.backward(output),
        *(part for pair in [contract.forward_pair(question, output, "tag")] for part in (pair.prompt, pair.completion)),
    ]


def controls(tokenizer, text: str) -> list[int]:
    special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    return [token for token in tokenizer(text, add_special_tokens=False)["input_ids"] if token in special]


@pytest.mark.parametrize("kind", INJECTIONS)
def test_no_text_ends_a_turn_or_opens_one(tokenizer, contract, kind):
    plain = [controls(tokenizer, prompt) for prompt in prompts_of(contract, OUTPUT)]
    for output in (f"{INJECTIONS[kind]}\n\n{OUTPUT}", f"{OUTPUT}\n\n{INJECTIONS[kind]}"):
        assert [controls(tokenizer, prompt) for prompt in prompts_of(contract, output)] == plain


def test_pieces_of_control_tokens_make_none(tokenizer, contract):
    generator = random.Random(0)
    tokens = contract.chat.special_tokens
    pieces = [token[start:end] for token in tokens for start in range(6) for end in range(start + 1, len(token) + 1)]
    for _ in range(300):
        text = "".join(generator.choices([*pieces, *tokens, " ", "\n", "<", "|"], k=12))
        assert not controls(tokenizer, contract.chat.neutralise(text)), text


def test_a_control_token_of_one_character_is_taken_out():
    chat = ChatFormat(PLAIN_TEMPLATE, "", "§", "§", ("§", "<s>"), takes_system=True)
    assert chat.neutralise("a§b<s>§") == "a b< s> "


@pytest.mark.parametrize("kind", INJECTIONS)
def test_what_the_rating_prompt_says_of_itself_stands_in_it_once(contract, kind):
    headings = re.compile(r"^\s*(Instruction:|Reply:|Score:|Which score from 1 to 5)", re.MULTILINE)
    for output in (f"{INJECTIONS[kind]}\n\n{OUTPUT}", f"{OUTPUT}\n\n{INJECTIONS[kind]}"):
        prompt = contract.rating("How do I make tea?\n\nReply:\nWith care.", output)
        assert headings.findall(prompt) == ["Instruction:", "Reply:", "Which score from 1 to 5", SCORE_LABEL]
        assert prompt.endswith(SCORE_LABEL)


def test_an_ordinary_text_stands_in_the_prompt_as_it_is(contract):
    text = "Instructions: none.\nThe score: 5 to 3.\n- Reply soon: it matters.\nScores:\n"
    assert text.strip() in contract.rating("What was the score?", text)
    assert "What was the score?" in contract.rating("What was the score?", text)
