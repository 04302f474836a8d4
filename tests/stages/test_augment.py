"""Sampling instructions: what is sampled again, what is dropped, and that a row depends on itself alone."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from humpback.augmentation.sampling import Sampled, Sampler, candidates_of, run_linter
from humpback.config import LintConfig, PromptsConfig, load_config
from humpback.engines import Ability, Generation, Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import EngineError
from humpback.pipeline import run_pipeline
from humpback.prompts import ChatFormat, PromptContract
from humpback.randomness import derived_seed
from humpback.records import Candidate, Dropped, DropReason, Segment, Source, content_id
from humpback.stages.augment import CHOSEN, SAMPLED, augment, limit_same
from humpback.workspace import RunFolder, Shard, dropped_rows, map_shards, read_rows

SOURCE = Source("file.txt")
SEGMENTS = [Segment(f"s{n}", f"Text number {n} about whales and how they dive.", ["Whales"], SOURCE) for n in range(40)]
GOOD = "How do whales dive?"
BAD = "The instruction is: how do whales dive?"
PROMPTS = PromptContract(ChatFormat.plain(), PromptsConfig())


class Faulty(ScriptedEngine):
    """Answers badly with a chance that depends on the request's seed alone, and notes how it was asked."""

    def __init__(self, share, bad=BAD, finish="end"):
        super().__init__("faulty")
        self.share, self.bad, self.finish = share, bad, finish
        self.calls = []

    def generate(self, requests, sampling):
        self.calls.append([(request.row_id, request.seed) for request in requests])
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        number = int(request.row_id[1:])
        if random.Random(request.seed).random() < self.share:
            return Generation(request.row_id, f"{self.bad} ({request.seed})", self.finish, 9)
        return Generation(request.row_id, f"  {GOOD} {number} {request.seed % 1000}\n", "end", 9)


def sampler(engine, resample=2, random_seed=5, **lint):
    linter = run_linter(PROMPTS, LintConfig(**lint))
    return Sampler(engine, PROMPTS, Sampling(0.7, 0.9, 16), 100, random_seed, linter, resample)


def test_a_row_that_fails_is_sampled_again_with_the_seed_of_that_attempt():
    engine = Faulty(0.5)
    shard = candidates_of(SEGMENTS, sampler(engine))
    assert len(engine.calls) == 3
    assert len(engine.calls[0]) > len(engine.calls[1]) > len(engine.calls[2]) > 0
    for attempt, asked in enumerate(engine.calls):
        assert asked == [(row, derived_seed(5, "augment", row, attempt)) for row, _ in asked]
    assert {row.attempts for row in shard.kept} == {1, 2, 3}
    assert len(shard.kept) + len(shard.dropped) == len(SEGMENTS)
    assert [row.id for row in shard.kept] == [
        content_id("candidate", f"s{row.output.split()[2]}", row.instruction) for row in shard.kept
    ]


def test_what_fails_to_the_last_has_the_last_reason_detail_and_instruction():
    shard = candidates_of(SEGMENTS[:3], sampler(Faulty(1.0)))
    assert shard.kept == []
    assert [row.id for row in shard.dropped] == ["s0", "s1", "s2"]
    for row in shard.dropped:
        assert row.reason == DropReason.LEAKED_PROMPT
        why, instruction = row.detail.split("\n")
        assert "instruction is" in why
        assert instruction == f"{BAD} ({derived_seed(5, 'augment', row.id, 2)})"
        assert row.text in {segment.text for segment in SEGMENTS}


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (Faulty(0.5, bad="How do whales", finish="length"), DropReason.UNFINISHED),
        (Faulty(0.5, bad="?!"), DropReason.TOO_FEW_WORDS),
    ],
)
def test_unfinished_and_meagre_instructions_are_sampled_again_too(engine, reason):
    shard = candidates_of(SEGMENTS, sampler(engine))
    assert {row.attempts for row in shard.kept} == {1, 2, 3}
    assert {row.reason for row in shard.dropped} == {reason}


