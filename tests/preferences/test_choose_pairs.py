"""Which of the rated answers become a pair, worked out by hand."""

from __future__ import annotations

import pytest

from humpback.preferences.choose import Choice, Contender, NoPair, choose


def rated(*ratings: float | None, document: float | None = None) -> list[Contender]:
    found = [Contender(f"answer {number}", rating, is_document=False) for number, rating in enumerate(ratings)]
    return [*found, *([Contender("document", document, is_document=True)] if document is not None else [])]


@pytest.mark.parametrize(
    ("contenders", "margin", "chosen", "rejected"),
    [
        (rated(2.0, 4.5, 3.0), 0.5, "answer 1", "answer 0"),
        (rated(2.0, 3.0, document=4.0), 0.5, "document", "answer 0"),
        (rated(2.0, 3.0, document=1.5), 0.5, "answer 1", "document"),
        (rated(4.0, 1.0, 4.0, 1.0), 0.5, "answer 0", "answer 1"),
        (rated(None, 2.0, 2.5), 0.5, "answer 2", "answer 1"),
        (rated(2.0, 2.0625), 0.0, "answer 1", "answer 0"),
    ],
)
def test_the_highest_and_the_lowest_are_taken(contenders, margin, chosen, rejected):
    found = choose(contenders, margin)
    assert isinstance(found, Choice)
    assert (found.chosen.output, found.rejected.output) == (chosen, rejected)


@pytest.mark.parametrize(
    ("contenders", "reason"),
    [
        ([], NoPair.TOO_FEW),
        (rated(3.0), NoPair.TOO_FEW),
        (rated(None, None, 3.0), NoPair.UNRATED),
        (rated(3.0, 3.0, None, document=3.0), NoPair.ALL_EQUAL),
        (rated(3.0, 3.25, document=3.4375), NoPair.TOO_CLOSE),
    ],
)
def test_who_gives_no_pair_has_one_reason(contenders, reason):
    assert choose(contenders, 0.5) == reason
