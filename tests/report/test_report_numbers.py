"""Statistics over whole steps."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest

from humpback.records import Candidate, Curated, Rating, Source
from humpback.report.numbers import (
    RoundNumbers,
    lengths,
    rank_correlation,
    rating_edges,
    rating_round,
    round_change,
    round_numbers,
)
from humpback.workspace import write_rows

SOURCE = Source("a.md")


def numbers(round_number: int, ratings: list[float], kept: list[int]) -> RoundNumbers:
    values = np.array(ratings, dtype=np.float64)
    keys = np.arange(len(ratings), dtype=np.int64)
    return RoundNumbers(round_number, keys, values, keys[kept], values[kept])


def test_lengths_count_characters_over_all_shards(tmp_path: Path) -> None:
    texts = ["a", "日本語", "ü" * 10, "b" * 700]
    for index, text in enumerate(texts):
        row = Candidate(str(index), text, text + text, [], SOURCE)
        write_rows(tmp_path / f"part-{index:05d}.parquet", [row], Candidate)
    found = lengths("all", tmp_path)
    sizes = [len(text) for text in texts]
    assert found.rows == 4
    assert found.instruction == pytest.approx((statistics.mean(sizes), statistics.pstdev(sizes)))
    assert found.output == pytest.approx((2 * statistics.mean(sizes), 2 * statistics.pstdev(sizes)))


def test_unrated_candidates_are_no_ratings(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "ratings" / "part-00000.parquet",
        [Rating("a", 2.0), Rating("b", None, "no_score"), Rating("c", 4.0)],
        Rating,
    )
    write_rows(tmp_path / "curated" / "part-00000.parquet", [Curated("c", "i", "o", [], SOURCE, 4.0, 1)], Curated)
    found = round_numbers(1, tmp_path / "ratings", tmp_path / "curated")
    shown = rating_round(found, rating_edges([found]), {"unparsed": {"no_score": 1}}, "threshold: 4")
    assert (shown.rated, shown.mean, shown.lowest_kept) == (2, 3.0, 4.0)
    assert (sum(shown.kept), sum(shown.left)) == (1, 1)
    assert shown.unparsed == {"no_score": 1}


@pytest.mark.parametrize("low, high, widest", [(1.0, 5.0, 0.1), (3.01, 3.19, 0.02), (3.0001, 3.0002, 0.001)])
def test_bins_hold_every_rating_and_adapt(low: float, high: float, widest: float) -> None:
    values = [float(value) for value in np.linspace(low, high, 97)]
    one = numbers(1, values, [0])
    edges = rating_edges([one])
    assert edges[1] - edges[0] <= widest + 1e-9
    shown = rating_round(one, edges, {}, "")
    assert sum(shown.kept) + sum(shown.left) == 97


def test_whole_scores_get_a_bin_each() -> None:
    assert rating_edges([numbers(1, [1.0, 5.0, 3.0], [0])]) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_equal_and_no_ratings_have_bins_too() -> None:
    assert len(rating_edges([numbers(1, [3.3, 3.3], [0])])) == 2
    assert rating_edges([numbers(1, [], [])]) == [1.0, 5.0]


def test_rank_correlation_shares_ranks_of_equals() -> None:
    first, second = np.array([1.0, 2.0, 2.0, 9.0]), np.array([10.0, 30.0, 20.0, 40.0])
    assert rank_correlation(first, first * 7) == pytest.approx(1)
    assert rank_correlation(first, -first) == pytest.approx(-1)
    # ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4
    assert rank_correlation(first, second) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert rank_correlation(first, np.ones(4)) is None
    assert rank_correlation(first[:1], first[:1]) is None


def test_churn_counts_who_came_and_went() -> None:
    change = round_change(numbers(1, [1, 2, 3, 4, 5], [2, 3, 4]), numbers(2, [5, 4, 3, 2, 1], [0, 2]), 0.25)
    assert (change.stayed, change.entered, change.left) == (1, 1, 2)
    assert change.rank_correlation == pytest.approx(-1)
