"""The paper's filters one by one, and what counts as a word."""

from __future__ import annotations

import re
import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("aZ9_ é\u0130ß中あที한\u2019—…\xa0.-'\x1c\x1f\n\t\x00\u0301\ud800"), max_size=30))
def test_words_are_the_same_found_in_any_way(text):
    wide = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\u3041-\u30ff\u0e00-\u0eff"
    assert words(text) == re.findall(rf"[{wide}]|[^\W{wide}]+", text)
    assert Prose(text).words == [word for sentence in Prose(text).sentences for word in sentence]


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


def repeats_by_definition(text: str, overlap: float) -> tuple[int, int]:
    """The characters of all words, and of those in sentences that repeat a shorter one, every two compared."""
    prose = Prose(text)
    shortest = filters.MIN_SENTENCE_CHARACTERS if prose.unspaced else filters.MIN_SENTENCE_WORDS
    found = [(one, set(zip(one, one[1:], one[2:], strict=False))) for one in prose.sentences if len(one) >= shortest]
    found.sort(key=lambda pair: len(pair[1]))
    repeated: set[int] = set()
    for first, second in combinations(range(len(found)), 2):
        shorter, longer = found[first][1], found[second][1]
        if first not in repeated and len(shorter & longer) > overlap * len(shorter | longer):
            repeated.add(second)
    return sum(map(len, prose.words)), sum(len(word) for one in repeated for word in found[one][0])


SENTENCE = st.lists(st.sampled_from(["a", "bb", "ccc", "dddddd", "eeeeeeeeeeee"]), min_size=6, max_size=14)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(SENTENCE, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 13), st.sampled_from(["", "x", "yyyyyyy"])), max_size=8),
    st.lists(st.text(st.sampled_from("mnopqrst"), min_size=5, max_size=12), max_size=40),
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
)
def test_repeats_are_those_of_the_definition(sentences, copies, rest, overlap):
    """However far the quick tests before it come: the same text goes, and none else."""
    for number, at, word in copies:
        copy = list(sentences[number % len(sentences)])
        copy[at % len(copy)] = word or copy[at % len(copy)]
        sentences = [*sentences, copy]
    text = " ".join(rest) + ". " + " ".join(" ".join(one) + "." for one in sentences)
    config = CONFIG.model_copy(update={"max_sentence_overlap": overlap})
    total, repeated = repeats_by_definition(text, overlap)
    verdict = filters.repeated_sentences(Prose(text), config)
    assert (verdict is not None) == (repeated > filters.REPEATED_SHARE * total)
    if verdict is not None:
        assert verdict[1].startswith(f"{repeated / total:.2f} of the characters")


def test_the_least_that_is_a_repeat_is_found():
    """Two sentences of eight words that differ in the last one, at the bound of every estimate made before."""
    words = [letter * 12 for letter in "abcdefghi"]
    text = f"{' '.join(words[:8])}. {' '.join([*words[:7], words[8]])}."  # 5 of 7 3-grams in common
    rest = " " + " ".join(f"{number:05}" for number in range(57))  # 96 of 477 characters are in one of them
    assert filters.repeated_sentences(Prose(text + rest), CONFIG.model_copy(update={"max_sentence_overlap": 0.71}))
    assert not filters.repeated_sentences(Prose(text + rest), CONFIG.model_copy(update={"max_sentence_overlap": 0.72}))


def test_a_sentence_may_repeat_itself_within():
    """The words of one sentence that come again are no repeated sentence."""
    assert filters.repeated_sentences(Prose("one two three " * 20 + "."), CONFIG) is None


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