def test_empty_instructions_are_sampled_again_even_without_the_linter():
    class Silent(Faulty):
        def _answer(self, request):
            answer = super()._answer(request)
            return answer if GOOD in answer.text else replace(answer, text=" \n?")

    shard = candidates_of(SEGMENTS, sampler(Silent(0.5), enabled=False))
    assert {row.attempts for row in shard.kept} == {1, 2, 3}
    assert {row.reason for row in shard.dropped} == {DropReason.EMPTY_INSTRUCTION}


def test_without_resampling_one_attempt_is_made():
    engine = Faulty(0.5)
    shard = candidates_of(SEGMENTS, sampler(engine, resample=0))
    assert len(engine.calls) == 1
    assert 5 < len(shard.dropped) < 35


def by_id(shards):
    return sorted((row.id, row) for shard in shards for row in [*shard.kept, *shard.dropped])


def test_a_row_does_not_depend_on_its_order_or_batch():
    whole = by_id([candidates_of(SEGMENTS, sampler(Faulty(0.5)))])
    turned = SEGMENTS[::-1]
    assert by_id([candidates_of(turned, sampler(Faulty(0.5)))]) == whole
    assert by_id([candidates_of(turned[at : at + 7], sampler(Faulty(0.5))) for at in range(0, 40, 7)]) == whole
    assert by_id([candidates_of(SEGMENTS, sampler(Faulty(0.5), random_seed=6))]) != whole


def sampled(number, instruction):
    return Sampled(
        f"c{number}", f"s{number}", instruction, f"output {number}", ["H"], SOURCE, text_cut=False, attempts=1
    )


def test_equal_instructions_over_all_parts(tmp_path):
    run = RunFolder(tmp_path)
    before, after = run.step("before"), run.step("after")
    rows = [sampled(n, "What is it?" if n % 2 else f"What is {n}?") for n in range(9, -1, -1)]
    lost = Dropped("x", DropReason.UNFINISHED, "d", "t", SOURCE)
    for step in (before, after):
        step.begin("f")
    map_shards(rows, before, Sampled, lambda shard: Shard(shard, [lost]), rows_per_shard=4)
    limit_same(before.path, after, 2)
    assert [row.id for row in read_rows(after.path, Candidate)] == ["c8", "c6", "c4", "c3", "c2", "c1", "c0"]
    gone = list(dropped_rows(after.path))
    assert [row.id for row in gone if row.reason == DropReason.SAME_INSTRUCTION] == ["c9", "c7", "c5"]
    assert [row for row in gone if row.reason == DropReason.UNFINISHED] == [lost] * 3
    everything = run.step("everything")
    everything.begin("f")
    limit_same(before.path, everything, None)
    assert len(list(read_rows(everything.path, Candidate))) == 10


def test_the_stage_counts_what_was_sampled_again_and_saved(small_inputs, monkeypatch):
    usual = ScriptedEngine.generate

    def generate(self, requests, sampling):
        answers = usual(self, requests, sampling)
        bad = [random.Random(request.seed).random() < 0.7 for request in requests]
        return [replace(answer, text=BAD) if out else answer for answer, out in zip(answers, bad, strict=True)]

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    config = load_config(small_inputs.config, ["augment.samples=1"])
    run_pipeline(config, target="candidates")
    step = RunFolder(config.folder).step("candidates")
    facts = step.manifest().facts
    kept, dropped = list(read_rows(step.path, Candidate)), list(dropped_rows(step.path))
    assert len(kept) + len(dropped) == 24
    assert facts["sampled_again"] == facts["saved"] + sum(row.reason != DropReason.SAME_INSTRUCTION for row in dropped)
    assert 0 < facts["saved"] < facts["sampled_again"] < 24
    assert not step.work(SAMPLED).path.exists()


