"""Counts by hand, distances by hand, and sets from files and runs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from humpback.errors import InputError, WorkspaceError
from humpback.evaluation.diversity import (
    Asked,
    InstructionSet,
    ObjectCount,
    VerbCount,
    measure_diversity,
    read_run,
    read_set,
)
from humpback.evaluation.diversity.measure import by_lot
from humpback.evaluation.diversity.spread import mean_distance, nearest_distances
from humpback.evaluation.diversity.topic_map import topic_map
from humpback.evaluation.diversity.wording import distinct_ngrams, verb_counts, verb_entropy

ASKED = [
    Asked("write", "poem"),
    Asked("write", "letter"),
    Asked("write", "poem"),
    Asked("write", None),
    Asked("make", "bread"),
    None,
]


def directions(*angles: float) -> np.ndarray:
    return np.array([[math.cos(math.radians(angle)), math.sin(math.radians(angle))] for angle in angles])


def test_verbs_are_counted_with_their_objects():
    assert verb_counts(ASKED) == [
        VerbCount("write", 3, [ObjectCount("poem", 2), ObjectCount("letter", 1)]),
        VerbCount("make", 1, [ObjectCount("bread", 1)]),
    ]


def test_twenty_verbs_and_four_objects_in_the_order_of_the_alphabet():
    asked = [Asked(f"verb{number:02d}", noun) for number in range(25) for noun in "edcba"]
    found = verb_counts(reversed(asked))
    assert [verb.verb for verb in found] == [f"verb{number:02d}" for number in range(20)]
    assert [noun.object for noun in found[0].objects] == ["a", "b", "c", "d"]
    assert found[0].count == 5


def test_entropy_of_verbs():
    assert verb_entropy([Asked("a", None), Asked("b", "x"), None]) == 1
    assert verb_entropy(ASKED) == pytest.approx(-(0.8 * math.log2(0.8) + 0.2 * math.log2(0.2)))
    assert verb_entropy([None]) == 0


def test_distinct_ngrams():
    found = distinct_ngrams(["Write a poem", "write A letter", "go"])
    assert found == {"1": 5 / 7, "2": 3 / 4, "3": 1.0}
    assert distinct_ngrams([]) == {"1": 0, "2": 0, "3": 0}


def test_mean_distance_is_that_of_all_pairs():
    rows = directions(0, 60, 90)
    expected = np.mean([1 - math.cos(math.radians(angle)) for angle in (60, 90, 30)])
    assert mean_distance(rows) == pytest.approx(expected)
    assert mean_distance(rows[:1]) is None


def test_nearest_distances(monkeypatch):
    monkeypatch.setattr("humpback.evaluation.diversity.spread._BLOCK", 2)  # several blocks
    seed = directions(0, 90, 91)
    found = nearest_distances(directions(0, 30, 180), seed, is_seed=False)
    expected = [0, 1 - math.cos(math.radians(30)), 1 - math.cos(math.radians(89))]
    assert found is not None
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.quantiles["50"] == pytest.approx(expected[1])
    itself = nearest_distances(seed, seed, is_seed=True)
    near = 1 - math.cos(math.radians(1))
    assert itself is not None
    assert itself.mean == pytest.approx((1 + 2 * near) / 3)
    assert nearest_distances(seed[:1], seed[:1], is_seed=True) is None


def test_the_map_puts_neighbours_together_and_names_them():
    draw = np.random.default_rng(0)
    centres = directions(0, 90)
    rows = np.concatenate([centre + draw.normal(0, 0.01, (30, 2)) for centre in centres])
    texts = {"a": [f"bread number{n}" for n in range(30)], "b": [f"sailing with number{n}" for n in range(30)]}
    found = topic_map(texts, {"a": rows[:30], "b": rows[30:]}, {"with"}, seed=0)
    assert found is not None
    places = np.array([(point.x, point.y) for point in found.points])
    assert places.min() == 0 and places.max() == 1
    gap = np.linalg.norm(places[:30].mean(axis=0) - places[30:].mean(axis=0))
    assert gap > max(places[:30].std(), places[30:].std())
    for topic in found.topics:
        assert topic.label == ("bread" if topic.counts["a"] else "sailing")
        assert 0 in topic.counts.values()
    assert sum(topic.counts["a"] + topic.counts["b"] for topic in found.topics) > 55  # a region of one has no name


def test_too_few_for_a_map():
    assert topic_map({"a": ["x"] * 7}, {"a": np.eye(7)}, frozenset(), seed=0) is None


def test_a_table_of_instructions_alone_or_of_pairs_in_any_form(tmp_path):
    alone = tmp_path / "alone.csv"
    alone.write_text('Prompt,other\n"Write, please.",1\n,2\nRead.,3\n')
    assert read_set("alone", alone).instructions == ["Write, please.", "Read."]
    turns = [{"from": "human", "value": "Ask."}, {"from": "gpt", "value": "Answer."}]
    chat = tmp_path / "chat.jsonl"
    chat.write_text(json.dumps({"conversations": turns}) + "\n")
    assert read_set("chat", chat).instructions == ["Ask."]


def test_tables_without_instructions(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"x\.csv: no column instruction, prompt or question; there are a, b"):
        read_set("x", file)
    file.write_text("instruction,b\n ,2\n")
    with pytest.raises(InputError, match="holds no instruction"):
        read_set("x", file)
    with pytest.raises(InputError, match="holds 1 instructions"):
        measure_diversity([InstructionSet("x", "x.csv", ["Go."])], None, limit=10, random_seed=0)


def test_a_run_gives_its_seed_and_its_last_curated_set(small_inputs):
    from humpback.config import load_config
    from humpback.pipeline import run_pipeline

    config = load_config(small_inputs.config)
    run_pipeline(config, target="ingest")
    with pytest.raises(WorkspaceError, match="no round of this run is curated yet"):
        read_run(config.folder)
    run_pipeline(config, target="curate")
    seed, curated = read_run(config.folder)
    assert (seed.name, curated.name) == ("seed", "curated-2")
    assert all(text.startswith("Tell me about the") for text in seed.instructions)
    assert curated.instructions


def test_sets_are_measured_side_by_side():
    seed = InstructionSet("seed", "s", [f"Write a poem about the number {number}." for number in range(40)])
    near = InstructionSet("near", "n", seed.instructions[:20])
    far = InstructionSet("far", "f", [f"How do whales of kind{number} sleep at night?" for number in range(30)])
    found = measure_diversity([seed, near, far], "seed", limit=25, random_seed=3)
    assert [(part.read, part.instructions) for part in found.sets] == [(40, 25), (20, 20), (30, 25)]
    assert found.lot == 20
    by_name = {part.name: part for part in found.sets}
    assert by_name["seed"].parsed == 1 and by_name["far"].parsed == 0 and by_name["far"].with_verb == 1
    assert by_name["seed"].verbs == [VerbCount("write", 25, [ObjectCount("poem", 25)])]
    distances = {name: part.nearest_seed.mean for name, part in by_name.items() if part.nearest_seed is not None}
    assert distances["near"] < distances["far"]
    assert found.map is not None and len(found.map.points) == 70
    assert found == measure_diversity([seed, near, far], "seed", limit=25, random_seed=3)


def test_lots_are_nested_and_keep_equal_instructions():
    texts = [str(number % 7) for number in range(50)]
    assert sorted(by_lot(texts, 50, 1)) == sorted(texts)
    assert by_lot(texts, 50, 1)[:20] == by_lot(texts, 20, 1)
    assert by_lot(texts, 20, 1) != by_lot(texts, 20, 2)
