"""Documents in tables, whatever wrote them and whatever their columns are called."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from humpback.config import IngestConfig, LimitsConfig
from humpback.corpus.documents import read_documents
from humpback.corpus.raw import Form, RawDocument
from humpback.errors import InputError
from humpback.records import Dropped, DropReason, Source

CONFIG = IngestConfig(max_broken_fraction=1.0)


def read(path: Path, config: IngestConfig = CONFIG) -> list[RawDocument | Dropped]:
    return list(read_documents([str(path)], config))


def from_rows(folder: Path, *rows: dict[str, Any], config: IngestConfig = CONFIG) -> list[RawDocument | Dropped]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read(path, config)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a long identifier, longer than the text", "text": "words"},
        {"content": "words", "title_of_something_that_is_very_long": "x" * 50},
        {"raw_content": "words", "digest": "sha1:" + "A" * 32},
        {"Body": "words"},
        {"page_content": "words", "metadata": {"source": "a file somewhere"}},
        {"summary_of_it": "words", "n": 3, "flag": True, "tag": "w"},
        {"text": "words", "content": "other"},
    ],
)
def test_the_column_with_the_texts_is_found(tmp_path, row):
    (found,) = from_rows(tmp_path, row)
    assert isinstance(found, RawDocument)
    assert (found.data, found.form) == ("words", Form.TEXT)


def test_a_named_column_is_taken(tmp_path):
    row = {"text": "no", "mine": "yes"}
    (found,) = from_rows(tmp_path, row, config=IngestConfig(text_column="mine"))
    assert isinstance(found, RawDocument)
    assert found.data == "yes"
    with pytest.raises(InputError, match=r"no column 'theirs'.*text, mine.*ingest.text_column"):
        from_rows(tmp_path, row, config=IngestConfig(text_column="theirs"))


def test_the_longest_strings_are_looked_for_in_many_rows(tmp_path):
    rows = [{"a": "short", "b": ""} for _ in range(50)] + [{"a": "short", "b": "long " * 100} for _ in range(49)]
    assert {one.source.record: len(one.data) for one in from_rows(tmp_path, *rows) if isinstance(one, RawDocument)}[
        "51"
    ] == 500
    found = from_rows(tmp_path, *[{"n": n} for n in range(300)])
    assert [(one.reason, one.detail) for one in found if isinstance(one, Dropped)] == [
        (DropReason.NOT_A_DOCUMENT, "a table without texts (columns: n)")
    ]


@pytest.mark.parametrize(
    ("row", "source"),
    [
        (  # FineWeb, as datatrove's JSONL writer lays rows out
            {
                "text": "x",
                "id": "1",
                "metadata": {"url": "http://a.b", "date": "2020-01-02T03:04:05Z", "language": "en"},
            },
            Source("http://a.b", "rows.jsonl:1", fetched="2020-01-02T03:04:05Z"),
        ),
        (  # the same with its metadata beside the text
            {"text": "x", "url": "http://a.b", "date": "2020-01-02", "dump": "CC"},
            Source("http://a.b", "rows.jsonl:1", fetched="2020-01-02"),
        ),
        (  # NeMo Curator
            {"text": "x", "url": "http://a.b", "id": "doc-1", "source_id": "crawl.warc.gz", "language": "ENGLISH"},
            Source("http://a.b", "rows.jsonl:1"),
        ),
        (  # RedPajama: JSON within JSON
            {"text": "x", "meta": json.dumps({"url": "http://a.b", "timestamp": 1577934245, "license": "CC0"})},
            Source("http://a.b", "rows.jsonl:1", licence="CC0", fetched="2020-01-02T03:04:05+00:00"),
        ),
        ({"text": "x", "URL": "", "uri": " http://a.b "}, Source("http://a.b", "rows.jsonl:1")),
        ({"text": "x", "source": "wikipedia"}, Source("rows.jsonl", "1")),
        ({"text": "x", "source": "http://a.b"}, Source("http://a.b", "rows.jsonl:1")),
        ({"text": "x", "timestamp": 1577934245000}, Source("rows.jsonl", "1", fetched="2020-01-02T03:04:05+00:00")),
        ({"text": "x", "date": "yesterday", "license": None}, Source("rows.jsonl", "1")),
        ({"text": "x", "metadata": "{broken", "meta": [1]}, Source("rows.jsonl", "1")),
    ],
)
def test_provenance(tmp_path, monkeypatch, row, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    (found,) = read(Path("rows.jsonl"))
    assert found.source == source


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"text": "<!doctype html><p>x"}, Form.HTML),
        ({"html": "<p>x</p>"}, Form.HTML),
        ({"content": "<div><p>x</p></div>"}, Form.HTML),
        ({"text": "a < b"}, Form.TEXT),
        ({"text": "<p>once</p>\n# Markdown\n"}, Form.TEXT),
        ({"markdown": "<p align=x>x</p>"}, Form.MARKDOWN),
        ({"text": "```html\n<html>\n```"}, Form.MARKDOWN),
        ({"text": "# One\n\ntext\n\n## Two\n"}, Form.MARKDOWN),
        ({"text": "He said: - no.\n\n# 3 is the number.\n"}, Form.TEXT),
    ],
)
def test_values_that_are_pages(tmp_path, row, form):
    (found,) = from_rows(tmp_path, row)
    assert isinstance(found, RawDocument)
    assert found.form is form


def test_titles_and_rows_without_text(tmp_path):
    good, *bad = from_rows(tmp_path, {"text": "a", "title": " T "}, {"text": None}, {"other": 1}, {"text": 3})
    assert isinstance(good, RawDocument)
    assert good.title == "T"
    assert [one.detail for one in bad if isinstance(one, Dropped)] == [
        "column 'text' holds no text (NoneType)",
        "column 'text' holds no text (no such column)",
        "column 'text' holds no text (int)",
    ]


def test_too_many_broken_rows_refuse_the_table(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n' * 9 + "{broken\n")
    with pytest.raises(InputError, match="1 of 10 rows"):
        read(path, IngestConfig())
    assert len(read(path, IngestConfig(max_broken_fraction=0.1))) == 10


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"text\n"), ("a.json", b"[]"), ("a.jsonl", b"[\n]")])
def test_a_table_without_rows(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    found = list(read_documents([str(tmp_path / name)], CONFIG))
    assert found
    assert all(isinstance(one, Dropped) for one in found)


def test_a_large_value_is_no_broken_row(tmp_path):
    config = IngestConfig(limits=LimitsConfig(max_document_bytes=1000), max_broken_fraction=0.001)
    found = from_rows(tmp_path, {"text": "x" * 2000}, {"text": "y"}, config=config)
    assert isinstance(found[0], Dropped)
    assert found[0].reason is DropReason.TOO_LARGE
    assert isinstance(found[1], RawDocument)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.stream"])
def test_columnar_files_with_dates_and_nested_columns(tmp_path, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    fetched = datetime(2020, 1, 2, tzinfo=UTC)
    rows = [{"text": "<html><p>x", "metadata": {"url": "http://a.b", "date": fetched}, "vector": [0.5, 1]}]
    table = pa.Table.from_pylist(rows)
    if name == "a.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        new = pa.ipc.new_file if name == "a.arrow" else pa.ipc.new_stream
        with new(str(tmp_path / name), table.schema) as writer:
            writer.write_table(table)
    (found,) = read(tmp_path / name)
    assert isinstance(found, RawDocument)
    assert found.form is Form.HTML
    assert found.source == Source("http://a.b", f"{tmp_path}/{name}:1", fetched="2020-01-02T00:00:00+00:00")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"a": '),
        ("a.json", b'[{"text": "a"}, {"text"'),
        ("a.parquet", b"PAR1 and no more"),
        ("a.arrow", b"ARROW1\0\0 and no more"),
        ("a.csv", b'text\n"never closed\n'),
        ("a.csv", b"t\xffxt\nx\n"),
        ("a.jsonl", '{"text": "a"}'.encode("utf-16")),
    ],
)
def test_a_broken_table_is_set_aside_and_the_rest_goes_on(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.txt").write_bytes(b"words")
    *found, last = read(tmp_path)
    assert isinstance(found[-1], Dropped)
    assert found[-1].reason is DropReason.UNREADABLE
    assert isinstance(last, RawDocument)


def test_rows_after_many_broken_ones_are_still_read(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "x"}\n'.join(["{broken\n" * 150] * 2) + "[]\n")
    found = read(file, IngestConfig(max_broken_fraction=1.0))
    assert [row.data for row in found if isinstance(row, RawDocument)] == ["x"]
    assert len(found) == 302
