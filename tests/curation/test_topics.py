"""Topics: texts about the same share one, whatever their order; how varied a set is, and how two differ."""

from __future__ import annotations

import math
import random
import warnings

import pytest

from humpback.curation import topics as module
from humpback.curation.topics import effective_topics, topic_count, topic_shift, topic_text, topics_of

SUBJECTS = {
    "cooking": "flour butter oven dough bake sugar eggs stir simmer salt recipe yeast",
    "sailing": "mast rudder harbour wind anchor deck sails tide keel hull rope crew",
    "finance": "bond dividend equity loan credit yield hedge margin broker audit ledger tax",
    "gardens": "soil seed prune compost bloom shrub mulch water roots spade hedge bulbs",
}
COMMON = ["the", "of", "and", "to", "in", "is", "that", "for", "with", "as", "on", "by", "from", "this", "it", "are"]


def corpus(count=240, seed=0):
    """Ids, texts and subjects, in turn."""
    draw = random.Random(seed)
    names = sorted(SUBJECTS)
    rows = []
    for number in range(count):
        subject = names[number % len(names)]
        own = SUBJECTS[subject].split()
        text = " ".join(draw.choice(own if draw.random() < 0.5 else COMMON) for _ in range(60))
        rows.append((f"row{number}", text, subject))
    return rows


def found(rows, seed=0):
    return topics_of(lambda: ((row_id, text) for row_id, text, _ in rows), seed)


def purity(rows, topics):
    """Share of the rows whose subject is the commonest one of their topic."""
    subjects = {}
    for row_id, _, subject in rows:
        subjects.setdefault(topics[row_id], []).append(subject)
    return sum(max(group.count(one) for one in set(group)) for group in subjects.values()) / len(rows)


def test_texts_about_the_same_share_a_topic():
    rows = corpus()
    topics = found(rows)
    assert purity(rows, topics) > 0.95
    assert len(set(topics.values())) <= topic_count(len(rows)) == 11
    guessed = {row_id: number % 11 for number, (row_id, _, _) in enumerate(rows)}
    assert purity(rows, guessed) < 0.5, "numbers by turns tell nothing"


def test_the_order_of_rows_does_not_matter():
    rows = corpus()
    topics = found(rows)
    assert found(random.Random(1).sample(rows, len(rows))) == topics
    assert found(rows, seed=1) != topics


def test_rows_beyond_the_sample_join_the_topics_of_their_like(monkeypatch):
    rows = corpus(600)
    monkeypatch.setattr(module, "SAMPLE", 120)
    monkeypatch.setattr(module, "_BLOCK", 50)
    topics = found(rows)
    assert topics.keys() == {row_id for row_id, _, _ in rows}
    assert purity(rows, topics) > 0.95
    assert found(rows[::-1]) == topics


@pytest.mark.parametrize("texts", [[], ["one"], ["one", "two"], ["same words"] * 30, [""] * 5, ["a b c", "", "!?"]])
def test_few_equal_or_empty_texts_have_topics_too(texts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        topics = topics_of(lambda: ((str(n), text) for n, text in enumerate(texts)), 0)
    assert topics.keys() == {str(n) for n in range(len(texts))}
    assert len(set(topics.values())) <= max(1, len(set(texts)))


def test_languages_without_spaces_are_told_apart():
    recipes = [f"面粉和黄油放入烤箱烘烤{n}分钟直到面团变成金黄色" for n in range(30)]
    boats = [f"船员在港口降下风帆并抛锚等待潮水{n}小时" for n in range(30)]
    rows = [(f"row{n}", text, "boats" if text in boats else "recipes") for n, text in enumerate(recipes + boats)]
    assert purity(rows, found(rows)) == 1


def test_the_number_of_topics_grows_with_the_root_and_is_bounded():
    assert [topic_count(rows) for rows in (0, 3, 40, 1000, 20_000, 10**8)] == [0, 3, 8, 22, 100, 1000]


def test_a_topic_is_told_by_the_instruction_and_the_beginning_of_the_output():
    assert topic_text("Why?", "x" * 5000) == "Why?\n" + "x" * module.BEGINNING


def test_effective_topics():
    assert effective_topics([]) == 0
    assert effective_topics([3] * 9) == pytest.approx(1)
    assert effective_topics([0, 1, 2, 3] * 5) == pytest.approx(4)
    assert effective_topics([0, 0, 0, 1]) == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))


def test_topic_shift():
    assert topic_shift([1, 2, 2], [2, 1, 2, 1, 2, 2]) == pytest.approx(0, abs=1e-12)
    assert topic_shift([1, 1], [2]) == pytest.approx(1)
    assert topic_shift([1, 2], [1]) == pytest.approx(topic_shift([1], [1, 2])) == pytest.approx(0.311278, abs=1e-6)
    assert topic_shift([], []) == 0
