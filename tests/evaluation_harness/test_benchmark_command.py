"""`humpback evaluate benchmarks` with the scripted engine: tables, what is missing, and going on after a stop."""

from __future__ import annotations

import json
import sys

import harness_data as data
import pytest

from humpback.cli import app as cli
from humpback.engines.scripted import ScriptedEngine


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return data.write_public_files(tmp_path_factory.mktemp("data") / "eval")


@pytest.fixture
def benchmarks(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        words = ["humpback", "evaluate", "benchmarks", "any", "--engine", "scripted", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_all_benchmarks_of_a_folder(benchmarks, public, tmp_path):
    code, out, err = benchmarks("--data", public)
    assert code == 0, err
    assert "it/s" not in err
    found = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [line["name"] for line in found["table_5"]] == ["SIQA", "PIQA", "ARC-E", "ARC-C", "OBQA"]
    assert [line["shares"]["acc"]["count"] for line in found["table_5"]] == [2, 3, 2, 2, 1]
    assert [line["name"] for line in found["table_6"]] == ["humanities", "STEM", "social sciences", "other", "all"]
    assert [line["shares"]["acc"]["count"] for line in found["table_6"]] == [26, 38, 24, 26, 114]
    categories = {line["name"]: line["shares"]["pct_stereotype"]["count"] for line in found["table_10"]}
    assert categories == {"age": 2, "socioeconomic": 1, "all": 3}  # of other categories there is no row
    assert found["ifeval"]["following"]["prompts"] == 2
    assert found["ifeval"]["following"]["prompt_strict"]["hits"] <= 1
    assert len(found["tasks"]) == 5 + 57 + 2
    for told in ("SIQA", "social sciences", "socioeconomic", "strict", "benchmarks.json written"):
        assert told in out
    assert list(tmp_path.glob("*.work")) == []


def test_limit_and_choice(benchmarks, public, tmp_path):
    code, _, err = benchmarks("--data", public, "--tasks", "piqa, arc_easy", "--limit", 1, "--out", "few.json")
    assert code == 0, err
    found = json.loads((tmp_path / "few.json").read_text())
    assert [(line["name"], line["shares"]["acc"]["count"]) for line in found["table_5"]] == [("PIQA", 1), ("ARC-E", 1)]
    assert "table_6" not in found
    assert "ifeval" not in found


def test_what_is_not_there(benchmarks, public, tmp_path):
    code, _, err = benchmarks("--data", tmp_path / "absent")
    assert (code, "--data" in err, "no such folder" in err) == (1, True, True)
    code, _, err = benchmarks("--data", tmp_path)
    assert code == 1
    assert "holds no file of siqa (siqa*.jsonl or" in err
    code, _, err = benchmarks("--data", public, "--tasks", "piqa,hellaswag")
    assert code == 1
    assert "hellaswag: no such benchmark; choose among siqa" in err
    code, _, err = benchmarks("--data", public / "ifeval", "--tasks", "ifeval,mmlu")
    assert code == 1
    assert "holds no file of mmlu (mmlu.tar.gz or" in err
    code, out, _ = benchmarks("--data", public / "commonsense", "--out", "five.json")
    assert code == 0
    assert "nothing found of mmlu, crows_pairs, ifeval" in out


def test_a_broken_row_is_told_before_anything_is_asked(benchmarks, public, tmp_path, monkeypatch):
    folder = data.write_public_files(tmp_path / "eval")
    rows = json.loads((folder / "commonsense/ARC-Easy_test.json").read_text())
    rows[1]["answer"] = "answer7"
    (folder / "commonsense/ARC-Easy_test.json").write_text(json.dumps(rows))
    monkeypatch.setattr(ScriptedEngine, "loglikelihood", lambda *given: pytest.fail("a model was asked"))
    code, _, err = benchmarks("--data", folder)
    assert code == 1
    assert "ARC-Easy_test.json: row 2: its `answer` 'answer7' is none of answer1" in err


def test_a_stopped_run_goes_on(benchmarks, public, tmp_path, monkeypatch):
    assert benchmarks("--data", public, "--tasks", "siqa,piqa,arc_easy", "--out", "whole.json")[0] == 0
    asked = []
    real = ScriptedEngine.loglikelihood

    def some(self, requests):
        if len(asked) >= 12:
            raise KeyboardInterrupt
        asked.extend(requests)
        return real(self, requests)

    with monkeypatch.context() as patch:
        patch.setattr(ScriptedEngine, "loglikelihood", some)
        code, _, _ = benchmarks("--data", public, "--tasks", "siqa,piqa,arc_easy", "--out", "again.json")
        assert code == 130
        assert not (tmp_path / "again.json").exists()
    later = []
    monkeypatch.setattr(ScriptedEngine, "loglikelihood", lambda self, found: later.extend(found) or real(self, found))
    assert benchmarks("--data", public, "--tasks", "siqa,piqa,arc_easy", "--out", "again.json")[0] == 0
    texts = {(one.prompt, one.continuation) for one in asked}
    assert texts
    assert texts.isdisjoint((one.prompt, one.continuation) for one in later)
    assert (tmp_path / "again.json").read_text() == (tmp_path / "whole.json").read_text()


def test_a_missing_harness_is_one_message(benchmarks, public, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "lm_eval" else real(name, *rest)
    )
    code, _, err = benchmarks("--data", public, "--tasks", "piqa")
    assert code == 1
    assert 'pip install "humpback[benchmarks]"' in err
