"""Pairs from a finished run: what is asked and rated, by whom, and what a stop leaves."""

from __future__ import annotations

import json
import shutil

import pytest

from humpback.config import PromptsConfig, load_config
from humpback.engines import Generation, Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import EngineError, InputError, NothingLeftError, WorkspaceError
from humpback.pipeline import run_pipeline
from humpback.preferences import Wanted, make_preferences
from humpback.preferences.answers import Sampler, answers_to
from humpback.preferences.material import Asked, model_asked_by
from humpback.preferences.messages import answer_message, answer_of, instruction_of, prompt_messages
from humpback.prompts import ChatFormat, PromptContract
from humpback.records import Curated, DropReason, Example, Rating, Source
from humpback.workspace import Manifest, read_rows

CALIBRATED = ["rate.judge=calibrated", "rate.unfit=warn", "ingest.calibration_fraction=0.5"]
WANTED = Wanted(margin=0.1)


def finished_run(config_file, *overrides):
    config = load_config(config_file, overrides)
    run_pipeline(config, target="curate")
    run_pipeline(config, target="models/m2")
    return config.folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, write_inputs_to):
    """Finished runs with the scripted engine: one with a calibrated judge, one with the rubric."""
    inputs = write_inputs_to(tmp_path_factory.mktemp("preferences") / "inputs")
    return {
        "calibrated": finished_run(inputs.config, *CALIBRATED, "name=calibrated"),
        "rubric": finished_run(inputs.config, "name=rubric"),
    }


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["calibrated", "rubric"])
def test_the_file_is_in_trls_conversational_format(runs, tmp_path, kind):
    from trl import is_conversational

    out = tmp_path / "pairs.jsonl"
    made = make_preferences(runs[kind], out, WANTED)
    rows = lines(out)
    curated = {row.id: row for row in read_rows(runs[kind] / "curated-2", Curated)}
    assert made.instructions == len(curated)
    assert made.pairs == len(rows) == len(curated) - sum(made.no_pair.values()) > 0
    for row in rows:
        source = curated[row["id"]]
        assert is_conversational(row)
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
        assert row["prompt"][1]["content"] == source.instruction
        assert row["source"]["uri"] == source.source.uri
        assert row["chosen_rating"] - row["rejected_rating"] >= 0.1
        assert row["chosen_is_document"] == (row["chosen"][0]["content"] == source.output)
        assert row["rejected_is_document"] == (row["rejected"][0]["content"] == source.output)
    assert made.documents_chosen == sum(row["chosen_is_document"] for row in rows)
    assert made.documents_rejected == sum(row["rejected_is_document"] for row in rows)
    assert made.answers + sum(made.set_aside.values()) == 4 * made.instructions


def test_the_best_and_the_worst_of_all_that_were_rated_are_taken(runs, tmp_path):
    out = tmp_path / "pairs.jsonl"
    make_preferences(runs["rubric"], out, WANTED)
    ratings = list(read_rows(out.with_name("pairs.jsonl.work") / "ratings", Rating))
    for row in lines(out):
        found = [one.rating for one in ratings if one.candidate_id.partition("/")[0] == row["id"]]
        assert (max(found), min(found)) == (row["chosen_rating"], row["rejected_rating"])


def test_documents_can_be_left_out_and_the_seed_taken_in(runs, tmp_path):
    run = runs["calibrated"]
    without = make_preferences(run, tmp_path / "a.jsonl", Wanted(margin=0.1, documents=False))
    assert without.documents_chosen == without.documents_rejected == 0
    assert not any(row["chosen_is_document"] or row["rejected_is_document"] for row in lines(tmp_path / "a.jsonl"))
    both = make_preferences(run, tmp_path / "b.jsonl", WANTED, with_seed=True)
    seed = {row.id: row for row in read_rows(run / "seed", Example)}
    assert both.instructions == without.instructions + len(seed)
    humans = [row for row in lines(tmp_path / "b.jsonl") if row["id"] in seed and row["chosen_is_document"]]
    assert humans
    assert all(row["chosen"][0]["content"] == seed[row["id"]].output for row in humans)
    few = make_preferences(run, tmp_path / "c.jsonl", WANTED, limit=3)
    assert few.instructions == 3
    assert {row["id"] for row in lines(tmp_path / "c.jsonl")} <= {row["id"] for row in lines(tmp_path / "b.jsonl")}


