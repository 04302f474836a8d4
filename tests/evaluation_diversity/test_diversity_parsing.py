"""The root verb and its object of instructions written by hand, as a reader would name them."""

from __future__ import annotations

import sys

import pytest

from humpback.errors import MissingDependencyError
from humpback.evaluation.diversity import Asked, asked_by, load_parser
from humpback.evaluation.diversity.parsing import PARSERS

BY_HAND = [
    ("Write a poem about the sea.", "write", "poem"),
    ("Summarize the following article.", "summarize", "article"),
    ("List five ideas for dinner.", "list", "idea"),
    ("Name three planets.", "name", "planet"),
    ("Give me a list of tips for travelling.", "give", "list"),
    ("Tell me a joke.", "tell", "joke"),
    ("Please provide a definition of entropy.", "provide", "definition"),
    ("Create a list of ten names for a coffee shop and explain each of them.", "create", "list"),
    ("Compare the two approaches and discuss their advantages.", "compare", "approach"),
    ("Edit the text below to fix grammar mistakes.", "edit", "text"),
    ("Translate this sentence into French: I love dogs.", "translate", "sentence"),
    ("Outline a plan for a marketing campaign.", "outline", "plan"),
    ("Let's play a game.", "play", "game"),
    ("Help me write a cover letter.", "write", "letter"),
    ("How do I make bread?", "make", "bread"),
    ("What is the best way to clean a carpet?", "clean", "carpet"),
    ("What are some ways to reduce stress?", "reduce", "stress"),
    ("Can you tell me how to make bread?", "make", "bread"),
    ("Could you please describe the process of evaporation?", "describe", "process"),
    ("Do you know how to change a tire?", "change", "tire"),
    ("Which books should I read?", "read", "book"),
    ("What causes earthquakes?", "cause", "earthquake"),
    ("How is cheese made?", "make", "cheese"),
    ("Is it safe to eat raw eggs?", "eat", "egg"),
    ("Should I buy a used car?", "buy", "car"),
    ("I want to learn the guitar.", "learn", "guitar"),
    ("Best way to remove a stain", "remove", "stain"),
    ("I have a dog. How often should I feed the cat?", "feed", "cat"),
    ("Suppose you are a teacher. Design a lesson on fractions.", "design", "lesson"),
    ("Rewrite the sentence in the passive voice.\n\nThe dog chased the cat across the yard.", "rewrite", "sentence"),
    ("Explain how photosynthesis works.", "explain", None),
    ("What should I consider before buying a house?", "consider", None),
    ("Why do cats purr?", "purr", None),
]


@pytest.fixture(scope="module")
def parser():
    return load_parser()[0]


@pytest.mark.parametrize(("instruction", "verb", "noun"), BY_HAND, ids=[row[0][:30] for row in BY_HAND])
def test_verb_and_object(parser, instruction, verb, noun):
    assert list(asked_by(parser, [instruction])) == [Asked(verb, noun)]


def test_what_holds_no_verb(parser):
    assert list(asked_by(parser, ["What is the capital of France?", "!!!", "", "Banana bread"])) == [None] * 4


def test_order_and_case(parser):
    found = list(asked_by(parser, ["WRITE A POEM", "write two letters"]))
    assert found == [Asked("write", "poem"), Asked("write", "letter")]


def test_the_parser_is_named():
    assert load_parser()[1].startswith(PARSERS)


def test_without_a_parser_the_message_names_the_extra(monkeypatch):
    for name in PARSERS:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r'pip install "humpback\[diversity\]"'):
        load_parser()
