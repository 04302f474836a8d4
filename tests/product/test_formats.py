"""Every export format as its own tool reads it."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest
import yaml

from humpback.cli.app import app
from humpback.cli.product import Format
from humpback.config import PromptsConfig
from humpback.errors import InputError, WorkspaceError
from humpback.product.formats import FORMATS, export_format
from humpback.product.rows import dataset_rows

TAG = PromptsConfig().web_tag


def pairs_of(run: Path) -> list[tuple[str, str]]:
    return [(row.instruction, row.output) for row in dataset_rows(run / "dataset")]


def load(file: Path, cache: Path) -> list[dict]:
    return datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(cache)).to_list()


def test_the_command_offers_what_there_is():
    assert [one.value for one in Format] == list(FORMATS)


def test_alpaca(product_run, tmp_path):
    out = tmp_path / "alpaca.json"
    done = export_format(product_run, "alpaca", out)
    rows = json.loads(out.read_text())
    assert [(row["instruction"], row["output"]) for row in rows] == pairs_of(product_run)
    assert {tuple(row) for row in rows} == {("instruction", "input", "output")}
    assert {row["input"] for row in rows} == {""}
    assert load(out, tmp_path) == rows
    assert (done.rows, done.entry) == (len(rows), None)


def test_sharegpt(product_run, tmp_path):
    out = tmp_path / "sharegpt.json"
    export_format(product_run, "sharegpt", out)
    found = [[(turn["from"], turn["value"]) for turn in row["conversations"]] for row in load(out, tmp_path)]
    assert found == [[("human", instruction), ("gpt", output)] for instruction, output in pairs_of(product_run)]
    export_format(product_run, "sharegpt", out, tags=True)
    assert json.loads(out.read_text())[0]["conversations"][0] == {"from": "system", "value": TAG}


def test_messages_through_a_chat_template(product_run, tmp_path, tiny_model):
    from transformers import AutoTokenizer
    from trl.data_utils import is_conversational, maybe_apply_chat_template

    out = tmp_path / "messages.jsonl"
    export_format(product_run, "messages", out)
    rows = load(out, tmp_path)
    assert all(is_conversational(row) for row in rows)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    instruction, output = pairs_of(product_run)[0]
    text = maybe_apply_chat_template(rows[0], tokenizer)["text"]
    assert text == f"<|im_start|>user\n{instruction}<|im_end|>\n<|im_start|>assistant\n{output}<|im_end|>\n"
    export_format(product_run, "messages", out, tags=True)
    tagged = maybe_apply_chat_template(json.loads(out.read_text().splitlines()[0]), tokenizer)["text"]
    assert tagged == f"<|im_start|>system\n{TAG}<|im_end|>\n{text}"


def test_trl_learns_the_completion_only(product_run, tmp_path, tiny_model):
    from transformers import AutoTokenizer
    from trl.data_utils import is_conversational, maybe_apply_chat_template

    out = tmp_path / "trl.jsonl"
    export_format(product_run, "trl", out, tags=True)
    rows = load(out, tmp_path)
    assert all(is_conversational(row) for row in rows)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    instruction, output = pairs_of(product_run)[0]
    parts = maybe_apply_chat_template(rows[0], tokenizer)
    assert parts["completion"] == f"{output}<|im_end|>\n"
    head = f"<|im_start|>system\n{TAG}<|im_end|>\n<|im_start|>user\n{instruction}<|im_end|>\n"
    assert parts["prompt"] == f"{head}<|im_start|>assistant\n"


def test_axolotl(product_run, tmp_path):
    done = export_format(product_run, "axolotl", tmp_path / "ax", tags=True)
    (entry,) = yaml.safe_load(done.entry.read_text())["datasets"]
    rows = load(Path(entry["path"]), tmp_path)
    assert len(rows) == done.rows == len(pairs_of(product_run))
    field, roles = entry["field_messages"], entry["message_property_mappings"]
    assert [turn[roles["role"]] for turn in rows[0][field]] == ["system", "user", "assistant"]


def test_axolotl_s_own_schema(product_run, tmp_path):
    schemas = pytest.importorskip("axolotl.utils.schemas.datasets")
    done = export_format(product_run, "axolotl", tmp_path)
    (entry,) = yaml.safe_load(done.entry.read_text())["datasets"]
    known = schemas.SFTDataset(**entry).model_dump(exclude_none=True)
    assert {name: known[name] for name in entry} == entry


def test_llama_factory(product_run, tmp_path):
    folder = tmp_path / "lf"
    folder.mkdir()
    (folder / "dataset_info.json").write_text(json.dumps({"other": {"file_name": "other.json"}}))
    done = export_format(product_run, "llama-factory", folder, tags=True)
    entries = json.loads(done.entry.read_text())
    assert list(entries) == ["other", "small"]  # what was there stays
    rows = load(folder / entries["small"]["file_name"], tmp_path)
    columns = entries["small"]["columns"]
    found = [(row[columns["prompt"]], row[columns["response"]], row[columns["system"]]) for row in rows]
    assert found == [(*pair, TAG) for pair in pairs_of(product_run)]
    export_format(product_run, "llama-factory", folder)
    assert "system" not in json.loads(done.entry.read_text())["small"]["columns"]


def test_llama_factory_s_own_parser(product_run, tmp_path):
    parser = pytest.importorskip("llamafactory.data.parser")
    export_format(product_run, "llama-factory", tmp_path)
    (found,) = parser.get_dataset_list(["small"], str(tmp_path))
    assert (found.load_from, found.dataset_name, found.formatting) == ("file", "small.json", "alpaca")
    assert (found.prompt, found.query, found.response) == ("instruction", "input", "output")


@pytest.mark.parametrize("name", ["alpaca", "messages"])
def test_a_dataset_without_rows_is_a_file_without_rows(own_run, tmp_path, name):
    from humpback.product.rows import write_dataset

    write_dataset(own_run / "dataset", [])
    manifest = json.loads((own_run / "dataset/stage.json").read_text())
    manifest["files"] = {}
    (own_run / "dataset/stage.json").write_text(json.dumps(manifest))
    assert export_format(own_run, name, tmp_path / "out").rows == 0
    assert (tmp_path / "out").read_text() == {"alpaca": "[]\n", "messages": ""}[name]


def test_what_cannot_be_is_refused_before_anything_is_written(product_run, own_run, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="alpaca have no place for a system prompt; use sharegpt"):
        export_format(product_run, "alpaca", out, tags=True)
    with pytest.raises(InputError, match="no such format; there are alpaca"):
        export_format(product_run, "vicuna", out)
    with pytest.raises(InputError, match="is a folder; give a file"):
        export_format(product_run, "alpaca", tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        export_format(product_run, "axolotl", tmp_path / "file")
    (tmp_path / "dataset_info.json").write_text("{")
    with pytest.raises(InputError, match=r"dataset_info.json: is no valid JSON"):
        export_format(product_run, "llama-factory", tmp_path)
    with pytest.raises(InputError, match="cannot be made"):
        export_format(product_run, "trl", tmp_path / "file" / "out.jsonl")
    with pytest.raises(WorkspaceError, match="no run's folder"):
        export_format(tmp_path, "alpaca", out)
    (own_run / "dataset/train.parquet").unlink()
    with pytest.raises(WorkspaceError, match="dataset is not finished"):
        export_format(own_run, "alpaca", out)
    assert not out.exists()
    assert not list(tmp_path.glob("*.jsonl"))
    assert (tmp_path / "file").read_text() == "mine"


def test_the_command(product_run, tmp_path, capsys):
    out = tmp_path / "lf"
    app(["export", str(product_run), "--format", "llama-factory", "--out", str(out)], standalone_mode=False)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{out / 'small.json'}: {len(pairs_of(product_run))} rows"
    assert said[1] == f"{out / 'dataset_info.json'}: the entry that names them to llama-factory"