def test_the_last_model_answers_and_the_one_before_rates(runs, tmp_path, monkeypatch):
    asked: dict[str, set[str]] = {"generate": set(), "loglikelihood": set(), "choice_logprobs": set()}
    samplings = set()

    def spy(name):
        usual = getattr(ScriptedEngine, name)

        def spied(self, requests, *rest):
            asked[name].add(self.identity)
            samplings.update(one for one in rest if isinstance(one, Sampling))
            return usual(self, requests, *rest)

        monkeypatch.setattr(ScriptedEngine, name, spied)

    for name in asked:
        spy(name)
    identity = {
        (kind, model): ScriptedEngine.of(runs[kind] / "models" / model).identity
        for kind in runs
        for model in ("m1", "m2")
    }
    make_preferences(runs["calibrated"], tmp_path / "a.jsonl", WANTED)
    assert asked["generate"] == {identity["calibrated", "m2"]}
    assert asked["loglikelihood"] == {identity["calibrated", "m1"]}
    assert samplings == {Sampling(0.7, 0.9, 512)}, "as the paper samples"
    make_preferences(runs["rubric"], tmp_path / "b.jsonl", WANTED)
    assert asked["choice_logprobs"] == {identity["rubric", "m1"]}


def test_a_round_that_was_carried_over_has_an_earlier_judge():
    def manifest(**facts):
        return Manifest("judge-4", "f", {}, 0, {}, 0.0, facts)

    assert model_asked_by("judge-4", manifest()) == "models/m3"
    assert model_asked_by("judge-4", manifest(carried_over="judge-2")) == "models/m1"


def stopped_at(monkeypatch, name, call):
    """Stops the scripted engine at a call of a method, once; counts the calls."""
    usual, calls = getattr(ScriptedEngine, name), []

    def method(self, *arguments):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return usual(self, *arguments)

    monkeypatch.setattr(ScriptedEngine, name, method)
    return calls


