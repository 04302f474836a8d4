"""Rows that cross every boundary, and their Arrow schemas."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humpback.records import (
    Candidate,
    Curated,
    Document,
    Dropped,
    DropReason,
    Example,
    Rating,
    Segment,
    Source,
    arrow_schema,
    content_id,
    from_row,
    to_row,
)

SOURCE = Source("file.md", "3", 4, 9, "CC0")
BARE = Source("https://example.org")
RECORDS = [
    Document("text", "title", SOURCE),
    Segment("id", "text\x00\u2028", ["a", "b"], SOURCE),
    Example("id", "in", "out", BARE),
    Candidate("id", "in", "out", [], SOURCE),
    Rating("id", 3.25, None, [0.1, 0.2, 0.3, 0.2, 0.2]),
    Rating("id", None, "no_score", judgement="hm"),
    Curated("id", "in", "out", ["h"], SOURCE, 4.5, 2),
    Dropped("id", DropReason.TOO_SHORT, "", "text", BARE),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_arrow(record):
    table = pa.Table.from_pylist([to_row(record)], schema=arrow_schema(type(record)))
    assert from_row(type(record), table.to_pylist()[0]) == record


@pytest.mark.parametrize("kind", {type(record) for record in RECORDS})
def test_a_field_may_be_null_where_its_type_says_so(kind):
    schema = arrow_schema(kind)
    assert schema.names == [field.name for field in dataclasses.fields(kind)]
    for field in dataclasses.fields(kind):
        assert schema.field(field.name).nullable == ("None" in str(field.type))


def test_the_schema_of_a_rating():
    assert arrow_schema(Rating) == pa.schema(
        [
            pa.field("candidate_id", pa.string(), nullable=False),
            pa.field("rating", pa.float64()),
            pa.field("unparsed_reason", pa.string()),
            pa.field("probabilities", pa.list_(pa.field("item", pa.float64(), nullable=False)), nullable=False),
            pa.field("judgement", pa.string()),
            pa.field("method", pa.string(), nullable=False),
            pa.field("instruction_cut", pa.bool_(), nullable=False),
            pa.field("p_good", pa.float64()),
            pa.field("signals", pa.map_(pa.string(), pa.float64()), nullable=False),
        ]
    )


def test_an_unknown_reason_is_refused():
    row = to_row(RECORDS[-1]) | {"reason": "dull"}
    with pytest.raises(ValueError, match="dull"):
        from_row(Dropped, row)


def test_a_source_reads_as_a_place():
    assert str(SOURCE) == "file.md:3 [4:9]"
    assert str(BARE) == "https://example.org"
    assert str(Source("a.md", None, 0, 5)) == "a.md [0:5]"


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_ids_tell_their_parts_apart(one, other):
    assert (content_id(*one) == content_id(*other)) == (one == other)


def test_ids_are_sixteen_digits_of_any_parts():
    assert content_id("a", "bc") != content_id("ab", "c")
    assert content_id("x", 1, None) == content_id("x", "1", "None")
    assert len(content_id("\ud800")) == 16
    assert set(content_id("x")) <= set("0123456789abcdef")
