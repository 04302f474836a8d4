"""Saved datasets, and datasets by name, on local copies."""

from __future__ import annotations

import pytest

from humpback.config import IngestConfig
from humpback.corpus.documents import corpus_digest, read_documents
from humpback.corpus.raw import RawDocument
from humpback.corpus.readers.hub import HubDataset
from humpback.errors import InputError


def texts(*inputs: str, config: IngestConfig | None = None) -> list[tuple[str | None, str | bytes]]:
    found = read_documents(inputs, config or IngestConfig())
    return [(one.source.record, one.data) for one in found if isinstance(one, RawDocument)]


@pytest.mark.parametrize(
    ("value", "dataset"),
    [
        ("hf:owner/name", HubDataset("owner/name")),
        ("hf:owner/name:en", HubDataset("owner/name", "en")),
        ("hf:owner/name:en:train", HubDataset("owner/name", "en", "train")),
        ("hf:owner/name::train", HubDataset("owner/name", None, "train")),
        ("hf://datasets/owner/name", HubDataset("owner/name")),
        ("hf://datasets/owner/name/data/a.parquet", None),
        ("owner/name", None),
        ("packages", None),
    ],
)
def test_names(value, dataset):
    assert HubDataset.parse(value) == dataset


def test_a_saved_dataset(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": [f"text {n}" for n in range(5)], "url": ["http://a.b"] * 5})
    rows.save_to_disk(str(tmp_path / "one"), num_shards=2)
    assert [text for _, text in texts(str(tmp_path / "one"))] == [f"text {n}" for n in range(5)]
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(str(tmp_path / "two"))
    found = list(read_documents([str(tmp_path / "two")], IngestConfig()))
    assert len(found) == 10
    assert all(isinstance(one, RawDocument) for one in found)
    assert found[0].source.record == f"{tmp_path}/two/test/data-00000-of-00001.arrow:1"


def test_a_dataset_laid_out_as_on_the_hub(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "repository"
    (folder / "data").mkdir(parents=True)
    for split, letters in (("train", "ab"), ("test", "c")):
        pq.write_table(pa.table({"text": list(letters)}), folder / "data" / f"{split}-00000-of-00001.parquet")
    every = texts(f"hf:{folder}")
    assert sorted(every) == [("test:1", "c"), ("train:1", "a"), ("train:2", "b")]
    assert texts(f"hf:{folder}::train") == [("train:1", "a"), ("train:2", "b")]
    assert texts(f"hf:{folder}::train", config=IngestConfig(max_documents=1)) == [("train:1", "a")]
    assert texts(str(folder)) == [("1", "c"), ("1", "a"), ("2", "b")]
    with pytest.raises(InputError, match="text_column"):
        texts(f"hf:{folder}", config=IngestConfig(text_column="none"))
    with pytest.raises(InputError, match="cannot be read"):
        texts(f"hf:{folder}::nosuch")
    assert corpus_digest([f"hf:{folder}"]) != corpus_digest([f"hf:{folder}::train"])


def test_a_name_that_cannot_be_had():
    pytest.importorskip("datasets")
    with pytest.raises(InputError, match="'no/such-dataset' cannot be read"):
        texts("hf:no/such-dataset")
