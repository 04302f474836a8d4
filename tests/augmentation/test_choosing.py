"""Several instructions a text: draws of their own, no two alike, and one of them chosen by hand-made numbers."""

from __future__ import annotations

from math import log

import pytest

from humpback.augmentation.choosing import FORWARD_WEIGHT, Chooser, Lengths, chosen_of
from humpback.augmentation.sampling import Sampled, Sampler, candidates_of, run_linter
from humpback.config import LintConfig, PromptsConfig
from humpback.engines import Generation, Likelihood, Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.prompts import ChatFormat, PromptContract
from humpback.randomness import derived_seed
from humpback.records import DropReason, Segment, Source

SOURCE = Source("file.txt")
PROMPTS = PromptContract(ChatFormat.plain(), PromptsConfig())
USUAL = Lengths.of(["How do whales dive?", "Where do whales sleep at night?"])
SEGMENTS = [Segment(f"s{n}", f"Text number {n} about whales.", ["Whales"], SOURCE) for n in range(6)]


class Told(ScriptedEngine):
    """Says what it was told to say by the request's seed, and gives the likelihoods that stand in a table."""

    def __init__(self, answers=None, likelihoods=None):
        super().__init__("told")
        self.answers, self.likelihoods, self.asked = answers, likelihoods or {}, []

    def generate(self, requests, sampling):
        return [Generation(one.row_id, self.answers(one), "end", 5) for one in requests]

    def loglikelihood(self, requests):
        self.asked += requests
        return [Likelihood(one.row_id, [self.likelihoods.get(one.row_id, -1.0)] * 4) for one in requests]


def sampler(engine, samples=3, resample=1):
    linter = run_linter(PROMPTS, LintConfig())
    return Sampler(engine, PROMPTS, Sampling(0.7, 0.9, 16), 100, 5, linter, resample, samples)


def sample(number, instruction, likelihood, segment="s1"):
    return Sampled(f"c{number}", segment, instruction, "The text.", ["H"], SOURCE, False, 1, likelihood)


def test_every_sample_of_every_attempt_has_a_seed_of_its_own():
    seeds = []

    def answers(request):
        seeds.append(request.seed)
        return "The instruction is: how do whales dive?"

    shard = candidates_of(SEGMENTS[:1], sampler(Told(answers)))
    assert len(set(seeds)) == len(seeds) == 6
    assert [seeds[0], seeds[3]] == [derived_seed(5, "augment", "s0", attempt) for attempt in (0, 1)]
    assert [(row.id, row.reason) for row in shard.dropped] == [("s0", DropReason.LEAKED_PROMPT)]


def test_equal_instructions_are_one_and_a_single_one_needs_no_likelihood():
    engine = Told(lambda request: "How do whales dive?" if request.seed % 2 else "how do WHALES dive")
    shard = candidates_of(SEGMENTS, sampler(engine))
    assert len(shard.kept) == len(SEGMENTS)
    assert {row.likelihood for row in shard.kept} == {None}
    assert engine.asked == []


def test_different_instructions_stay_in_the_order_of_their_samples_with_likelihoods():
    engine = Told(lambda request: f"How do whales dive to {request.seed % 1000} metres?")
    shard = candidates_of(SEGMENTS, sampler(engine))
    seeds = [derived_seed(5, "augment", "s0", 0, *others) for others in ((), (1,), (2,))]
    first = [row.instruction for row in shard.kept if row.segment == "s0"]
    assert first == [f"How do whales dive to {seed % 1000} metres?" for seed in seeds]
    assert {row.likelihood for row in shard.kept} == {-1.0}
    assert {one.prompt for one in engine.asked} == {PROMPTS.backward(segment.text) for segment in SEGMENTS}
    whole = {row.id for row in shard.kept}
    alone = {row.id for one in SEGMENTS for row in candidates_of([one], sampler(engine)).kept}
    assert alone == whole


def test_lengths_are_logarithms_of_words():
    lengths = Lengths.of(["one two three", "one two three four five six seven"])
    assert lengths.mean == pytest.approx((log(4) + log(8)) / 2)
    assert lengths.spread == pytest.approx((log(8) - log(4)) / 2)
    assert lengths.log_density("one two three") == pytest.approx(-0.5)
    assert Lengths.of(["same length"] * 3).spread == 0.1


@pytest.mark.parametrize(
    ("backward", "forward", "best"),
    [
        ((-1.0, -2.0), (-3.0, -3.0), "c1"),
        ((-2.0, -1.0), (-3.0, -3.0), "c2"),
        ((-1.0, -2.0), (-3.0, -3.0 + 1.1 / FORWARD_WEIGHT), "c2"),
        ((-1.0, -2.0), (-3.0, -3.0 + 0.9 / FORWARD_WEIGHT), "c1"),
    ],
)
def test_both_directions_are_weighed(backward, forward, best):
    rows = [sample(1, "How do whales dive?", backward[0]), sample(2, "Why do whales dive?", backward[1])]
    engine = Told(likelihoods={"c1": forward[0], "c2": forward[1]})
    shard = chosen_of(rows, Chooser(engine, PROMPTS, USUAL))
    assert [row.id for row in shard.kept] == [best]
    (other,) = shard.dropped
    assert other.reason == DropReason.NOT_CHOSEN
    assert {best, other.id} == {"c1", "c2"}
    assert other.detail.startswith("another fits better by ")
    assert {one.continuation for one in engine.asked} == {PROMPTS.answer("The text.")}


def test_a_title_loses_to_a_question_of_the_usual_length():
    rows = [sample(1, "Whales", -1.0), sample(2, "How do whales dive so deep?", -1.5)]
    shard = chosen_of(rows, Chooser(Told(), PROMPTS, USUAL))
    assert [row.id for row in shard.kept] == ["c2"]


def test_texts_with_one_instruction_are_not_asked_about_and_order_is_kept():
    rows = [sample(1, "What?", None, "s1"), sample(2, "How?", -1, "s2"), sample(3, "Why so?", -1, "s2")]
    engine = Told()
    shard = chosen_of(rows, Chooser(engine, PROMPTS, USUAL))
    assert [row.segment for row in shard.kept] == ["s1", "s2"]
    assert {one.row_id for one in engine.asked} == {"c2", "c3"}


def test_where_the_text_does_not_fit_the_backward_model_decides_alone():
    engine = Told(likelihoods={"c1": -9.0})
    engine.context = 30
    rows = [sample(1, "How do whales dive?", -1.0), sample(2, "why " * 200, -1.0)]
    assert [row.id for row in chosen_of(rows, Chooser(engine, PROMPTS, USUAL)).kept] == ["c1"]
