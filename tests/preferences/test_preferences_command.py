"""`humpback preferences` and `humpback dpo` as they are typed."""

from __future__ import annotations

import json
import sys

import pytest

from humpback.cli import app as cli


@pytest.fixture
def humpback(monkeypatch, capsys, tmp_path):
    """Runs the command in this process; returns its exit code, what it printed, and its errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "5000")

    def call(*arguments: object) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, [line for line in printed.err.splitlines() if line.startswith("error: ")]

    return call


def test_from_a_run_to_a_tuned_model_that_can_be_asked(humpback, small_inputs, tmp_path):
    run = small_inputs.folder / "runs/small"
    assert humpback("run", small_inputs.config)[0] == 0
    code, out, errors = humpback("preferences", run, "--out", "pairs.jsonl", "--include-seed", "--samples", "3")
    assert (code, errors) == (0, [])
    pairs = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert out.startswith(f"pairs.jsonl: {len(pairs)} pairs from ")
    assert f"Next: humpback dpo {run} pairs.jsonl --out {run}/models/dpo" in out
    code, out, errors = humpback("dpo", run, "pairs.jsonl", "--out", run / "models/dpo", "--steps", "2")
    assert (code, errors) == (0, [])
    assert f"models/dpo: tuned on {len(pairs)} pairs, 2 steps" in out
    (tmp_path / "prompts.jsonl").write_text('{"instruction": "What about silver windows in the garden?"}\n')
    asked = ("evaluate", "generate", run / "models/dpo", "--prompts", "prompts.jsonl", "--out", "answers.json")
    code, out, errors = humpback(*asked)
    assert (code, errors) == (0, [])
    assert "answers of small-dpo" in out
    assert humpback("run", small_inputs.config)[1].startswith("Nothing to do"), "the run is what it was"


def test_wrong_input_is_one_message(humpback, small_inputs, tmp_path):
    run = small_inputs.folder / "runs/small"
    humpback("ingest", small_inputs.config)
    (tmp_path / "foreign.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    (tmp_path / "empty.jsonl").touch()
    for arguments, told in (
        (("preferences", run, "--out", "p.jsonl"), "models/m2: is not finished; `humpback run` makes it"),
        (("preferences", "absent", "--out", "p.jsonl"), "absent: is no run's folder"),
        (("dpo", run, "foreign.jsonl", "--out", "m"), "models/m2: is not finished"),
        (("dpo", "absent", "foreign.jsonl", "--out", "m"), "absent: is no run's folder"),
    ):
        code, out, errors = humpback(*arguments)
        assert (code, out, len(errors)) == (1, "", 1)
        assert told in errors[0]
    humpback("run", small_inputs.config)
    for file, told in (
        ("foreign.jsonl", "foreign.jsonl: line 1: is no preference pair"),
        ("empty.jsonl", "empty.jsonl: holds no pair"),
        ("absent.jsonl", "absent.jsonl: no such file"),
    ):
        code, out, errors = humpback("dpo", run, file, "--out", "m")
        assert (code, out, len(errors)) == (1, "", 1)
        assert told in errors[0]
    assert not (tmp_path / "m").exists()
