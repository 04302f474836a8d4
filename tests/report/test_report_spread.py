"""Sources, topics and labels of a round's curated set, as the page shows them."""

from __future__ import annotations

from humpback.curation.labels import Quality
from humpback.report.spread import spread

FACTS = {
    "sources": {"all": 9, "kept": 3, "largest": {"a.org": 3, "b.org": 5, "c.org": 2}},
    "topics": {"all": 8, "kept": 4, "effective_all": 6.5, "effective_kept": 3.5},
}


def test_the_largest_source_and_its_share():
    found = spread(2, 10, FACTS)
    assert found is not None
    assert (found.round, found.sources, found.sources_all, found.largest) == (2, 3, 9, ("b.org", 0.5))
    assert (found.topics, found.topics_all, found.labelled) == (3.5, 6.5, None)


def test_labels_where_there_are_any():
    said = {"labelled": 4, "good": 2, "kept": 2, "precision": 0.5, "recall": None, "auc": 0.75}
    found = spread(1, 10, FACTS | {"labels": said})
    assert found is not None
    assert found.labelled == Quality(4, 2, 2, 0.5, None, 0.75)


def test_a_set_that_says_nothing_is_left_out():
    assert spread(1, 10, {"rule": "threshold: 4"}) is None
