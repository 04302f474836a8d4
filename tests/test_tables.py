"""Rows of files in every form, broken ones included."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
from pathlib import Path

import pytest

from humpback.errors import InputError
from humpback.records import DropReason
from humpback.tables import BrokenRow, Row, TableForm, read_rows, shorten, table_rows


def rows(path: Path, allowed: float = 0.05) -> list[Row | BrokenRow]:
    return list(read_rows(path, allowed))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_jsonl_keeps_line_numbers_and_skips_blank_lines(tmp_path):
    found = rows(write(tmp_path, "a.jsonl", '\ufeff{"a": 1}\n\n  \r\n{"a": "é"}'))
    assert found == [Row(1, {"a": 1}), Row(4, {"a": "é"})]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.txt", "a"])
def test_the_form_is_told_by_content(tmp_path, name):
    lines = '{"a": 1}\n{"a": 2}\n'
    array = '[{"a": 1},\n {"a": 2}]'
    for content in (
        lines,
        array,
        '{"data": [{"a": 1}, {"a": 2}]}',
        '{"version": 1,\n"rows": [{"a": 1}, {"a": 2}]}',
    ):
        if content is not lines and name == "a.jsonl" and content.count("\n"):
            continue
        assert [row.values for row in rows(write(tmp_path, name, content))] == [{"a": 1}, {"a": 2}]


def test_one_line_with_a_conversation_is_a_row(tmp_path):
    line = {"messages": [{"role": "user", "content": "a"}]}
    assert rows(write(tmp_path, "a.jsonl", json.dumps(line))) == [Row(1, line)]


def test_one_pretty_printed_object_is_a_row(tmp_path):
    assert rows(write(tmp_path, "a.json", '{\n "a": 1\n}')) == [Row(1, {"a": 1})]


def test_csv_and_tsv(tmp_path):
    assert rows(write(tmp_path, "a.csv", 'a,b\n"x\ny",2\n3,4\n')) == [
        Row(2, {"a": "x\ny", "b": "2"}),
        Row(4, {"a": "3", "b": "4"}),
    ]
    assert rows(write(tmp_path, "b.csv", "\ufeffa;b\n1,5;2\n")) == [Row(2, {"a": "1,5", "b": "2"})]
    assert rows(write(tmp_path, "a.tsv", "a\tb\n1\t2\n")) == [Row(2, {"a": "1", "b": "2"})]


def test_csv_rows_that_do_not_fit_are_broken(tmp_path):
    found = rows(write(tmp_path, "a.csv", b"a,b\n1,2\n1\n1,2,3\n\xff,2\n"), 1.0)
    assert [(row.line, row.detail) for row in found if isinstance(row, BrokenRow)] == [
        (3, "has 1 fields where the header has 2"),
        (4, "has 3 fields where the header has 2"),
        (5, "not UTF-8"),
    ]


def test_csv_with_an_open_quote_is_refused(tmp_path):
    with pytest.raises(InputError, match="line 3 is never closed"):
        rows(write(tmp_path, "a.csv", 'a,b\n1,2\n"x,2\n3,4\n'), 1.0)


def test_parquet_whatever_its_name(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.bin"
    pq.write_table(pa.table({"a": list(range(600))}), path)
    found = rows(path)
    assert len(found) == 600
    assert found[599] == Row(600, {"a": 599})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="broken Parquet"):
        rows(path)


def test_parquet_with_text_that_is_not_utf8(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    bad = pa.array([b"good", b"\xff"], pa.binary())
    column = pa.Array.from_buffers(pa.string(), 2, bad.buffers())
    pq.write_table(pa.table({"a": column}), tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet", 1.0) == [Row(1, {"a": "good"}), BrokenRow(2, "not UTF-8", "")]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b'{"a": 1', "not valid JSON"),
        (b"[1, 2]", "not a JSON object but a list"),
        (b"null", "not a JSON object but null"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\\ud83d"}', "lone UTF-16 surrogate"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "a number is too long"),
    ],
)
def test_a_broken_line_is_set_aside_among_many(tmp_path, line, detail):
    content = b'{"a": 1}\n' * 20 + line + b"\n" + b'{"a": "\\ud83d\\ude00"}\n' * 20
    found = rows(write(tmp_path, "a.jsonl", content))
    broken = [row for row in found if isinstance(row, BrokenRow)]
    assert len(found) == 41
    assert [row.line for row in broken] == [21]
    assert detail in broken[0].detail


def test_one_broken_line_of_ten_refuses_the_file(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n' * 4 + "{broken\n" + '{"a": 1}\n' * 5)
    with pytest.raises(InputError) as caught:
        rows(path)
    for piece in (str(path), "1 of 10", "line 5", "not valid JSON", "{broken", "max_broken_fraction"):
        assert piece in str(caught.value)


def test_one_broken_line_of_a_thousand_is_set_aside(tmp_path):
    found = rows(write(tmp_path, "a.jsonl", '{"a": 1}\n' * 500 + "{broken\n" + '{"a": 1}\n' * 499))
    assert sum(isinstance(row, BrokenRow) for row in found) == 1


def test_exactly_the_allowed_share_passes(tmp_path):
    assert len(rows(write(tmp_path, "a.jsonl", '{"a": 1}\n' * 19 + "x\n"))) == 20


def test_a_gigantic_line_is_not_echoed(tmp_path):
    with pytest.raises(InputError) as caught:
        rows(write(tmp_path, "a.jsonl", '{"a": "' + "x" * 1_000_000))
    assert len(str(caught.value)) < 600
    assert len(shorten("\n\t\x00" * 1000)) < 90


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \n", "neither JSONL|no row"),
        (b"[]", "no row"),
        (b"prose\nand more", "neither JSONL, JSON, Parquet nor Arrow"),
        (b"[1, 2", "not valid JSON"),
        (b"\x1f\x8b\x08\x00", "gzip data break off"),
        (b"PK\x03\x04", "zip archive"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b"[" * 100_000, "the list is not closed"),
        (b'{"a":\n' * 100_000, "nested too deeply"),
    ],
)
def test_files_of_no_use_are_refused_with_a_remedy(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        rows(write(tmp_path, "a.json", content))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        rows(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="folder"):
        rows(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission(tmp_path):
    path = write(tmp_path, "a.jsonl", "{}")
    path.chmod(0)
    with pytest.raises(InputError, match="permission"):
        rows(path)


def packed(name: str, data: bytes) -> bytes:
    import lz4.frame
    import zstandard

    pack = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": zstandard.compress,
        "lz4": lz4.frame.compress,
    }
    return pack[name](data)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst", "lz4"])
def test_compressed_tables(tmp_path, suffix):
    lines = b'{"a": 1}\n{"a": 2}\n'
    both = [Row(1, {"a": 1}), Row(2, {"a": 2})]
    assert rows(write(tmp_path, f"a.jsonl.{suffix}", packed(suffix, lines))) == both
    assert rows(write(tmp_path, "a", packed(suffix, lines) + packed(suffix, b'{"a": 3}'))) == [*both, Row(3, {"a": 3})]
    assert rows(write(tmp_path, f"a.csv.{suffix}", packed(suffix, b"a\n1\n"))) == [Row(2, {"a": "1"})]
    with pytest.raises(InputError, match="break off"):
        rows(write(tmp_path, f"b.jsonl.{suffix}", packed(suffix, lines * 5000)[:-9]))


def test_arrow_file_and_stream(tmp_path):
    import pyarrow as pa

    table = pa.table({"a": list(range(600))})
    for name, new in (("a.arrow", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
        with new(str(tmp_path / name), table.schema) as writer:
            writer.write_table(table)
        found = rows(tmp_path / name)
        assert (len(found), found[-1]) == (600, Row(600, {"a": 599}))
        whole = (tmp_path / name).read_bytes()
        with pytest.raises(InputError, match="broken Arrow"):
            rows(write(tmp_path, "cut", whole[: len(whole) // 2]))


@pytest.mark.parametrize("size", [1, 3, 64, 1 << 16])
def test_a_list_is_read_piece_by_piece(monkeypatch, size):
    monkeypatch.setattr("humpback.tables.jsons.BLOCK_BYTES", size)
    values = [{"a": 'x"]},{[\\'}, {"b": [1, {"c": []}]}, {"d": "\\"}, {}]
    for text in (json.dumps(values), json.dumps(values, indent=2), "\ufeff " + json.dumps(values) + " \n"):
        found = list(table_rows(io.BytesIO(text.encode()), TableForm.JSON, "x"))
        assert [row.values for row in found if isinstance(row, Row)] == values


def test_broken_items_of_a_list_are_set_aside():
    found = list(table_rows(io.BytesIO(b'[{"a": 1}, {"a" 2}, 3, {"a": 4}]'), TableForm.JSON, "x"))
    assert [row.line for row in found if isinstance(row, BrokenRow)] == [2, 3]
    assert [row.line for row in found if isinstance(row, Row)] == [1, 4]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (TableForm.JSONL, b'{"a": "x"}\n{"a": "%s"}\n{"a": "y"}\n'),
        (TableForm.JSON, b'[{"a": "x"},\n{"a": "%s"},\n{"a": "y"}]'),
        (TableForm.CSV, b"a\nx\n%s\ny\n"),
    ],
)
def test_a_row_over_the_limit_is_too_large_and_reading_goes_on(form, content):
    stream = io.BytesIO(content % (b"z" * 300_000))
    first, large, last = table_rows(stream, form, "x", 1000)
    assert isinstance(large, BrokenRow)
    assert (large.reason, len(large.text) <= 2000) == (DropReason.TOO_LARGE, True)
    assert [row.values for row in (first, last) if isinstance(row, Row)] == [{"a": "x"}, {"a": "y"}]


def test_memory_stays_bounded_on_a_gigantic_line():
    import tracemalloc

    class Endless(io.RawIOBase):
        left = 200_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            size = min(len(buffer), self.left)
            self.left -= size
            buffer[:size] = b"x" * size
            return size

    tracemalloc.start()
    for form in (TableForm.JSONL, TableForm.CSV):
        stream = io.BufferedReader(Endless(), 1 << 16)
        assert [row.reason for row in table_rows(stream, form, "x", 100_000)] == [DropReason.TOO_LARGE]
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
