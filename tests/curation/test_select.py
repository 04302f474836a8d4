"""Selection: the rules, the bound for each source, and places for topics."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from humpback.config import CurateConfig
from humpback.curation.select import Entrant, allot, choose, wanted_count
from humpback.records import DropReason


def entrants(scores, sources=None, topics=None):
    return [
        Entrant(f"r{n:03d}", score, sources[n] if sources else f"s{n}", topics[n] if topics else 0)
        for n, score in enumerate(scores)
    ]


def kept(rows, **settings):
    return sorted(choose(rows, CurateConfig(**settings), 0).kept)


def crowd(count=400, seed=1):
    """Rows whose topics and sources differ in size; topic 0 is rated best."""
    draw = random.Random(seed)
    topics = [min(int(draw.expovariate(0.5)), 7) for _ in range(count)]
    scores = [3 + draw.random() - 0.1 * topic for topic in topics]
    sources = [f"s{min(int(draw.expovariate(0.3)), 20)}" for _ in range(count)]
    return entrants(scores, sources, topics)


def test_a_threshold_and_a_share_keep_the_best():
    rows = entrants([4.0, 3.0, 4.5, 2.0, 3.9])
    assert kept(rows, threshold=4) == ["r000", "r002"]
    assert kept(rows, keep_fraction=0.6) == ["r000", "r002", "r004"]
    assert len(kept(rows)) == 2
    assert kept(entrants([1.0]), keep_fraction=0.01) == ["r000"]
    assert kept([]) == []


def test_equal_scores_fall_by_lot():
    rows = entrants([3.0] * 100)
    first, second = (choose(rows, CurateConfig(), seed).kept for seed in (0, 1))
    assert len(first) == len(second) == 40
    assert first != second
    assert 10 < sum(row_id < "r050" for row_id in first) < 30


@pytest.mark.parametrize(
    ("target", "count"), [(0.95, 1), (0.9, 3), (0.8, 4), (0.65, 5), (0.5, 5), (1.0, 0)], ids=lambda value: str(value)
)
def test_the_largest_set_of_the_wanted_precision_is_kept(target, count):
    scores = [0.2, 0.9, 0.95, 0.85, 0.6]  # means, best first: .95, .925, .9, .825, .7
    assert len(kept(entrants(scores), target_precision=target)) == count


def test_a_mean_that_is_the_target_but_for_rounding_is_enough():
    assert len(kept(entrants([0.1] * 999), target_precision=0.1)) == 999


def test_no_source_gives_more_than_its_share_and_the_next_best_take_the_places():
    rows = entrants([5.0, 4.9, 4.8, 4.7, 4.6, 3.0, 2.9, 2.8, 2.7, 2.6], ["big"] * 5 + list("abcde"))
    choice = choose(rows, CurateConfig(keep_fraction=0.5, max_share_per_source=0.4), 0)
    assert choice.source_cap == 2
    assert sorted(choice.kept) == ["r000", "r001", "r005", "r006", "r007"]
    assert {row_id: str(reason) for row_id, reason in choice.lost.items()} == {
        "r002": "source_full",
        "r003": "source_full",
        "r004": "source_full",
        "r008": "not_among_best",
        "r009": "not_among_best",
    }


def test_a_share_of_a_source_is_rounded_up_and_at_least_one():
    rows = entrants([4.0] * 10, ["one"] * 10)
    assert choose(rows, CurateConfig(keep_fraction=1, max_share_per_source=0.3), 0).source_cap == 3
    assert choose(rows, CurateConfig(keep_fraction=0.5, max_share_per_source=0.3), 0).source_cap == 2
    assert len(kept(rows, keep_fraction=0.5, max_share_per_source=0.01)) == 1


def test_rows_below_the_threshold_take_no_places():
    rows = entrants([5.0, 4.9, 4.8, 3.0], ["big", "big", "big", "other"])
    choice = choose(rows, CurateConfig(threshold=4, max_share_per_source=0.5), 0)
    assert sorted(choice.kept) == ["r000", "r001"]
    assert choice.lost == {"r002": DropReason.SOURCE_FULL, "r003": DropReason.BELOW_THRESHOLD}


def test_the_precision_holds_when_a_source_is_bounded():
    rows = entrants([0.99] * 6 + [0.7] * 6, ["big"] * 6 + [f"s{n}" for n in range(6)])
    free = choose(rows, CurateConfig(target_precision=0.9), 0)
    bounded = choose(rows, CurateConfig(target_precision=0.9, max_share_per_source=0.25), 0)
    assert (len(free.kept), bounded.source_cap, len(bounded.kept)) == (8, 2, 2)
    scores = {row.id: row.score for row in rows}
    assert sum(scores[row_id] for row_id in bounded.kept) / len(bounded.kept) >= 0.9


def test_a_topics_places_lie_between_its_rating_and_its_size():
    chosen, everything = Counter({0: 8, 1: 2}), Counter({0: 10, 1: 10, 2: 20})
    assert allot(chosen, everything, 0) == {0: 8, 1: 2, 2: 0}
    assert allot(chosen, everything, 0.5) == {0: 5, 1: 2, 2: 3}
    assert allot(chosen, everything, 1) == {0: 3, 1: 2, 2: 5}


def test_all_places_are_given_and_none_that_a_topic_cannot_fill():
    draw = random.Random(0)
    for _ in range(200):
        everything = Counter({topic: draw.randint(1, 9) for topic in range(draw.randint(1, 12))})
        chosen = Counter({topic: draw.randint(0, count) for topic, count in everything.items()})
        places = allot(chosen, everything, draw.random())
        assert sum(places.values()) == chosen.total()
        assert all(0 <= places[topic] <= everything[topic] for topic in everything)


def test_diversity_gives_every_topic_its_share_and_keeps_the_best_of_each():
    rows = crowd()
    sizes = Counter(row.topic for row in rows)
    assert kept(rows, diversity=0) == kept(rows)
    spreads = []
    for diversity in (0.0, 0.5, 1.0):
        choice = choose(rows, CurateConfig(diversity=diversity), 0)
        assert len(choice.kept) == 160
        by_topic = Counter(row.topic for row in rows if row.id in choice.kept)
        spreads.append(max(by_topic[topic] / sizes[topic] for topic in sizes if sizes[topic] > 10))
        for topic in sizes:
            inside = [row.score for row in rows if row.topic == topic and row.id in choice.kept]
            outside = [row.score for row in rows if row.topic == topic and row.id not in choice.kept]
            assert not inside or not outside or min(inside) >= max(outside)
    assert spreads[0] > spreads[1] > spreads[2]
    assert all(abs(by_topic[topic] - 0.4 * sizes[topic]) < 1 for topic in sizes)


def test_what_diversity_takes_away_says_so():
    rows = entrants([4.0, 3.9, 3.8, 3.7, 2.0, 1.9], topics=[0, 0, 0, 0, 1, 1])
    choice = choose(rows, CurateConfig(keep_fraction=0.5, diversity=1), 0)
    assert sorted(choice.kept) == ["r000", "r001", "r004"]
    assert choice.lost == {
        "r002": DropReason.TOO_SIMILAR,
        "r003": DropReason.NOT_AMONG_BEST,
        "r005": DropReason.NOT_AMONG_BEST,
    }


@pytest.mark.parametrize("diversity", [0, 0.3, 1])
@pytest.mark.parametrize("share", [None, 0.02, 0.1])
def test_order_does_not_matter_and_every_row_is_accounted_for(diversity, share):
    rows = crowd()
    config = CurateConfig(diversity=diversity, max_share_per_source=share)
    choice = choose(rows, config, 0)
    shuffled = random.Random(3).sample(rows, len(rows))
    assert choose(shuffled, config, 0) == choice
    assert choice.kept | choice.lost.keys() == {row.id for row in rows}
    assert not choice.kept & choice.lost.keys()
    given = Counter(row.source for row in rows if row.id in choice.kept)
    most = len(rows) if choice.source_cap is None else choice.source_cap
    assert max(given.values()) <= most
    possible = sum(min(count, most) for count in Counter(row.source for row in rows).values())
    assert len(choice.kept) == min(160, possible)


def test_places_that_a_full_source_leaves_go_to_others():
    """Topic 1 has one source, which may give one row: its other place goes to the best of topic 0."""
    rows = entrants([4.0, 3.9, 3.8, 3.7, 2.0, 1.9, 1.8, 1.7], list("abcd") + ["one"] * 4, [0] * 4 + [1] * 4)
    assert kept(rows, keep_fraction=0.5, diversity=1) == ["r000", "r001", "r004", "r005"]
    bounded = kept(rows, keep_fraction=0.5, diversity=1, max_share_per_source=0.25)
    assert bounded == ["r000", "r001", "r002", "r004"]


def test_a_share_counts_rows_of_full_sources_too():
    assert wanted_count([4.0] * 6, CurateConfig(keep_fraction=0.5), of=10) == 5
    assert wanted_count([4.0] * 3, CurateConfig(keep_fraction=0.5), of=10) == 3
