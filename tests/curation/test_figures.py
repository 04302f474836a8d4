"""What is said of a curated set, and of the way from one round to the next."""

from __future__ import annotations

import pytest

from humpback.curation.figures import LARGEST, Kept, change_figures, set_figures
from humpback.records import Curated, Source


def row(number, uri, instruction="Why?", output="Because."):
    return Curated(f"r{number}", instruction, output, [], Source(uri), 3.0, 1)


def test_sources_topics_and_lengths_of_the_kept():
    rows = [row(0, "https://a.org/1"), row(1, "https://www.a.org/2"), row(2, "https://b.org/1", "Who?!", "")]
    sources = {"r0": "a.org", "r1": "a.org", "r2": "b.org", "r3": "c.org"}
    figures = set_figures(Kept.of(rows), sources, {"r0": 0, "r1": 1, "r2": 1, "r3": 2})
    assert figures["sources"] == {"all": 3, "kept": 2, "largest": {"a.org": 2, "b.org": 1}}
    assert (figures["topics"]["all"], figures["topics"]["kept"]) == (3, 2)
    assert figures["topics"]["effective_kept"] == pytest.approx(1.8899, abs=1e-4)
    assert figures["topics"]["effective_all"] == pytest.approx(2.8284, abs=1e-4)
    assert figures["mean_chars"] == {"instruction": pytest.approx(13 / 3), "output": pytest.approx(16 / 3)}


def test_only_the_largest_sources_are_named_by_size_and_then_by_name():
    rows = [row(100 * n + m, f"https://s{n:02d}.org/") for n in range(14) for m in range(2 if n < 3 else 1)]
    ids = {one.id for one in rows}
    largest = set_figures(Kept.of(rows), dict.fromkeys(ids, ""), dict.fromkeys(ids, 0))["sources"]["largest"]
    assert list(largest) == [f"s{n:02d}.org" for n in range(LARGEST)]


def test_who_entered_left_and_stayed_and_how_far_topics_moved():
    before = Kept.of([row(0, "a/x"), row(1, "a/x"), row(2, "a/x", "Whatever?")])
    now = Kept.of([row(1, "a/x"), row(3, "a/x", output="No."), row(4, "a/x"), row(5, "a/x")])
    figures = change_figures(before, now, {"r0": 0, "r1": 0, "r2": 0, "r3": 1, "r4": 1, "r5": 1})
    assert (figures["entered"], figures["left"], figures["stayed"]) == (3, 2, 1)
    assert figures["mean_chars_before"] == {"instruction": pytest.approx(17 / 3), "output": 8}
    assert 0.4 < figures["topic_shift"] < 0.6
    same = change_figures(now, now, {f"r{n}": n for n in range(6)})
    assert (same["entered"], same["left"], same["stayed"], same["topic_shift"]) == (0, 0, 4, 0)
