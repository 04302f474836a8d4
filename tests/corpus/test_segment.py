"""Cutting documents: spans, header paths, and every reason for which a section is dropped."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humpback.config import IngestConfig, QualityConfig
from humpback.corpus.filters import REPEATED_SHARE, navigation_header, repeated_sentences, upper_case_header
from humpback.corpus.markdown import outline
from humpback.corpus.outline import Outline, Section
from humpback.corpus.prose import Prose
from humpback.corpus.segment import Segmented, segment_document
from humpback.records import Document, Dropped, DropReason, Segment, Source

OFF = QualityConfig(**(dict.fromkeys(QualityConfig.model_fields) | {"drop_truncated": False}))
CONFIG = IngestConfig(min_chars=20, max_chars=200, quality=OFF)
GOOD = "This is a text of some length."


def cut(text: str, title: str = "", config: IngestConfig = CONFIG, uri: str = "a.md") -> Segmented:
    document = Document(text, title, Source(uri=uri, licence="CC0-1.0"), is_markdown=not uri.endswith(".txt"))
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


SHORT = "Under twenty chars."  # 19 characters; two under headers of their own have some 50


def test_short_neighbours_become_one_segment_under_their_parents_header():
    long = "word " * 50
    text = f"# A\n\n{SHORT}\n\n## B\n\n{SHORT}\n\n### C\n\nx\n\n## D\n\n{SHORT}\n\n## E\n\n{long}"
    found = cut(text, config=CONFIG.model_copy(update={"min_chars": 30}))
    assert kept(found) == [(["A"], f"{SHORT}\n\n## B\n\n{SHORT}\n\n### C\n\nx\n\n## D\n\n{SHORT}")]
    assert reasons(found) == ["too_long", "inside_kept", "inside_kept", "inside_kept", "too_long"]
    apart = cut(text, config=CONFIG.model_copy(update={"min_chars": 30, "merge_short": False}))
    assert not apart.kept
    assert reasons(apart) == ["too_long", "too_short", "too_short", "too_short", "too_short", "too_long"]


@pytest.mark.parametrize("header", ["See also", "LOUD HEADER", "…", "B\n\n{{< tag >}}", "B\n\n## C"])
def test_what_may_not_be_merged_breaks_the_run(header):
    long = "word " * 50
    text = f"# A\n\n## One\n\n{SHORT}\n\n## {header}\n\n{SHORT}\n\n## Two\n\n{SHORT}\n\n## Long\n\n{long}"
    found = cut(text, config=CONFIG.model_copy(update={"min_chars": 30}))
    if "C" in header:  # the blank section breaks it, what follows is merged
        assert kept(found) == [(["A"], f"## C\n\n{SHORT}\n\n## Two\n\n{SHORT}")]
    else:
        assert not found.kept


def test_many_short_neighbours_become_segments_of_about_equal_length():
    children = "".join(f"## {name}\n\n{GOOD} {name}.\n\n" for name in "BCDEFGHI")  # 8 times 41
    found = cut(f"# A\n\n{children}", config=CONFIG.model_copy(update={"min_chars": 40}))
    assert [text.count("##") for _, text in kept(found)] == [3, 3, 2]
    assert {tuple(headers) for headers, _ in kept(found)} == {("A",)}


def test_a_single_short_section_stays_too_short():
    long = "word " * 50
    found = cut(f"# A\n\n## B\n\n{SHORT}\n\n## C\n\n{long}")
    assert not found.kept
    assert reasons(found) == ["too_long", "too_short", "too_long"]


def test_a_long_section_is_cut_between_blocks_near_the_middle_of_the_range():
    paragraphs = [f"{GOOD} {number}. {GOOD}" for number in range(5)]  # 64 characters each; the middle is 110
    found = cut("# A\n\n" + "\n\n".join(paragraphs))
    pieces = [paragraphs[:2], paragraphs[2:3], paragraphs[3:]]
    assert kept(found) == [(["A"], "\n\n".join(piece)) for piece in pieces]
    assert reasons(found) == ["too_long"]
    assert found.dropped[0].detail == "328 characters, above 200; cut into 3 pieces"
    assert not cut("# A\n\n" + "\n\n".join(paragraphs), config=CONFIG.model_copy(update={"split_long": False})).kept


def test_a_long_lead_is_cut_too():
    paragraphs = [f"{GOOD} {number}. {GOOD}" for number in range(5)]
    found = cut("# A\n\n" + "\n\n".join(paragraphs) + f"\n\n## B\n\n{GOOD}")
    assert [headers for headers, _ in kept(found)] == [["A"], ["A"], ["A"], ["A", "B"]]


WIDE = f"{GOOD} {GOOD} {GOOD} {GOOD}"  # 123 characters


@pytest.mark.parametrize(
    "joined",
    [
        f"{WIDE}\nx\n{GOOD}",  # one paragraph
        f"- {WIDE}\n\n  {WIDE}",  # one item
        f"```\n{WIDE}\n\n{WIDE}\n```",
        f"| a |\n|---|\n| {WIDE} |\n| {WIDE} |",
        f"> {WIDE}\n>\n> {WIDE}",
        f"Here it comes, {WIDE[:-1]}:\n\n{WIDE}",
        f"Is it {WIDE[:-1]}?\n\n{WIDE}",
        f"> {WIDE[:-30]}\n>\n> # Header\n\n{WIDE}",
        f"{WIDE}\n{WIDE}",
    ],
)
def test_no_cut_where_lines_belong_together(joined):
    found = cut(f"# A\n\n{joined}\n\n{GOOD}\n\n{GOOD} {GOOD}")
    rest = f"{GOOD}\n\n{GOOD} {GOOD}"
    assert [text for _, text in kept(found)] == ([rest] if len(joined) > 200 else [joined, rest])


def test_a_label_stays_with_what_follows():
    found = cut(f"# A\n\n{WIDE}\n\n**The second part**\n\n{WIDE}")
    assert [text for _, text in kept(found)] == [WIDE, f"**The second part**\n\n{WIDE}"]


def test_lists_are_cut_between_items():
    items = [f"- {GOOD} {number}" for number in range(8)]  # 34 characters each
    found = cut("# A\n\n" + "\n".join(items))
    assert [text for _, text in kept(found)] == ["\n".join(items[:3]), "\n".join(items[3:5]), "\n".join(items[5:])]


def test_plain_text_is_cut_after_blank_lines_or_sentences():
    text = "\n\n".join([WIDE, WIDE[::-1]])
    assert [one for _, one in kept(cut(text, "t", uri="a.txt"))] == [WIDE, WIDE[::-1]]
    assert [one for _, one in kept(cut(f"{WIDE}\n{GOOD}\nand\n{WIDE}", "t", uri="a.txt"))] == [
        WIDE,
        f"{GOOD}\nand\n{WIDE}",
    ]


def test_a_kept_text_has_its_digest():
    found = cut(f"# A\n\n{GOOD} é\n\n# B\n\nx")
    assert found.kept[0].source.sha256 == hashlib.sha256(f"{GOOD} é".encode()).hexdigest()
    assert found.dropped[0].source.sha256 is None


def test_other_languages_are_dropped_and_counted():
    document = Document(f"# A\n\n{GOOD}\n\n# B\n\nPas du tout en anglais.", "", Source(uri="a.md"))
    found = segment_document(document, CONFIG, lambda text: "fr" if "Pas" in text else "en")
    assert [(one.text, one.language) for one in found.kept] == [(GOOD, "en")]
    assert [(one.reason, one.detail) for one in found.dropped] == [("other_language", "the language is 'fr'")]
    every = segment_document(document, CONFIG.model_copy(update={"languages": None}), lambda text: "fr")
    assert [one.language for one in every.kept] == ["fr", "fr"]
    unknown = segment_document(document, CONFIG, lambda text: "")
    assert {one.detail for one in unknown.dropped} == {"the language is not recognised"}


def test_chinese_characters_count_three_letters():
    assert reasons(cut("# 中文\n\n" + "我们今天去看山")) == []  # 7 characters count 21
    assert reasons(cut("# 中文\n\n" + "我们今天去看")) == ["too_short"]
    assert reasons(cut("# 中文\n\n" + "我们今天去看山和" * 9)) == ["too_long"]


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


def test_tiny_sentences_are_compared_quickly():
    start = time.perf_counter()
    many = " ".join(f"It is said that {number}." for number in range(20_000))
    assert repeated_sentences(Prose(many), CONFIG) is None
    assert repeated_sentences(Prose("a. b. c. " * 1000), CONFIG) is None
    assert repeated_sentences(Prose("One and the same sentence stands here too often. " * 20_000), CONFIG) is not None
    assert time.perf_counter() - start < 5


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=7, max_size=13), max_size=6),
    st.sampled_from([0.2, 0.5, 0.6, 2 / 3, 0.8, 1.0]),
)
def test_the_index_finds_what_comparing_all_pairs_finds(sentences, share):
    def grams(words: list[str]) -> set[tuple[str, ...]]:
        return set(zip(words, words[1:], words[2:], strict=False)) if len(words) >= 8 else set()

    first: list[set[tuple[str, ...]]] = []
    repeated = 0
    for words in sorted((words for words in sentences if grams(words)), key=lambda words: len(grams(words))):
        one = grams(words)
        if any(len(one & other) > share * len(one | other) for other in first):
            repeated += sum(map(len, words))
        else:
            first.append(one)
    text = "\n".join(" ".join(words) for words in sentences)
    found = repeated_sentences(Prose(text), IngestConfig(max_sentence_overlap=share))
    assert (found is not None) == (repeated > REPEATED_SHARE * sum(map(len, sentences)))


def test_near_repetition():
    first = "the quick brown fox jumps over the lazy dog near the old river bank"
    assert repeated_sentences(Prose(f"{first}. {first} today."), CONFIG) is not None
    assert repeated_sentences(Prose(f"{first}. The slow red fox jumps over a lazy cat."), CONFIG) is None


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
    found = cut(text, title="T", config=IngestConfig(min_chars=1, max_chars=10_000_000, quality=OFF))
    assert found.kept or found.dropped
    assert time.perf_counter() - start < 10


LINES = st.sampled_from(
    ["# a", "## b", "### c d", "###### e", "", "", "x", GOOD, "word " * 30, "```", "    # f", "> # g", "Setext",
     "===", "---", "| a | b |", "|---|---|", "<div>", "![i](j)", "{{< k >}}",
     "- l", " \t", "\x0b", "\u2028", "\x85", "\0"]
)  # fmt: skip


def sections(section: Section) -> list[Section]:
    return [section, *(inner for child in section.children for inner in sections(child))]


def body_lines(drawn: Outline) -> list[int]:
    """The lines that say something and belong to no header of a section."""
    headers = {line for section in sections(drawn.root)[1:] for line in range(section.header_line, section.start)}
    lines = range(drawn.root.start, len(drawn.offsets) - 1)
    return [line for line in lines if line not in headers and drawn.trim(line, line + 1)[0] == line]


def taken_apart(row: Segment | Dropped) -> bool:
    return isinstance(row, Dropped) and ("one by one" in row.detail or "cut into" in row.detail)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES, max_size=40), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "T"]), st.booleans())
def test_every_section_and_every_line_is_accounted_for(lines, newline, title, whole):
    text = newline.join(lines)
    config = CONFIG.model_copy(update={"merge_short": whole, "split_long": whole})
    found = cut(text, title, config)
    rows = [*found.kept, *found.dropped]
    drawn = outline(text)
    spans = Counter((row.source.start, row.source.end) for row in rows)
    for section in sections(drawn.root)[1:] or [drawn.root]:
        assert spans[drawn.span(section.start, section.end)] >= 1
    inside = sorted((row.source.start, row.source.end) for row in found.kept)
    assert all(first[1] <= second[0] for first, second in pairwise(inside))
    assert len({row.id for row in found.kept}) == len(found.kept)
    told = [(row.source.start, row.source.end) for row in rows if not taken_apart(row)]
    for line in body_lines(drawn):
        assert any(start <= drawn.offsets[line] < end for start, end in told), line
    assert cut(text, title, config) == found


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_cut(text):
    cut(text, "T")
