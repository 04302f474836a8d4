"""The dataset's files as other libraries read them, and how they are written."""

from __future__ import annotations

import json

import datasets
import pyarrow.parquet as pq
import pytest

from humpback.product import rows as rows_module
from humpback.product.rows import DatasetRow, dataset_rows, messages_of, write_dataset
from humpback.records import Curated, Rating, Source
from humpback.workspace import read_rows

PAIR = {"role": datasets.Value("string"), "content": datasets.Value("string")}


def lines_of(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def row(number: int, **values) -> DatasetRow:
    given = {"headers": [], "source": Source(f"f{number}"), "rating": 4.0, "ratings": [4.0], "round": 1}
    return DatasetRow(f"{number:016x}", f"Ask {number}", f"Answer {number}", **(given | values))


@pytest.mark.parametrize("how", ["folder", "parquet"])
def test_load_dataset_gives_the_right_types(product_run, tmp_path, how):
    folder = product_run / "dataset"
    cache = str(tmp_path)
    if how == "folder":  # as the hub's repository: card, both files and ours beside them
        loaded = datasets.load_dataset(str(folder), split="train", cache_dir=cache)
    else:
        file = str(folder / "train.parquet")
        loaded = datasets.load_dataset("parquet", data_files=file, split="train", cache_dir=cache)
    features = loaded.features
    assert features["messages"] == datasets.List(PAIR)
    assert features["headers"] == datasets.List(datasets.Value("string"))
    assert features["ratings"] == datasets.List(datasets.Value("float64"))
    assert features["source"]["start"] == datasets.Value("int64")
    assert (features["rating"], features["round"]) == (datasets.Value("float64"), datasets.Value("int64"))
    assert features["original"] == datasets.Value("string")
    assert loaded.to_list() == lines_of(folder / "train.jsonl")


def test_the_types_stand_in_the_file_itself_and_an_older_library_can_read_them(product_run):
    metadata = pq.read_schema(product_run / "dataset/train.parquet").metadata
    features = json.loads(metadata[b"huggingface"])["info"]["features"]
    assert features["headers"] == [{"dtype": "string", "_type": "Value"}]  # no name of a list type, which changed
    assert datasets.Features.from_dict(features)["messages"] == datasets.List(PAIR)


def test_rows_are_the_last_round_s_with_all_ratings(product_run):
    kept = {one.id: one for one in read_rows(product_run / "curated-2", Curated)}
    rated = [
        {one.candidate_id: one for one in read_rows(product_run / f"ratings-{number}", Rating)} for number in (1, 2)
    ]
    found = list(dataset_rows(product_run / "dataset"))
    assert [one.id for one in found] == list(kept)
    for one in found:
        assert (one.output, one.source) == (kept[one.id].output, kept[one.id].source)
        assert one.ratings == [ratings[one.id].rating for ratings in rated]
        assert one.source.licence
    values = lines_of(product_run / "dataset/train.jsonl")[0]
    assert values["messages"] == messages_of(values["instruction"], values["output"])
    assert [message["role"] for message in values["messages"]] == ["user", "assistant"]


def test_rows_are_written_block_by_block_as_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "ROWS_PER_GROUP", 10)
    waiting = []

    def many():
        for number in range(35):
            there = tmp_path / ".train.jsonl.tmp"
            waiting.append(there.exists())
            yield row(number, p_good=0.5, original="x" if number else None)

    assert write_dataset(tmp_path, many()) == 35
    assert all(waiting)
    assert pq.ParquetFile(tmp_path / "train.parquet").num_row_groups == 4
    assert list(dataset_rows(tmp_path)) == [
        row(number, p_good=0.5, original="x" if number else None) for number in range(35)
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["train.jsonl", "train.parquet"]


def test_an_empty_dataset_keeps_its_columns(tmp_path):
    assert write_dataset(tmp_path, []) == 0
    assert (tmp_path / "train.jsonl").read_text() == ""
    table = pq.read_table(tmp_path / "train.parquet")
    assert (table.num_rows, "messages" in table.schema.names) == (0, True)


def test_a_dataset_of_an_earlier_version_can_be_read(tmp_path):
    write_dataset(tmp_path, [row(1, p_good=0.5)])
    old = pq.read_table(tmp_path / "train.parquet").drop_columns(["messages", "p_good"])
    pq.write_table(old, tmp_path / "train.parquet")
    assert list(dataset_rows(tmp_path)) == [row(1)]


def test_texts_are_kept_to_the_byte(tmp_path):
    text = 'a\u2028b\r\n"quoted" \t<|im_end|> \N{PILE OF POO} ```\n---\n'
    one = DatasetRow("0", text, text, [text], Source(text, licence=text), 4.0, [None, 4.0], 2)
    write_dataset(tmp_path, [one])
    assert list(dataset_rows(tmp_path)) == [one]
    (line,) = (tmp_path / "train.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    assert json.loads(line)["messages"][1] == {"role": "assistant", "content": text}
