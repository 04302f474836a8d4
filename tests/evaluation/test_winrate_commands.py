"""The commands from prompts to the paper's table, with the scripted engine; and one clear message for bad input."""

from __future__ import annotations

import json
import sys

import pytest

from humpback.cli import app as cli
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import EngineError


@pytest.fixture
def evaluate(monkeypatch, capsys, tmp_path):
    """Runs `humpback evaluate` in this process; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    rows = [{"question_id": n, "category": "generic", "turns": [f"Question {n}?"]} for n in range(12)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", "evaluate", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return call


@pytest.fixture
def answered(evaluate, tmp_path):
    """Two files of answers."""
    for name, tags in (("base", "none"), ("mine", "both")):
        options = ("--prompts", "vicuna=questions.jsonl", "--tags", tags, "--name", name, "--engine", "scripted")
        code, out, _ = evaluate("generate", "builtin", *options, "--out", f"answers/{name}.json")
        assert code == 0
        assert f"answers/{name}.json: 12 answers of {name}" in out
    return tmp_path / "answers"


def test_from_prompts_to_the_papers_table(evaluate, answered, tmp_path):
    rows = json.loads((answered / "mine.json").read_text())
    assert {(row["generator"], row["dataset"], row["category"]) for row in rows} == {("mine", "vicuna", "generic")}
    files = answered / "base.json", answered / "mine.json"
    code, out, _ = evaluate("judge", *files, "--engine", "scripted", "--name", "j", "--out", "new/annotations.json")
    assert code == 0
    assert "12 pairs judged by j, 0 without a preference; both orders agree on" in out
    code, out, _ = evaluate("winrate", "new/annotations.json", "--breakdown")
    assert code == 0
    found = json.loads(out)
    assert (found["model"], found["baseline"], found["annotator"], found["n_total"]) == ("mine", "base", "j", 12)
    assert found["by_source"].keys() == {"vicuna"}
    (tmp_path / "w.json").write_text(out)
    code, out, _ = evaluate("leaderboard", "w.json", "--labelled", 400)
    assert code == 0
    own, paper = out.split("Win rate against ")[1:]
    assert own.startswith("base on 12 prompts, judged by j\n")
    assert "mine" in own
    assert " 400 " in own
    assert paper.startswith("text_davinci_003 on 805 prompts, judged by GPT-4\n")
    assert all(name in paper for name in ("non-distilled", "proprietary", "Humpback 65B", "3,200"))
    assert "mine" not in paper


def test_a_judge_that_goes_away_and_comes_back(evaluate, answered, monkeypatch):
    usual, calls = ScriptedEngine.choice_logprobs, []

    def choice_logprobs(self, requests, choices):
        calls.extend(requests)
        if len(calls) > 8:
            raise EngineError("engine.http: no server answers")
        return usual(self, requests, choices)

    command = ("judge", answered / "base.json", answered / "mine.json", "--engine", "scripted", "--out", "a.json")
    monkeypatch.setattr("humpback.evaluation.judging.pairwise.ASKED_AT_ONCE", 8)
    with monkeypatch.context() as patch:
        patch.setattr(ScriptedEngine, "choice_logprobs", choice_logprobs)
        code, _, err = evaluate(*command)
    assert code == 1
    assert err.count("error: ") == 1
    assert "8 answers are kept in a.json.cache.jsonl; the same command goes on from there" in err
    assert evaluate(*command)[0] == 0
    assert len(answered.parent.joinpath("a.json.cache.jsonl").read_text().splitlines()) == 24


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("generate", "builtin", "--prompts", "absent.jsonl"), "absent.jsonl: no such file"),
        (("generate", "builtin", "--prompts", "empty.jsonl"), "empty.jsonl: the file is empty"),
        (("generate", "builtin", "--prompts", "questions.jsonl", "--tags", "S_a"), "--tags: 'S_a'; choose both"),
        (("judge", "answers/base.json", "questions.jsonl"), "questions.jsonl: row 1: `instruction` is missing"),
        (("judge", "answers/base.json", "short.json"), "short.json: has no output for the prompt of row 2"),
        (("winrate", "answers/mine.json"), "no `preference`"),
        (("winrate", "absent.json"), "absent.json: no such file"),
        (("leaderboard", "answers/mine.json"), "is not what `humpback evaluate winrate` prints"),
        (("leaderboard", "x.json", "--labelled", 1, "--labelled", 2), "--labelled: given 2 times for 1 files"),
    ],
)
def test_bad_input_is_one_message(evaluate, answered, tmp_path, arguments, wrong):
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "short.json").write_text(json.dumps(json.loads((answered / "mine.json").read_text())[:1]))
    options = ("--engine", "scripted", "--out", "out.json") if arguments[0] in ("generate", "judge") else ()
    code, out, err = evaluate(*arguments, *options)
    assert (code, out) == (1, "")
    assert err.count("error: ") == 1
    assert wrong in err
    assert not (tmp_path / "out.json").exists()
