"""Cutting documents: spans, header paths, and every reason for which a section is dropped."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humpback.config import IngestConfig
from humpback.corpus import Duplicates, Segmented, segment_document
from humpback.corpus.filters import navigation_header, repeated_sentences, upper_case_header
from humpback.corpus.markdown import Section, outline, plain_header
from humpback.records import Document, DropReason, Source

CONFIG = IngestConfig(min_chars=20, max_chars=200)
GOOD = "This is a text of some length."


def cut(text: str, title: str = "", config: IngestConfig = CONFIG, uri: str = "a.md") -> Segmented:
    document = Document(text, title, Source(uri=uri, licence="CC0-1.0"))
    found = segment_document(document, config)
    for one in [*found.kept, *found.dropped]:
        assert one.source.licence == "CC0-1.0"
        assert text[one.source.start : one.source.end] == one.text
    return found


def kept(found: Segmented) -> list[tuple[list[str], str]]:
    return [(segment.headers, segment.text) for segment in found.kept]


def reasons(found: Segmented) -> list[str]:
    return [one.reason.value for one in found.dropped]


def test_a_section_is_the_text_under_its_header():
    found = cut(f"# One\n\n{GOOD}\n\n## Two *b* `c` [d](e) {{#anchor}}\n\nshort\n\nSetext\n======\n\n{GOOD}\n")
    assert kept(found) == [
        (["One"], f"{GOOD}\n\n## Two *b* `c` [d](e) {{#anchor}}\n\nshort"),
        (["Setext"], GOOD),
    ]
    assert reasons(found) == ["inside_kept"]


def test_headers_lead_from_the_title_down():
    long = "word " * 50
    found = cut(f"# A\n\n{long}\n\n## B *x*\n\n### C\n\n{GOOD}\n\n## D\n\n{long}", title="T")
    assert [headers for headers, _ in kept(found)] == [["T", "A", "B x"]]


@pytest.mark.parametrize("title", ["A", "a", "A | The Site", "A - The Site"])
def test_a_first_header_that_is_the_title_stands_once(title):
    assert kept(cut(f"# A\n\n{GOOD}", title=title)) == [(["A"], GOOD)]


def test_a_title_that_goes_on_is_kept():
    assert kept(cut(f"# A\n\n{GOOD}", title="A long story")) == [(["A long story", "A"], GOOD)]


def test_a_document_under_its_title_is_one_segment():
    assert kept(cut(f"\n{GOOD}\n\n", title="T")) == [(["T"], GOOD)]
    assert kept(cut(f"{GOOD}\n\n# A\n\nb", title="T")) == [(["T"], f"{GOOD}\n\n# A\n\nb")]


def test_a_text_without_headers_and_title_is_called_after_its_file():
    assert kept(cut(GOOD, uri="/x/my notes.txt")) == [(["my notes"], GOOD)]
    assert kept(cut(GOOD, uri="https://a.b/c/the-page.html?x")) == [(["the-page"], GOOD)]


def test_plain_text_has_no_headers():
    text = f"# not a header\n\n{GOOD}"
    assert kept(cut(text, uri="a.txt", title="a")) == [(["a"], text)]


def test_text_before_the_first_header_of_an_untitled_document_has_no_header():
    found = cut(f"{GOOD}\n\n# A\n\n{GOOD}")
    assert kept(found) == [(["A"], GOOD)]
    assert reasons(found) == ["header_empty"]


def test_of_a_long_section_the_lead_and_the_children_count():
    text = f"# A\n\n{GOOD}\n\n## B\n\n{GOOD}2\n\n## C\n\n{'word ' * 50}"
    found = cut(text)
    assert kept(found) == [(["A"], GOOD), (["A", "B"], f"{GOOD}2")]
    assert reasons(found) == ["too_long", "too_long"]


def test_front_matter_belongs_to_no_segment_but_spans_count_it():
    text = f"---\ntitle: T\n# no header\n---\n\n{GOOD}\n"
    found = cut(text, title="T")
    assert kept(found) == [(["T"], GOOD)]
    assert found.kept[0].source.start == text.index(GOOD)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end(newline):
    text = f"# A\n\n{GOOD}\n{GOOD[::-1]}\n\n# B\nx".replace("\n", newline)
    assert kept(cut(text)) == [(["A"], f"{GOOD}{newline}{GOOD[::-1]}")]


def test_a_sign_in_code_or_a_quotation_is_no_header():
    for inner in ("```\n# no\n```", "    # no", "~~~~\n# no\n~~~\n~~~~", "> # no", "- # no", "#no", "\\# no"):
        text = f"{GOOD}\n{GOOD[::-1]}\n\n{inner}\n\nend"
        assert kept(cut(f"# A\n\n{text}")) == [(["A"], text)], inner


def test_lines_that_say_nothing_are_cut_off_at_the_ends():
    badge = "[![CI](https://x/y.svg)](https://x) ![b](c)\n<br>\n{{< image src=x >}}\n<!-- note -->\n----\n"
    assert kept(cut(f"# A\n\n{badge}\n{GOOD}\n\n{badge}")) == [(["A"], GOOD)]
    code = f"{GOOD}\n\n```\nx\n```"
    assert kept(cut(f"# A\n\n{code}\n")) == [(["A"], code)]


SENTENCE = "All of these words stand in this sentence twice."
REPEATED = f"{SENTENCE} Here is another one. {SENTENCE}"


@pytest.mark.parametrize(
    ("bad", "good", "reason"),
    [
        ("# A\n\n" + "x" * 19, "# A\n\n" + "x" * 20, DropReason.TOO_SHORT),
        ("# A\n\n" + "x" * 201, "# A\n\n" + "x" * 200, DropReason.TOO_LONG),
        (f"#\n\n{GOOD}", f"# 1\n\n{GOOD}", DropReason.HEADER_EMPTY),
        (f"# …\n\n{GOOD}", f"# ?A\n\n{GOOD}", DropReason.HEADER_EMPTY),
        (f"# HELLO WORLD\n\n{GOOD}", f"# HELLO\n\n{GOOD}", DropReason.HEADER_UPPER_CASE),
        (f"# Quick Links:\n\n{GOOD}", f"# Quick links for readers\n\n{GOOD}", DropReason.HEADER_NAVIGATION),
        (f"# A\n\n{REPEATED}", f"# A\n\n{SENTENCE} Here is another one.", DropReason.REPEATED_SENTENCES),
        (
            f"# A\n\n{GOOD}\n\n```\n{'x = 1 + 2 ' * 4}\n```",
            f"# A\n\n{GOOD}\n\n```\nx = 1\n```",
            DropReason.MOSTLY_CODE,
        ),
        (
            f"# A\n\n{GOOD} [b](https://{'x' * 60})",
            f"# A\n\n{GOOD} [b](https://{'x' * 10})",
            DropReason.MOSTLY_CODE,
        ),
        (
            f"# A\n\n| a | b |\n|---|---|\n| {GOOD} | c |\n\nx",
            f"# A\n\n| a | b |\n|---|---|\n\n{GOOD} {GOOD[::-1]}",
            DropReason.MOSTLY_CODE,
        ),
        (f"# A\n\n{GOOD} {{{{< x >}}}} b", f"# A\n\n{GOOD} `{{{{< x >}}}}` b", DropReason.MOSTLY_CODE),
        (f"# A\n\n{GOOD} {{% include x %}} b", f"# A\n\n{GOOD} {{x}} b", DropReason.MOSTLY_CODE),
    ],
)
def test_every_reason_and_its_other_side(bad, good, reason):
    dropped = cut(bad)
    assert not dropped.kept
    assert reasons(dropped) == [reason]
    assert len(cut(good).kept) == 1
    assert not cut(good).dropped


def test_what_stands_under_navigation_goes_with_it():
    found = cut(f"# A\n\n{'word ' * 50}\n\n## Changelog\n\n{GOOD}\n\n### Fixes\n\n{GOOD[::-1]}{GOOD}\n")
    assert reasons(found) == ["too_long", "too_long", "header_navigation", "header_navigation"]


@pytest.mark.parametrize("own", ["Sign up!", "SITEMAP", "What others are reading", "v1.2.0 (2024-01-02)", "2.0.1"])
def test_navigation(own):
    assert navigation_header([own]) is not None


@pytest.mark.parametrize(
    "own", ["Forum Romanum", "How to sign up", "History", "Cookies for Christmas", "Version control"]
)
def test_no_navigation(own):
    assert navigation_header([own]) is None


@pytest.mark.parametrize(
    "own", ["FAQ", "The FEMA App", "Can I get VMLI?", "DATA Act", "HTTPCore 2", "שלום עולם", "日本語"]
)
def test_not_mostly_upper_case(own):
    assert upper_case_header(own, CONFIG) is None


def test_headers_are_plain_text():
    assert plain_header("**a** _b_ `c` [d](e) ![f](g) <b>h</b> &amp; i") == "a b c d f h & i"
    assert plain_header("API ¶") == "API"
    assert plain_header("C#") == "C#"
    assert len(plain_header("*a " * 100_000)) <= 1000


def test_tiny_sentences_are_compared_quickly():
    start = time.perf_counter()
    many = " ".join(f"It is said that {number}." for number in range(20_000))
    assert repeated_sentences(many, CONFIG) is None
    assert repeated_sentences("a. b. c. " * 1000, CONFIG) is None
    assert time.perf_counter() - start < 5


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=4, max_size=9), max_size=6),
    st.sampled_from([0.2, 0.5, 0.6, 2 / 3, 0.8, 1.0]),
)
def test_the_index_finds_what_comparing_all_pairs_finds(sentences, share):
    def grams(words: list[str]) -> set[tuple[str, ...]]:
        return set(zip(words, words[1:], words[2:], strict=False)) if len(words) >= 5 else set()

    every = [grams(words) for words in sentences if grams(words)]
    twice = any(
        len(one & other) > share * len(one | other) for number, one in enumerate(every) for other in every[:number]
    )
    text = "\n".join(" ".join(words) for words in sentences)
    assert (repeated_sentences(text, IngestConfig(max_sentence_overlap=share)) is not None) == twice


def test_near_repetition():
    first = "the quick brown fox jumps over the lazy dog near the old river bank"
    assert repeated_sentences(f"{first}. {first} today.", CONFIG) is not None
    assert repeated_sentences(f"{first}. The slow red fox jumps over a lazy cat.", CONFIG) is None


def test_duplicates_fold_space_and_case():
    known = Duplicates()
    assert [known.seen(text) for text in ("A b", "a\n\nB ", "a c", "A B")] == [False, True, False, True]


def test_ids_depend_on_the_place():
    twice = cut(f"# A\n\n{GOOD}\n\n# B\n\n{GOOD}")
    assert len({segment.id for segment in twice.kept}) == 2
    assert cut(f"# A\n\n{GOOD}").kept[0].id == twice.kept[0].id


@pytest.mark.parametrize(
    "text",
    [
        ">" * 2000 + " # x",
        (">" * 500 + " x\n") * 200,
        "<div>" * 2000 + GOOD,
        "- " * 2000 + "x",
        "a" * 1_000_000,
        "# " + "[*a " * 250_000,
        "![" * 100_000,
        "{{" * 100_000,
        "---\n" * 20_000,
        "---\na: " + "[" * 5_000 + "\n---\n",
        "`" * 100_000,
        "\n" * 200_000,
        "\0# a\n\0",
        "\n".join("#" * (1 + number % 6) + f" {number}\n\ntext" for number in range(5000)),
        "# שלום\n\n" + "\u202eשלום עולם. " * 5,
    ],
)
def test_hostile_texts_end_soon(text):
    start = time.perf_counter()
    found = cut(text, title="T", config=IngestConfig(min_chars=1, max_chars=10_000_000))
    assert found.kept or found.dropped
    assert time.perf_counter() - start < 10


LINES = st.sampled_from(
    ["# a", "## b", "### c d", "###### e", "", "", "x", GOOD, "word " * 30, "```", "    # f", "> # g", "Setext",
     "===", "---", "| a | b |", "|---|---|", "<div>", "![i](j)", "{{< k >}}",
     "- l", " \t", "\x0b", "\u2028", "\x85", "\0"]
)  # fmt: skip


def sections(section: Section) -> list[Section]:
    return [section, *(inner for child in section.children for inner in sections(child))]


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "T"]))
def test_every_section_is_accounted_for(lines, newline, title):
    text = newline.join(lines)
    found = cut(text, title)
    rows = [*found.kept, *found.dropped]
    drawn = outline(text)
    counts = Counter((row.source.start, row.source.end) for row in rows)
    for section in sections(drawn.root)[1:] or [drawn.root]:
        assert counts[drawn.span(section.start, section.end)] >= 1
    leads = sum(reason == "too_long" for reason in reasons(found)) + 1
    assert len(rows) <= len(sections(drawn.root)) + leads
    inside = [(row.source.start, row.source.end) for row in found.kept]
    assert all(first[1] <= second[0] for first, second in pairwise(inside))
    assert len({row.id for row in found.kept}) == len(found.kept)
    assert cut(text, title) == found
