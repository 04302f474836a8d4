"""The paper's filters one by one, and what counts as a word."""

from __future__ import annotations

import time

import pytest

from humpback.config import IngestConfig
from humpback.corpus import filters
from humpback.corpus.prose import Prose
from humpback.corpus.words import is_unspaced, weighted_length, words

CONFIG = IngestConfig(min_chars=10, max_chars=20)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("abc é", 5),
        ("中文", 6),
        ("ひらカタ", 8),
        ("한국", 4),
        ("ไทย", 3),
        ("中a。", 5),
        ("\U00020000", 3),
        ("\ud800", 1),
    ],
)
def test_weighted_length(text, weight):
    assert weighted_length(text) == weight


def test_length():
    assert filters.too_short(9, CONFIG) == ("too_short", "9 characters, below 10")
    assert filters.too_short(10, CONFIG) is None
    assert filters.too_long(20, CONFIG) is None
    assert filters.too_long(21, CONFIG) == ("too_long", "21 characters, above 20")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It's a_b, 3 é!", ["It", "s", "a_b", "3", "é"]),
        ("我喜欢Python3。", ["我", "喜", "欢", "Python3"]),
        ("ที่นี่", list("ที่นี่")),
        ("한국 말", ["한국", "말"]),
    ],
)
def test_words(text, found):
    assert words(text) == found


def test_texts_without_spaces_are_known():
    assert is_unspaced("我们喜欢 Python")
    assert is_unspaced("ภาษาไทย")
    assert not is_unspaced("The word 中文 is Chinese for Chinese.")
    assert not is_unspaced("한국말은 띄어쓰기를 합니다")


def test_language():
    assert filters.language("en", CONFIG) is None
    assert filters.language("fr", CONFIG) == ("other_language", "the language is 'fr'")
    assert filters.language("", CONFIG) == ("other_language", "the language is not recognised")
    assert filters.language("fr", IngestConfig(languages=None)) is None


def test_code_counts_markup_addresses_and_definitions():
    text = "x" * 40
    assert filters.code(text, 20, text, CONFIG) is None
    assert filters.code(text, 21, text, CONFIG) is not None
    address = "https://example.org"  # 19 characters
    assert filters.code(address + "x" * 19, 0, address + "x" * 19, CONFIG) is not None  # one word with the address
    assert filters.code(address + " " * 19, 0, address, CONFIG) is None
    assert filters.code(address + " " * 18, 0, address, CONFIG) is not None
    definition = "[a]: b\n[c]: d"
    assert filters.code(definition + "\n" + "x" * 12, 0, "x" * 12, CONFIG) is None  # 12 of 26
    assert filters.code(definition + "\n" + "x" * 9, 0, "x" * 9, CONFIG) is not None  # 12 of 23


@pytest.mark.parametrize("source", ["a {{ b }} c", "{% include a %}", "{{< a\nb >}}", "a\n{: .b}"])
def test_template_tags(source):
    assert filters.template_tags(source) is not None


@pytest.mark.parametrize("source", ["a `{{ b }}` c", "{a}", "f = {1: {2: 3}}", "{ {a} }"])
def test_no_template_tags(source):
    assert filters.template_tags(source) is None


def test_sentences_without_spaces_are_compared_by_characters():
    sentence = "把面团放在一个大碗里然后盖上碗静置半小时。"
    assert filters.repeated_sentences(Prose(f"{sentence}面包需要时间。{sentence}"), CONFIG) is not None
    assert filters.repeated_sentences(Prose(f"{sentence}面包需要面粉和水还有盐以及很长的时间。"), CONFIG) is None
    assert filters.repeated_sentences(Prose("请参阅下文。请参阅下文。"), CONFIG) is None  # shorter than a sentence


def test_a_fifth_may_be_repeated():
    sentence = "All of these must be true here too."  # words of 27 characters
    rest = "a" * (4 * 27 - 27)
    assert filters.repeated_sentences(Prose(f"{sentence} {sentence} {rest}"), CONFIG) is None  # 27 of 135
    assert filters.repeated_sentences(Prose(f"{sentence} {sentence} {rest[1:]}"), CONFIG) is not None


def test_short_sentences_may_repeat():
    seven = "All of these must be true too."
    assert filters.repeated_sentences(Prose(f"{seven} {seven}"), CONFIG) is None
    eight = "All of these must be true here too."
    assert filters.repeated_sentences(Prose(f"{eight} {eight}"), CONFIG) is not None


@pytest.mark.parametrize(
    "text",
    [
        "[a]: " + "x" * 200_000,
        "[" * 200_000,
        "{{" * 100_000,
        "`" * 200_000,
        ("`" * 99 + "a") * 2000,
        ("`" * 9 + "a") * 5000,
        "`a`` " * 20_000,
        "https://" * 30_000,
        ".)" * 100_000,
    ],
)
def test_filters_are_quick_on_anything(text):
    start = time.perf_counter()
    filters.code(text, 0, text, CONFIG)
    filters.template_tags(text)
    filters.repeated_sentences(Prose(text), CONFIG)
    assert time.perf_counter() - start < 5
