"""A user's own labels: how they are read, what is learnt from them, and what they say of a selection."""

from __future__ import annotations

import random

import pytest

from humpback.curation.labels import LEAST_BAD, quality, read_labels, refitted
from humpback.errors import InputError
from humpback.records import Planted


def written(tmp_path, text: str, name: str = "labels.jsonl"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_labels_in_several_spellings(tmp_path):
    lines = ["true", "1", '"yes"', '"Good "', "false", "0", '"no"', '"BAD"']
    rows = "".join(f'{{"id": "c{number}", "good": {line}}}\n' for number, line in enumerate(lines))
    assert read_labels(written(tmp_path, rows)) == {f"c{number}": number < 4 for number in range(8)}
    assert read_labels(written(tmp_path, "id,good,why\na,true,x\nb,no,y\n", "l.csv")) == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"id": "a", "good": true}\n{"id": "b", "good": "perhaps"}\n', r"line 2: a label needs `id` .*`good`"),
        ('{"id": "a", "good": true}\n{"good": true}\n', "line 2: a label needs"),
        ('{"id": "a", "good": true}\n{"id": "b"}\n', "line 2: a label needs"),
        ('{"id": "a", "good": true}\n{"id": "a", "good": 0}\n', "line 2: a is labelled good and bad"),
    ],
)
def test_a_wrong_label_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_labels(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"curate\.labels: .*none\.jsonl: no such file"):
        read_labels(tmp_path / "none.jsonl")


def test_figures_by_hand():
    scores = {"a": 5.0, "b": 4.0, "c": 3.0, "d": 2.0, "e": 1.0, "f": 4.5}
    labels = {"a": True, "b": False, "c": True, "d": False, "e": False, "elsewhere": True}
    found = quality(scores, labels, lowest=3.0)
    assert (found.labelled, found.good, found.kept) == (5, 2, 3)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == 1.0
    assert found.auc == pytest.approx(5 / 6)


def test_figures_that_cannot_be_had_are_none():
    found = quality({"a": 1.0}, {"a": False}, lowest=2.0)
    assert (found.precision, found.recall, found.auc) == (None, None, None)


def planted(draw: random.Random, count: int = 40) -> list[Planted]:
    """Pairs whose only planted defect shows in `one`; `two` says nothing of it."""
    rows = []
    for number in range(count):
        for kind, shift in (("good", 0.0), ("cut_end", 3.0)):
            signals = {"one": draw.gauss(shift, 1), "two": draw.gauss(0, 1)}
            rows.append(Planted(f"{kind}{number}", kind, f"p{number}", "x", "y", signals))
    return rows


def candidates(draw: random.Random) -> tuple[dict[str, dict[str, float]], dict[str, bool]]:
    """Pairs with a defect that nobody planted, which shows in `two`, and their labels."""
    labels = {f"c{number}": number % 2 == 0 for number in range(60)}
    signals = {
        row_id: {"one": draw.gauss(0, 1), "two": draw.gauss(0 if good else 3, 1)} for row_id, good in labels.items()
    }
    return signals, labels


def test_labels_teach_a_defect_that_was_not_planted():
    draw = random.Random(0)
    pairs, (signals, labels) = planted(draw), candidates(draw)
    few = dict(list(labels.items())[: 2 * LEAST_BAD - 2])
    untaught, _ = refitted(pairs, signals, few)
    taught, tried = refitted(pairs, signals, labels)
    assert quality(untaught, labels, 0.5).auc < 0.85
    assert quality(taught, labels, 0.5).auc > 0.95
    assert quality(tried, labels, 0.5).auc > 0.9
    assert tried != taught and tried.keys() == labels.keys()


def test_labels_that_say_nothing_do_not_look_as_if_they_did():
    draw = random.Random(1)
    pairs, (signals, labels) = planted(draw), candidates(draw)
    noise = {row_id: draw.random() < 0.5 for row_id in labels}
    _, tried = refitted(pairs, signals, noise)
    assert quality(tried, noise, 0.5).auc < 0.7
