"""Texts and figures as the page shows them."""

from __future__ import annotations

import math

import pytest

from humpback.report.text import SPACE, compact, cut, duration, link, number, scientific, share, short, signed, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nof two lines", "plain\ttext\nof two lines"),
        ("a\r\nb", "a\nb"),
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("nul\x00", "nul⟨U+0000⟩"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("naïve 日本 \u0627\u0644 👩\u200d🔬", "naïve 日本 \u0627\u0644 👩\u200d🔬"),
    ],
)
def test_controls_are_written_out_and_writing_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_short_text_is_not_cut() -> None:
    piece = cut("word " * 100, 1_500, 6_000)
    assert (piece.shown, piece.more, piece.left_out) == ("word " * 100, "", 0)


def test_long_text_is_cut_between_words_and_counted() -> None:
    text = "word " * 20_000
    piece = cut(text, 1_500, 6_000)
    assert len(piece.shown) <= 1_500
    assert piece.shown.endswith("word")
    assert len(piece.shown) + len(piece.more) == 6_000
    assert piece.left_out == len(text) - 6_000


def test_text_without_spaces_is_cut_all_the_same() -> None:
    piece = cut("x" * 100_000, 1_500, 6_000)
    assert (len(piece.shown), len(piece.more), piece.left_out) == (1_500, 4_500, 94_000)


def test_short_is_one_line() -> None:
    assert short("a\n b\t c", 10) == "a b c"
    assert short("x" * 50, 10) == "x" * 9 + "…"
    assert len(short(" " * 1000 + "x", 10)) <= 10


@pytest.mark.parametrize("uri", ["http://a.example/x?b=1&c=<d>", "https://a.example", "HTTPS://a.example/é"])
def test_web_addresses_become_links(uri: str) -> None:
    assert link(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "//a.example/x",
        "docs/a.md",
        "http:",
        "https://a.example/\u202e",
        "https://a.example/ x",
        "http://[broken",
        "https://a.example/" + "x" * 3_000,
    ],
)
def test_other_addresses_stay_text(uri: str) -> None:
    assert link(uri) is None


def test_numbers() -> None:
    assert number(1234567) == "1,234,567"
    assert number(-0.5, 2) == "−0.50"
    assert number(-0.00001, 2) == "0.00"
    assert number(None) == number(math.nan) == "–"
    assert signed(0.0123) == "+0.0123"
    assert signed(-0.0123) == "−0.0123"
    assert signed(0.0) == "0.0000"
    assert [compact(value) for value in (950, 12_345, 4_600_000, 1.2e9)] == [
        "950",
        f"12.3{SPACE}k",
        f"4.6{SPACE}M",
        f"1.2{SPACE}G",
    ]
    assert [duration(value).replace(SPACE, " ") for value in (0.42, 12.34, 245, 7_400)] == [
        "0.42 s",
        "12.3 s",
        "4 min 5 s",
        "2 h 3 min",
    ]
    assert share(1, 3) == f"33{SPACE}%"
    assert share(1, 300) == f"0.3{SPACE}%"
    assert share(1, 30_000) == f"<0.1{SPACE}%"
    assert share(0, 0) == "–"
    assert scientific(4.5e-5) == "4.5e−5"
