"""Rating a file of pairs: one row out for every row in, and nothing left beside it."""

from __future__ import annotations

import json

import pytest

from humpback.cli import app as cli
from humpback.config import parse_config
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import HumpbackError, InputError
from humpback.pipeline import rate_pairs

ROWS = [
    '{"instruction": "How do whales sleep?", "output": "Whales rest one half of the brain.", "id": 7}',
    "no JSON",
    '{"instruction": "Say hello.", "output": ""}',
    '{"prompt": "Name a bee.", "response": "The mason bee."}',
    '{"instruction": "How do whales sleep?", "output": "Whales rest one half of the brain.", "rating": "mine"}',
    '{"something": "else"}',
]


def config_of(judge="calibrated"):
    given = {"seed": "builtin", "corpus": "none", "engine": {"kind": "scripted", "rows_per_shard": 2}}
    return parse_config(json.dumps(given | {"rate": {"judge": judge, "max_calibration_pairs": 12}}))


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(ROWS) + "\n")
    return file


def rated(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_one_row_out_for_every_row_in(pairs, tmp_path):
    out = tmp_path / "rated.jsonl"
    found = rate_pairs(pairs, out, config_of())
    rows = rated(out)
    assert [row["reason"] for row in rows] == [None, "unreadable", "empty_output", None, None, "unreadable"]
    assert rows[0]["id"] == 7 and rows[1]["text"] == "no JSON" and rows[3]["prompt"] == "Name a bee."
    assert [row["rating"] is None for row in rows] == [False, True, True, False, False, True]
    assert rows[0]["rating"] == rows[4]["rating"] == pytest.approx(1 + 4 * rows[0]["p_good"])  # ours, not the column
    assert "no_gain" in rows[0]["signals"] and rows[1]["signals"] == {}
    assert (found.rows, found.rated, found.reasons) == (6, 3, {"unreadable": 2, "empty_output": 1})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pairs.jsonl", "rated.jsonl"]


def test_the_rubric_alone(pairs, tmp_path):
    out = tmp_path / "rated.jsonl"
    rate_pairs(pairs, out, config_of("rubric"))
    assert [1 <= row["rating"] <= 5 and row["p_good"] is None for row in rated(out) if row["reason"] is None] == [
        True
    ] * 3


def test_a_stopped_rating_goes_on(pairs, tmp_path, monkeypatch):
    out, whole = tmp_path / "rated.jsonl", tmp_path / "whole.jsonl"
    usual, calls, stop_at = ScriptedEngine.loglikelihood, [], None

    def counted(self, requests):
        calls.append(len(requests))
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return usual(self, requests)

    monkeypatch.setattr(ScriptedEngine, "loglikelihood", counted)
    rate_pairs(pairs, whole, config_of())
    total, stop_at = len(calls), 20
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        rate_pairs(pairs, out, config_of())
    assert not out.exists() and (tmp_path / "rated.jsonl.work").is_dir()
    calls.clear()
    stop_at = None
    rate_pairs(pairs, out, config_of())
    assert out.read_bytes() == whole.read_bytes()
    assert len(calls) == total - 19  # what was finished is not read again


def test_no_usable_row(tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"a": 1}\n')
    with pytest.raises(InputError, match=r"none of its 1 rows is a pair; line 1: no column"):
        rate_pairs(file, tmp_path / "out.jsonl", config_of())
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"pairs\.jsonl: no such file"):
        rate_pairs(tmp_path / "pairs.jsonl", tmp_path / "out.jsonl", config_of())


def test_the_command(pairs, tmp_path, capsys):
    arguments = [str(pairs), "--out", str(tmp_path / "out.jsonl"), "--seed", "builtin", "--engine", "scripted"]
    cli.app(["rate", *arguments, "-s", "rate.max_calibration_pairs=10"], standalone_mode=False)
    assert "6 rows, 3 rated, 1 empty_output, 2 unreadable" in capsys.readouterr().out
    with pytest.raises(HumpbackError, match=r"rate\.jugde: unknown key"):
        cli.app(["rate", *arguments, "-s", "rate.jugde=rubric"], standalone_mode=False)
