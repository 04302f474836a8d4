"""Answers to sets of prompts: every public form is read, a stopped run goes on, tags are those of table 8."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from humpback.config import PromptsConfig, load_config
from humpback.engines import Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import InputError
from humpback.evaluation.asking import find_model
from humpback.evaluation.generations import answer_all, read_outputs, system_prompt, tags_named, write_answers
from humpback.evaluation.prompt_sets import Prompt, read_prompt_sets
from humpback.pipeline import run_pipeline
from humpback.progress import SilentProgress
from humpback.prompts import ChatFormat, PromptContract

SHARED = os.environ.get("HUMPBACK_SHARED")
SAMPLING = Sampling(0.7, 0.9, 40)


def read_prompts(file):
    return read_prompt_sets([str(file)])


def table(folder, rows, name="prompts"):
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"instruction": "Why?", "dataset": "koala"}, "Why?"),
        ({"instruction": "Shorten it.", "input": " A long text. "}, "Shorten it.\n\nA long text."),
        ({"question_id": 1, "category": "generic", "turns": ["First?", "Second?"]}, "First?"),
        ({"id": "koala_0", "prompt": "List films."}, "List films."),
        ({"instruction": "Rewrite.", "instances": [{"input": "Some text", "output": "o"}]}, "Rewrite.\n\nSome text"),
    ],
)
def test_requests_of_every_form(tmp_path, row, text):
    (prompt,) = read_prompts(table(tmp_path, [row]))
    assert prompt.instruction == text
    assert (prompt.dataset, prompt.category) == (row.get("dataset", "prompts"), row.get("category", ""))


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([{"prompt": "a"}, {"title": "b"}], "line 2: no request; it needs one of instruction, prompt"),
        ([{"prompt": "a"}, {"prompt": " "}], "line 2: no request"),
        ([{"prompt": "a"}, {"prompt": "b"}, {"prompt": "a"}], "line 3: the same request as in .*: line 1; keep one"),
        ([], "the file is empty"),
    ],
)
def test_files_without_requests_are_refused(tmp_path, rows, wrong):
    with pytest.raises(InputError, match=wrong):
        read_prompts(table(tmp_path, rows))


def test_several_sets_are_named_after_their_files_or_as_told(tmp_path):
    one, two = table(tmp_path, [{"prompt": "a"}, {"prompt": "b"}], "one"), table(tmp_path, [{"prompt": "c"}], "two")
    found = read_prompt_sets([str(one), f"Vicuna={two}"])
    assert [(prompt.instruction, prompt.dataset) for prompt in found] == [("a", "one"), ("b", "one"), ("c", "Vicuna")]
    with pytest.raises(InputError, match=r"again.jsonl: line 1: the same request as in .*one.jsonl: line 2; keep one"):
        read_prompt_sets([str(one), str(table(tmp_path, [{"prompt": "b"}], "again"))])
    with pytest.raises(InputError, match=r"absent\.json: no such file"):
        read_prompt_sets(["Koala=absent.json"])


@pytest.mark.skipif(SHARED is None, reason="HUMPBACK_SHARED names no folder with public prompt sets")
def test_public_sets_are_asked_as_alpaca_eval_asks_them():
    folder = Path(str(SHARED)) / "data" / "eval"
    asked = {prompt.instruction: prompt.dataset for prompt in read_prompts(folder / "alpaca_eval" / "gpt4.json.gz")}
    for name, dataset, shared in (
        ("fastchat/vicuna_bench_question.jsonl", "vicuna", 80),
        ("self-instruct-user/user_oriented_instructions.jsonl", "selfinstruct", 252),
        ("koala/koala_test_set.jsonl", "koala", 144),
    ):
        found = [asked[prompt.instruction] for prompt in read_prompts(folder / name) if prompt.instruction in asked]
        assert found == [dataset] * shared


def test_what_does_not_fit_is_said_before_anything_is_generated(tmp_path, monkeypatch):
    model = find_model("m", ["engine.kind=scripted"])
    long = Prompt("p-2", " ".join(["word"] * 400), "d", "")
    monkeypatch.setattr(ScriptedEngine, "context", 200)
    short, cut = answer_all(model, [Prompt("p-1", "Why?", "d", ""), long], "both", SAMPLING, tmp_path, SilentProgress())
    assert (short.instruction_cut, cut.instruction_cut) == (False, True)
    assert cut.instruction == long.instruction
    monkeypatch.setattr(ScriptedEngine, "context", 60)
    monkeypatch.setattr(ScriptedEngine, "generate", lambda *_: pytest.fail("asked"))
    with pytest.raises(InputError, match="its context of 60 tokens has no room for the prompt 'word word"):
        answer_all(model, [long], "both", SAMPLING, tmp_path / "other", SilentProgress())


def test_what_was_answered_is_not_asked_again(tmp_path, monkeypatch):
    prompts = read_prompts(table(tmp_path, [{"prompt": f"Question {n}?"} for n in range(10)]))
    model = find_model("m", ["engine.kind=scripted", "engine.rows_per_shard=3"])
    whole = answer_all(model, prompts, "both", SAMPLING, tmp_path / "whole", SilentProgress())
    usual, calls = ScriptedEngine.generate, []

    def generate(self, requests, sampling):
        calls.extend(request.row_id for request in requests)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return usual(self, requests, sampling)

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    with pytest.raises(KeyboardInterrupt):
        answer_all(model, prompts, "both", SAMPLING, tmp_path / "work", SilentProgress())
    again = answer_all(model, prompts, "both", SAMPLING, tmp_path / "work", SilentProgress())
    assert again == whole
    assert len(calls) == 10 + 3, "only the shard that was stopped in"
    other = answer_all(model, prompts, "none", SAMPLING, tmp_path / "work", SilentProgress())
    assert other != whole, "answers under another tag are not those that are there"


def test_the_file_is_what_alpaca_eval_takes(tmp_path):
    prompts = read_prompts(table(tmp_path, [{"prompt": f"Question {n}?"} for n in range(4)]))
    model = find_model("m", ["engine.kind=scripted"], "mine")
    answers = answer_all(model, prompts, "both", SAMPLING, tmp_path / "out.json.work", SilentProgress())
    write_answers(tmp_path / "out.json", answers, model.name)
    rows = read_outputs(tmp_path / "out.json")
    assert [row["instruction"] for row in rows] == [prompt.instruction for prompt in prompts]
    assert {row["generator"] for row in rows} == {"mine"}
    assert not (tmp_path / "out.json.work").exists()


def test_tags_are_those_of_table_8():
    prompts = PromptContract(ChatFormat.plain(), PromptsConfig(seed_tag="One.", web_tag="Two."))
    found = [system_prompt(prompts, tags_named(name)) for name in ("both", "assistant", "web", "none")]
    assert found == ["One. Two.", "One.", "Two.", ""]
    with pytest.raises(InputError, match="--tags: 'all'; choose both, assistant, web, none"):
        tags_named("all")


def test_a_runs_model_is_asked_with_its_runs_prompts(small_inputs):
    config = load_config(small_inputs.config, ["prompts.seed_tag=Special.", "rounds=1"])
    run_pipeline(config, target="models/m1")
    last = find_model(str(config.folder))
    assert (last.folder.name, last.prompts.config.seed_tag) == ("m1", "Special.")
    first = find_model(str(config.folder / "models" / "m0"))
    assert (first.folder.name, first.name) == ("m0", f"{config.name}-m0")
    with pytest.raises(InputError, match="m7: is not finished; `humpback run` makes it"):
        find_model(str(config.folder / "models" / "m7"))


def test_a_name_is_no_model_of_the_run_that_one_stands_in(small_inputs, monkeypatch):
    config = load_config(small_inputs.config, ["rounds=1"])
    run_pipeline(config, target="models/m1")
    monkeypatch.chdir(config.folder)
    assert find_model("builtin", ["engine.kind=scripted"]).name == "builtin"
    assert find_model(".").folder.name == "m1"
    assert find_model("models/m0").folder.name == "m0"


def test_a_served_model_is_called_as_its_server_calls_it(tiny_model):
    url = ["engine.kind=http", "engine.http.url=http://127.0.0.1:9/v1"]
    one = find_model(str(tiny_model), [*url, "engine.http.model=large"])
    other = find_model(str(tiny_model), url)
    assert (one.name, other.name) == ("large", tiny_model.name)
    assert one.identity != other.identity
