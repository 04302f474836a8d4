"""Rewriting: what is asked, what is taken, and that the original is never lost."""

from __future__ import annotations

import pytest

from humpback.augmentation.rewriting import Rewriter, objection, rewritten_of
from humpback.config import PromptsConfig, load_config
from humpback.engines import Generation, Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.pipeline import run_pipeline
from humpback.prompts import ChatFormat, PromptContract
from humpback.prompts.rewriting import rewriting_prompt
from humpback.randomness import derived_seed
from humpback.records import Curated, Source
from humpback.workspace import RunFolder, read_rows

ASKED = "How do whales sleep?"
TEXT = (
    "In this article we look at whales. Whales sleep with one half of the brain at a time, because they must breathe "
    "at the surface. Subscribe to our letter! Sperm whales hang upright in the water while they sleep."
)
GOOD = (
    "Whales sleep with one half of the brain at a time, because they must breathe at the surface. Sperm whales hang "
    "upright in the water while they sleep."
)
PROMPTS = PromptContract(ChatFormat.plain(), PromptsConfig())


def answer(text, finish="end"):
    return Generation("r", text, finish, 9)


@pytest.mark.parametrize(
    ("text", "finish", "why"),
    [
        (GOOD, "end", None),
        (GOOD, "length", "unfinished"),
        ("Half of the brain.", "end", "length"),
        (f"{GOOD} {GOOD} {GOOD}", "end", "length"),
        ("Whales sleep at the surface of the water. " * 4, "end", "repeats_itself"),
        (
            "Los cetáceos descansan con una mitad del cerebro cada vez, porque deben respirar en la superficie del mar "
            "y no pueden dormir del todo.",
            "end",
            "language",
        ),
        (
            "Dolphins and seals rest on sandy beaches during summer nights, and farmers in Norway count them every "
            "spring with small drones and patient volunteers.",
            "end",
            "new_words",
        ),
        ("", "end", "length"),
    ],
)
def test_one_reason_for_each_objection(text, finish, why):
    assert objection(TEXT, ASKED, answer(text, finish)) == why


class Writes(ScriptedEngine):
    def __init__(self, text):
        super().__init__("writes")
        self.text, self.requests = text, []

    def generate(self, requests, sampling):
        self.requests += requests
        return [Generation(one.row_id, self.text, "end", 9) for one in requests]


def rewrite(engine, rows):
    return rewritten_of(rows, Rewriter(engine, PROMPTS, Sampling(0.7, 0.9, 64), 5, "rewritten-1")).kept


def row(number):
    return Curated(f"c{number}", ASKED, TEXT, ["Whales"], Source("file.txt"), 4.2, 1)


def test_the_original_stays_beside_its_rewriting():
    engine = Writes(f"  {GOOD}\n")
    (found,) = rewrite(engine, [row(1)])
    assert (found.output, found.original, found.not_rewritten) == (GOOD, TEXT, None)
    assert (found.instruction, found.rating, found.source) == (ASKED, 4.2, Source("file.txt"))
    (request,) = engine.requests
    assert request.prompt == rewriting_prompt(PROMPTS.chat, ASKED, TEXT)
    assert request.seed == derived_seed(5, "rewrite", "rewritten-1", "c1")


def test_what_cannot_be_taken_leaves_the_row_as_it_was():
    found = rewrite(Writes("I cannot."), [row(1), row(2)])
    assert [(one.output, one.original, one.not_rewritten) for one in found] == [(TEXT, None, "length")] * 2
    engine = Writes(GOOD)
    engine.context = 80
    (found,) = rewrite(engine, [row(1)])
    assert (found.output, found.not_rewritten) == (TEXT, "prompt_too_long")
    assert engine.requests == []


def test_a_run_trains_on_what_was_rewritten_and_keeps_both(small_inputs, monkeypatch):
    usual = ScriptedEngine.generate

    def generate(self, requests, sampling):
        if sampling.max_new_tokens == config.train.max_tokens:
            return list(map(self._rewriting, requests))
        return usual(self, requests, sampling)

    def rewriting(self, request):
        text = request.prompt.split("somebody else's words:")[1].split("Answer the request above")[0].strip()
        return Generation(request.row_id, " ".join(text.split()[2:]), "end", 9)

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    monkeypatch.setattr(ScriptedEngine, "_rewriting", rewriting, raising=False)
    config = load_config(small_inputs.config, ["curate.rewrite=true", "rounds=1"])
    run_pipeline(config)
    folder = RunFolder(config.folder)
    before = {one.id: one for one in read_rows(folder.step("curated-1").path, Curated)}
    after = {one.id: one for one in read_rows(folder.step("rewritten-1").path, Curated)}
    assert list(before) == list(after)
    facts = folder.step("rewritten-1").manifest().facts
    assert facts["rewritten"] == sum(one.original is not None for one in after.values()) > 0
    for row_id, one in after.items():
        assert (one.original or one.output) == before[row_id].output
    assert "rewritten-1" in folder.step("models/m1").manifest().depends_on["needs"]
