"""Public benchmark files become the rows that the harness reads; what is wrong with one is told with its place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import harness_data as data
import pytest

from humpback.errors import InputError
from humpback.evaluation.harness.files import find_source
from humpback.evaluation.harness.rows import harness_row, mmlu_row, read_choices
from humpback.evaluation.harness.suites import BENCHMARKS, CATEGORIES, DOMAINS

SHARED = os.environ.get("HUMPBACK_SHARED")
ROWS = {
    "siqa": data.SIQA,
    "piqa": data.PIQA,
    "arc_easy": data.ARC,
    "arc_challenge": data.ARC,
    "openbookqa": data.OBQA,
}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return data.write_public_files(tmp_path_factory.mktemp("data") / "eval")


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_llm_adapters_are_those_of_the_data_set(public, name):
    found = find_source(public, BENCHMARKS[name]).read()["test"]
    if name != "siqa":
        assert found == ROWS[name]
        return
    for row, wanted in zip(found, ROWS[name], strict=True):  # the harness joins both by a space
        assert f"{row['context']} {row['question']}" == f"{wanted['context']} {wanted['question']}"
        assert {**row, "context": 0, "question": 0} == {**wanted, "context": 0, "question": 0}
        assert row["question"]


@pytest.mark.parametrize("header", [True, False])
def test_mmlu_of_both_forms_and_unpacked(tmp_path, header):
    data.write_mmlu(tmp_path / "mmlu.tar.gz", data.SUBJECTS, header)
    source = find_source(tmp_path, BENCHMARKS["mmlu"])
    found = source.read()
    assert len(found) == 2 * 57
    assert found["anatomy/test"] == data.MMLU
    assert found["virology/dev"] == data.MMLU[:1]
    import tarfile

    with tarfile.open(tmp_path / "mmlu.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "mmlu.tar.gz").unlink()
    assert find_source(tmp_path, BENCHMARKS["mmlu"]).read() == found


def test_a_missing_subject_is_named(tmp_path):
    data.write_mmlu(tmp_path / "mmlu.tar.gz", [one for one in data.SUBJECTS if one != "virology"])
    with pytest.raises(InputError, match="no test questions of virology"):
        find_source(tmp_path, BENCHMARKS["mmlu"]).read()


def test_piqa_takes_its_labels_from_the_list_beside_it(tmp_path):
    raw = [{name: row[name] for name in ("goal", "sol1", "sol2")} for row in data.PIQA]
    (tmp_path / "piqa_valid.jsonl").write_text("".join(json.dumps(row) + "\n" for row in raw))
    labels = tmp_path / "piqa_valid-labels.lst"
    labels.write_text("0\n1\n0\n")
    source = find_source(tmp_path, BENCHMARKS["piqa"])
    assert source.read()["test"] == data.PIQA
    assert source.split == "validation"
    labels.write_text("0\n1\n")
    with pytest.raises(InputError, match=r"row 3: has no label; 2 stand"):
        source.read()
    labels.write_text("0\n1\n2\n")
    with pytest.raises(InputError, match="line 3: must be 0 or 1, not '2'"):
        source.read()
    labels.unlink()
    with pytest.raises(InputError, match="row 1: lacks label; it has goal, sol1, sol2"):
        source.read()


def test_saved_data_sets_are_read(tmp_path):
    import pyarrow as pa

    folder = tmp_path / "ai2_arc/ARC-Easy/validation"
    folder.mkdir(parents=True)
    table = pa.Table.from_pylist(data.ARC)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    source = find_source(tmp_path, BENCHMARKS["arc_easy"])
    assert source.read()["test"] == data.ARC
    assert source.split == "validation"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"instruction": "What is it?"}, "does not ask to choose"),
        ({"answer": "answer9"}, "'answer9' is none of answer1, answer2"),
        ({"instruction": data.adapters("Why?", ["Answer2: yes", "no"], 0)["instruction"]}, "'Answer2' exactly once"),
    ],
)
def test_rows_that_cannot_be_taken_apart(change, wrong):
    row = {**data.adapters("Why?", ["yes", "no"], 0), **change}
    with pytest.raises(ValueError, match=wrong):
        read_choices(row["instruction"], row["answer"])


def test_a_row_of_another_benchmark_is_refused():
    with pytest.raises(ValueError, match=r"has 3 answers, which is not piqa's form"):
        harness_row("piqa", data.adapters("Why?", ["a", "b", "c"], 0))
    with pytest.raises(ValueError, match="lacks goal, sol1, sol2, label; it has text"):
        harness_row("piqa", {"text": "x"})
    with pytest.raises(ValueError, match="six columns"):
        mmlu_row(["q", "a", "b", "c", "d", "E"])


def test_domains_and_categories_are_the_harnesses_own():
    import yaml

    from humpback.evaluation.harness.task_files import harness_tasks

    folder = harness_tasks() / "mmlu/default"
    tags = {"humanities": "humanities", "STEM": "stem", "social sciences": "social_sciences", "other": "other"}
    for domain, subjects in DOMAINS.items():
        for subject in subjects:
            config = yaml.safe_load((folder / f"mmlu_{subject}.yaml").read_text())
            assert config["tag"] == f"mmlu_{tags[domain]}_tasks", subject
    assert (
        len({one for subjects in DOMAINS.values() for one in subjects}) == len(list(folder.glob("mmlu_*.yaml"))) == 57
    )
    assert len(CATEGORIES) == 9


@pytest.mark.skipif(SHARED is None, reason="HUMPBACK_SHARED names no folder of real data")
def test_the_public_files_are_read_whole():
    folder = Path(SHARED) / "data" / "eval"
    counts = {
        "siqa": 1954,
        "piqa": 1838,
        "arc_easy": 2376,
        "arc_challenge": 1172,
        "openbookqa": 500,
        "crows_pairs": 1508,
    }
    for name, count in counts.items():
        assert len(find_source(folder, BENCHMARKS[name]).read()["test"]) == count
    found = find_source(folder, BENCHMARKS["mmlu"]).read()
    assert sum(len(rows) for name, rows in found.items() if name.endswith("/test")) == 14042
    assert find_source(folder, BENCHMARKS["piqa"]).files[0].name == "piqa_valid.jsonl"
    raw = find_source(folder, BENCHMARKS["piqa"]).read()["test"]
    adapted = json.loads((folder / "commonsense/piqa_test.json").read_text())
    assert [harness_row("piqa", row) for row in adapted] == raw