def test_a_stage_that_was_stopped_ends_with_the_same_bytes(small_inputs, monkeypatch):
    def files(config):
        folder = config.folder / "candidates"
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.parquet")}

    whole = load_config(small_inputs.config, [f"runs_dir={small_inputs.folder / 'whole'}"])
    run_pipeline(whole, target="candidates")
    config = load_config(small_inputs.config)
    for stop_at in (2, "chosen", "same"):
        with monkeypatch.context() as patch:
            _stop(patch, stop_at)
            with pytest.raises(KeyboardInterrupt):
                run_pipeline(config, target="candidates")
    assert any(RunFolder(config.folder).step("candidates").work(SAMPLED).path.glob("part-*.parquet"))
    calls = []
    usual = ScriptedEngine.generate
    monkeypatch.setattr(ScriptedEngine, "generate", lambda *args: calls.append(1) or usual(*args))
    run_pipeline(config, target="candidates")
    assert calls == [], "what was sampled before the stop is not sampled again"
    assert files(config) == files(whole)


def _stop(patch, stop_at):
    """Stops in the second pass, or at the shard of that number of the first."""
    module = augment.__globals__
    if stop_at in ("same", "chosen"):
        patch.setitem(module, "limit_same" if stop_at == "same" else "chosen_of", _interrupted)
        return
    usual = candidates_of
    shards = []

    def counted(rows, how):
        shards.append(rows)
        if len(shards) > stop_at:
            raise KeyboardInterrupt
        return usual(rows, how)

    patch.setitem(module, "candidates_of", counted)


def _interrupted(*arguments):
    raise KeyboardInterrupt


def test_of_several_instructions_one_stays_for_each_text(small_inputs):
    config = load_config(small_inputs.config, ["augment.samples=3", "augment.lint.max_same_instruction=null"])
    run_pipeline(config, target="candidates")
    step = RunFolder(config.folder).step("candidates")
    kept, dropped = list(read_rows(step.path, Candidate)), list(dropped_rows(step.path))
    others = [row for row in dropped if row.reason == DropReason.NOT_CHOSEN]
    lost = [row for row in dropped if row.reason != DropReason.NOT_CHOSEN]
    assert step.manifest().facts["samples"] == 3
    assert len(kept) + len(lost) == 24
    assert len({row.output for row in kept}) == len(kept)
    assert len(others) > 24
    assert {row.text for row in others} <= {row.output for row in kept}
    assert not step.work(CHOSEN).path.exists()


class Mute(ScriptedEngine):
    """Gives no likelihoods."""

    abilities = frozenset({Ability.CHOICE_LOGPROBS})


def test_an_engine_without_likelihoods_samples_once_or_says_so(small_inputs, monkeypatch):
    monkeypatch.setattr("humpback.engines.scripted.ScriptedEngine", Mute)
    run_pipeline(load_config(small_inputs.config), target="candidates")
    with pytest.raises(EngineError, match=r"augment.samples: 2 needs .*set augment.samples: 1"):
        run_pipeline(load_config(small_inputs.config, ["augment.samples=2"]), target="candidates")


def test_the_linter_knows_the_runs_own_prompt(tmp_path):
    template = tmp_path / "backward.jinja"
    template.write_text("{{ output }}\nWhich words by a friend of ours may have led to the above?")
    config = PromptsConfig(backward_template=template)
    instruction = "Which words by a friend of ours may help?"
    own = run_linter(PromptContract(ChatFormat.plain(), config), LintConfig())
    assert own.judge(instruction, "A text.")[0] == DropReason.LEAKED_PROMPT
    assert run_linter(PROMPTS, LintConfig()).judge(instruction, "A text.") is None
    assert own.judge("How do whales dive? <|end|>", "A text.")[0] == DropReason.LEAKED_PROMPT
    assert re.search("control token", own.judge("How do whales dive? <|end|>", "A text.")[1])