@pytest.mark.parametrize(("method", "call"), [("generate", 2), ("loglikelihood", 4)])
def test_a_stopped_call_goes_on_and_ends_with_the_same_bytes(runs, tmp_path, monkeypatch, method, call):
    make_preferences(runs["calibrated"], tmp_path / "whole.jsonl", WANTED)
    whole = len(list((tmp_path / "whole.jsonl.work").rglob("part-*.parquet")))
    calls = stopped_at(monkeypatch, method, call)
    with pytest.raises(KeyboardInterrupt):
        make_preferences(runs["calibrated"], tmp_path / "pairs.jsonl", WANTED)
    assert not (tmp_path / "pairs.jsonl").exists()
    there = len(list((tmp_path / "pairs.jsonl.work").rglob("part-*.parquet")))
    assert 0 < there < whole
    make_preferences(runs["calibrated"], tmp_path / "pairs.jsonl", WANTED)
    assert (tmp_path / "pairs.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    done = len(calls)
    make_preferences(runs["calibrated"], tmp_path / "pairs.jsonl", Wanted(margin=0.2))
    assert len(calls) == done, "another margin asks no model again"
    make_preferences(runs["calibrated"], tmp_path / "pairs.jsonl", Wanted(samples=3, margin=0.1))
    assert len(calls) > done, "answers of another kind are not those that are there"


def test_no_pair_at_all_is_told_with_the_reasons(runs, tmp_path):
    with pytest.raises(
        NothingLeftError, match=r"none of \d+ instructions gave a pair \(\d+ too_close.*smaller --margin"
    ):
        make_preferences(runs["rubric"], tmp_path / "pairs.jsonl", Wanted(margin=4.5))
    assert not (tmp_path / "pairs.jsonl").exists()


def test_what_cannot_be_used_is_told(runs, small_inputs, tmp_path, monkeypatch):
    out = tmp_path / "pairs.jsonl"
    with pytest.raises(WorkspaceError, match=r"is no run's folder"):
        make_preferences(tmp_path, out, WANTED)
    with pytest.raises(InputError, match=r"--samples 2 or more"):
        make_preferences(runs["rubric"], out, Wanted(samples=1, documents=False))
    with pytest.raises(InputError, match=r"is a folder; give --out a file"):
        make_preferences(runs["rubric"], tmp_path, WANTED)
    config = load_config(small_inputs.config)
    run_pipeline(config, target="models/m1")
    with pytest.raises(InputError, match=r"models/m2: is not finished; `humpback run` makes it"):
        make_preferences(config.folder, out, WANTED)
    broken = shutil.copytree(runs["calibrated"], tmp_path / "broken")
    (broken / "judge-2/judge.json").unlink()
    with pytest.raises(InputError, match=r"judge-2: is not finished"):
        make_preferences(broken, out, WANTED)
    calls = stopped_at(monkeypatch, "generate", 1)
    monkeypatch.setattr(ScriptedEngine, "abilities", frozenset())
    for kind in runs:
        with pytest.raises(EngineError, match=r"rate\.(judge|method): \w+ needs"):
            make_preferences(runs[kind], out, WANTED)
    assert not calls, "it is known before the first answer"
    assert not out.exists()


class Said:
    """An engine that gives prepared answers."""

    context = 60

    def __init__(self, *answers: tuple[str, str]) -> None:
        self.answers = answers
        self.requests = []

    def count(self, text):
        return len(text.split())

    def cut(self, text, max_tokens):
        return " ".join(text.split()[:max_tokens])

    def generate(self, requests, sampling):
        self.requests += requests
        return [Generation(r.row_id, text, end, 1) for r, (text, end) in zip(requests, self.answers, strict=True)]


def test_only_different_answers_that_ended_contend():
    prompts = PromptContract(ChatFormat.plain(), PromptsConfig())
    engine = Said(("one", "end"), (" one ", "end"), ("two", "length"), (" ", "end"), ("three", "end"))
    rows = [Asked("a", "Count.", "", Source("u")), Asked("b", "word " * 80, "", Source("u"))]
    found = answers_to(rows, Sampler(engine, prompts, Sampling(0.7, 0.9, 4), 5, 0))
    assert [(one.id, one.row_id, one.output) for one in found.kept] == [("a/1", "a", "one"), ("a/5", "a", "three")]
    assert [(one.id, one.reason) for one in found.dropped] == [
        ("b", DropReason.TOO_LONG),
        ("a/2", DropReason.DUPLICATE),
        ("a/3", DropReason.UNFINISHED),
        ("a/4", DropReason.EMPTY_OUTPUT),
    ]
    assert {request.prompt for request in engine.requests} == {prompts.forward("Count.", prompts.inference_tag)}
    assert len({request.seed for request in engine.requests}) == 5


def test_a_document_that_an_answer_repeats_does_not_compete(runs, tmp_path, monkeypatch):
    """Ratings drawn by chance could otherwise make a pair of twice the same text, which no tuning takes."""
    run = runs["calibrated"]
    texts = {row.instruction: row.output for row in read_rows(run / "curated-2", Curated)}

    def generate(self, requests, sampling):
        said = [next(text for asked, text in texts.items() if asked in one.prompt) for one in requests]
        return [
            Generation(one.row_id, text if one.row_id.endswith("/1") else f"{text} And so on.", "end", 1)
            for one, text in zip(requests, said, strict=True)
        ]

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    out = tmp_path / "pairs.jsonl"
    made = make_preferences(run, out, Wanted(samples=2, margin=0.0))
    assert made.answers == 2 * made.instructions
    rated = [one.candidate_id for one in read_rows(tmp_path / "pairs.jsonl.work/ratings", Rating)]
    assert sorted(rated) == sorted(f"{row.id}/{n}" for row in read_rows(run / "curated-2", Curated) for n in (1, 2))


def test_without_a_pair_the_advice_goes_by_the_reasons(runs, tmp_path, monkeypatch):
    def generate(self, requests, sampling):
        return [Generation(one.row_id, "and so on", "length", 3) for one in requests]

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    told = r"\(\d+ too_few; sampled answers set aside: \d+ unfinished\); give more --max-new-tokens than 512 or"
    with pytest.raises(NothingLeftError, match=told):
        make_preferences(runs["rubric"], tmp_path / "pairs.jsonl", WANTED)


@pytest.mark.parametrize("takes_system", [True, False])
def test_messages_are_the_prompt_and_lead_back_to_the_instruction(takes_system):
    from dataclasses import replace

    chat = replace(ChatFormat.plain(), takes_system=takes_system)
    prompts = PromptContract(chat, PromptsConfig())
    for instruction in ("Why?", "Two\n\nparts", "  spaces "):
        messages = prompt_messages(prompts, instruction)
        assert chat.conversation("", messages) == prompts.forward(instruction, prompts.inference_tag)
        assert instruction_of(prompts, messages) == instruction
    other = PromptContract(chat, PromptsConfig(seed_tag="Other."))
    assert instruction_of(other, prompt_messages(prompts, "Why?")) is None
    for wrong in (None, "Why?", [], ["Why?"], [{"role": "user"}], [{"role": "user", "content": "Why?"}]):
        assert instruction_of(prompts, wrong) is None
    assert answer_of(answer_message("It is.")) == "It is."
    for wrong in ("It is.", [], [{"role": "user", "content": "It is."}], answer_message(" "), answer_message("a") * 2):
        assert answer_of(wrong) is None
