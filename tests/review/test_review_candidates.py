"""Which rows a choice finds, and how quickly."""

from __future__ import annotations

import random
import time

import pytest

from humpback.errors import InputError
from humpback.review.candidates import Candidates
from humpback.review.filters import Filters
from humpback.review.labels import Label
from texts import prose


@pytest.fixture
def candidates(run):
    found = Candidates(run)
    found.put_labels("anna", {f"{n:016x}": Label(verdict) for n, verdict in ((0, "good"), (1, "bad"), (2, "good"))})
    found.put_labels("anna", {f"{4:016x}": Label(None, "Other?")})
    found.put_labels("ben", {f"{n:016x}": Label(verdict) for n, verdict in ((0, "bad"), (1, "bad"), (7, "good"))})
    return found


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, list(range(12))),
        ({"q": "NUMBER 7"}, [7]),
        ({"q": "nothing like it"}, []),
        ({"q": "%"}, []),
        ({"fate": "kept"}, [0, 2, 4, 6, 8, 10]),
        ({"fate": "dropped"}, [1, 3, 5, 7, 9, 11]),
        ({"fate": "unparsed"}, [3]),
        ({"fate": "' OR 1=1 --"}, []),
        ({"label": "none"}, [3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ({"label": "good"}, [0, 2]),
        ({"label": "bad"}, [1]),
        ({"label": "edited"}, [4]),
        ({"label": "disputed"}, [0]),
        ({"label": "no such"}, list(range(12))),
        ({"source": "site-1.example"}, [1, 4, 7, 10]),
        ({"low": "4.2", "high": "9"}, [8, 9]),
        ({"low": "nan", "high": "much"}, list(range(12))),
        ({"sort": "best", "q": "number 1"}, [1, 11, 10]),
        ({"sort": "worst", "low": "4"}, [8, 9]),
        ({"sort": "unsure"}, [5, 4, 6, 7, 2, 8, 1, 9, 11, 0, 10, 3]),
        ({"sort": "long", "fate": "kept"}, [10, 8, 6, 4, 2, 0]),
    ],
)
def test_a_choice_finds_its_rows(candidates, query, places):
    assert candidates.find(Filters.from_query(query), "anna") == places


def test_the_list_shows_ratings_fate_and_only_ones_own_labels(candidates):
    rows = candidates.page(list(range(12)), 1, "anna")
    assert (rows[5].rating, rows[5].reason) == (3.0, "not_among_best")
    assert (rows[3].rating, rows[3].reason) == (None, "unparsed")
    assert [row.verdict for row in rows[:3]] == ["good", "bad", "good"]
    assert rows[7].verdict is None
    assert rows[4].edited


def test_others_labels_are_shown_after_ones_own(candidates):
    assert candidates.others(f"{0:016x}", "anna") == [("ben", "bad")]
    assert candidates.others(f"{7:016x}", "anna") == []


def test_everything_about_one_row(candidates):
    row = candidates.detail(f"{4:016x}")
    assert (row.uri, row.place, row.licence) == ("https://site-1.example/page-4", " [5:90]", "CC0-1.0")
    assert [(one.number, one.reason) for one in row.rounds] == [(1, None), (2, "")]
    assert dict(row.signals)["last_words"] == [-1.5, -3.0]
    assert candidates.detail("no such") is None


def test_counts_tell_how_far_an_annotator_is(candidates):
    counts = candidates.counts("anna")
    assert (counts.all, counts.good, counts.bad, counts.left) == (12, 2, 1, 9)


def test_filters_go_into_the_address_and_back():
    filters = Filters(q="a&b=ü", fate="kept", low=2.5, page=3)
    from urllib.parse import parse_qsl

    assert Filters.from_query(dict(parse_qsl(filters.to_query()[1:]))) == filters
    assert Filters().to_query(page=1) == "?"


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "٣"])
def test_a_page_that_is_none_is_the_first(page):
    assert Filters.from_query({"page": page}).page == 1


def test_a_run_without_candidates_says_what_to_do(run):
    for part in (run / "candidates").iterdir():
        part.unlink()
    with pytest.raises(InputError, match="humpback augment"):
        Candidates(run)


def test_ten_thousand_rows_are_searched_in_a_fifth_of_a_second(make_run):
    from review_run import candidate

    generator = random.Random(0)
    text = [prose(generator, 2000) for _ in range(50)]
    rows = [candidate(n, f"What of {n}?", f"{text[n % 50]} number {n}.") for n in range(10_000)]
    candidates = Candidates(make_run(rows))
    for query in ({"q": "number 9999."}, {"q": "e"}, {"sort": "best"}, {"label": "none", "fate": "kept"}):
        filters = Filters.from_query(query)
        start = time.perf_counter()
        places = candidates.find(filters, "anna")
        candidates.page(places, 1, "anna")
        assert time.perf_counter() - start < 0.2, query
    assert candidates.find(Filters(q="number 9999."), "anna") == [9999]
