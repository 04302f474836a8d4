"""The outline of a Markdown text: headers, blocks, what is no prose, and that nothing takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humpback.corpus.front_matter import front_matter_end
from humpback.corpus.markdown import outline, plain_header
from humpback.corpus.outline import Kind, Outline, plain_outline


def headers(drawn: Outline) -> list[tuple[int, str]]:
    found = []
    waiting = list(drawn.root.children)
    while waiting:
        section = waiting.pop(0)
        found.append((section.level, section.header))
        waiting = [*section.children, *waiting]
    return found


def blocks(text: str) -> list[tuple[str, str]]:
    return [(block.kind.name.lower(), block.text) for block in outline(text).blocks]


def test_headers_of_both_kinds_with_their_levels():
    assert headers(outline("# A\n\n## B ##\n\nC\n=\n\nD\n-\n\n###### E\n")) == [
        (1, "A"),
        (2, "B"),
        (1, "C"),
        (2, "D"),
        (6, "E"),
    ]


@pytest.mark.parametrize(
    "inner", ["> # a", "- # a", "1. # a", "    # a", "```\n# a\n```", "<div>\n# a\n</div>", "#a", "\\# a"]
)
def test_no_headers(inner):
    assert headers(outline(inner)) == []


@pytest.mark.parametrize(
    ("source", "header"),
    [
        ("**a** _b_ `c` [d](e) ![f](g) <b>h</b> &amp; i", "a b c d f h & i"),
        ("API ¶", "API"),
        ("C#", "C#"),
        ("A {#anchor}", "A"),
        ("A {: .class}", "A"),
        ("A {{< icon >}} {% raw %} b", "A b"),
        ("", ""),
    ],
)
def test_headers_are_plain_text(source, header):
    assert headers(outline(f"# {source}")) == [(1, header)]


def test_a_header_has_an_end():
    assert len(headers(outline("# " + "*a " * 100_000))[0][1]) <= 1000
    assert plain_header("a b " * 1000) == ("a b " * 250).strip()


def test_blocks_are_text_as_it_is_read():
    text = "One *two*\nthree\\\nfour `x = 1` &amp; five\n\n> six\n\n1. seven\n\n   eight\n2. nine\n\n"
    text += "| a | b |\n|---|---|\n| c | d |"
    assert blocks(text) == [
        ("paragraph", "One two three"),
        ("paragraph", "four x = 1 & five"),
        ("paragraph", "six"),
        ("item", "seven"),
        ("item", "eight"),
        ("item", "nine"),
        ("row", "a b"),
        ("row", "c d"),
    ]


def test_bullets_begin_items_of_unordered_lists():
    assert blocks("- a\n\n  b\n- c\n  1. d\n  - e\n") == [
        ("bullet", "a"),
        ("item", "b"),
        ("bullet", "c"),
        ("item", "d"),
        ("bullet", "e"),
    ]


def test_code_and_html_with_text_are_blocks_that_are_not_read():
    assert blocks("```\na\n```\n\n<p>\nb\n</p>\n\n<br>\n<!-- -->\n\n    c") == [
        ("other", ""),
        ("other", ""),
        ("other", ""),
    ]


def test_link_texts_and_markup_are_counted():
    (block,) = outline('a [bc](https://d.e "f") ![g](h) <b>i</b> <https://j.k>').blocks
    assert block.text == "a bc i https://j.k"
    assert block.link_chars == len("bc") + len("https://j.k")
    assert block.markup_chars == len('[](https://d.e "f")') + len("![g](h)") + len("<b></b>") + len("<>")
    (block,) = outline("[![é](a)](b)").blocks
    assert (block.text, block.markup_chars) == ("", len("[![é](a)](b)"))


def test_lines_that_are_no_prose():
    drawn = outline("a\n\n```\nb\n```\n\n| c |\n|---|\n\n<div>\nd\n</div>\n\n    e")
    no_prose = [False, False, True, True, True, False, True, True, False, True, True, True, False, True]
    assert drawn.no_prose == no_prose
    assert drawn.cuttable == [not one or 9 <= line <= 11 for line, one in enumerate(no_prose)]
    assert drawn.markup_chars(0, 6) == len("```\nb\n```\n")


def test_borders_are_where_blocks_of_the_document_and_items_begin():
    drawn = outline("a\nb\n\n- c\n\n  d\n  - e\n- f\n\n> g\n>\n> h\n\n***\n\n```\ni\n\nj\n```\n")
    assert drawn.borders_between(0, 20) == [0, 3, 7, 9, 13, 15]


def test_positions_are_right_after_wide_characters():
    text = "---\ntitle: é\n---\n# 日本語 😀\r\n\r\nא [ב](ג)\r# B\n\ud800x"
    drawn = outline(text)
    assert headers(drawn) == [(1, "日本語 😀"), (1, "B")]
    first, second = drawn.root.children
    assert [text[slice(*drawn.span(section.start, section.end))] for section in (first, second)] == [
        "א [ב](ג)",
        "\ud800x",
    ]
    assert front_matter_end(text) == text.index("#")


def test_plain_text_is_one_section():
    drawn = plain_outline("# a\n- b\n\nc")
    assert not drawn.root.children
    assert [(block.kind, block.text) for block in drawn.blocks] == [
        (Kind.PARAGRAPH, "# a"),
        (Kind.BULLET, "- b"),
        (Kind.PARAGRAPH, "c"),
    ]
    assert drawn.borders == [0, 3]
    assert plain_outline("A b.\nc\nd.\ne").borders == [0, 1, 3]


HOSTILE = {
    "quotations": ">" * 100_000 + " x",
    "brackets": "[" * 100_000,
    "images": "![" * 100_000,
    "emphasis": "*a_ " * 100_000,
    "links": "[a](" * 100_000,
    "nested links": "[![" * 50_000 + "é](b)" * 50_000,
    "code": "".join("`" * length + " " for length in range(1000)),
    "lists": "- " * 20_000 + "x",
    "deep lists": "".join("  " * depth + "- x\n" for depth in range(1000)),
    "items": "- é\n" * 100_000,
    "cells": "| a " * 50_000 + "\n" + "|---" * 50_000 + "\n" + "| b\n" * 1000,
    "rows": "|a|\n|-|\n" + "|é\n" * 100_000,
    "headers": "# a\n" * 100_000,
    "lazy": ">" * 5000 + " a\n" + "b\n" * 5000,
    "definitions": "".join(f"[a{number}]: x\n" for number in range(20_000)) + "[a1] " * 20_000,
    "tags": "<div>\n" * 100_000 + "<" * 100_000,
    "comments": "<!-- " * 100_000,
    "one line": "é " * 500_000,
    "breaks": "a\\\n" * 100_000,
    "surrogates": "\ud800" * 100_000,
    "entities": "&#10;" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_take_linear_time(name):
    start = time.perf_counter()
    drawn = outline(HOSTILE[name])
    assert drawn.offsets[-1] == len(HOSTILE[name])
    assert time.perf_counter() - start < 5


PIECES = st.sampled_from(
    ["# ", "## ", "- ", "1. ", "> ", "    ", "```\n", "|", "|-|\n", "\n", "\n\n", "\r\n", "\r", "a", "é", "\ud800",
     "[", "](", ")", "![", "*", "`", "<b>", "<div>", "&amp;", "\\", "===\n", "---\n", "https://a.b", "\0", "\t"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_text_has_an_outline(text):
    drawn = outline(text)
    lines = len(drawn.offsets) - 1
    assert "".join(text[a:b] for a, b in zip(drawn.offsets, drawn.offsets[1:], strict=False)) == text
    assert len(drawn.no_prose) == len(drawn.cuttable) == lines
    assert drawn.borders == sorted(drawn.borders)
    starts = [block.line for block in drawn.blocks]
    assert starts == sorted(starts)
    assert all(0 <= line < max(lines, 1) for line in starts)
    assert all(min(block.link_chars, block.markup_chars) >= 0 for block in drawn.blocks)
    waiting = [drawn.root]
    while waiting:
        section = waiting.pop()
        assert section.header_line <= section.start <= section.lead_end <= section.end <= lines
        waiting.extend(section.children)
