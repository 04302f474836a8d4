"""Samples several instructions a segment; what the linter throws out is sampled again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from humpback.config import LintConfig
from humpback.engines import Engine, Generation, GenerationRequest, LikelihoodRequest, Sampling
from humpback.lint import Linter
from humpback.lint.same import normalised
from humpback.prompts import BACKWARD_SYSTEM, PromptContract
from humpback.prompts.contract import load_templates
from humpback.randomness import derived_seed
from humpback.records import Candidate, Dropped, DropReason, Segment, Source, content_id
from humpback.workspace import Shard


@dataclass(frozen=True, slots=True)
class Sampled:
    """A candidate of segment `segment`, and how many instructions were sampled for it; the last one stayed.

    `likelihood` is the mean log-probability, in nats, that the backward model gives a token of the instruction; None
    where the segment has no other candidate.
    """

    id: str
    segment: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    text_cut: bool
    attempts: int
    likelihood: float | None = None

    def candidate(self) -> Candidate:
        """The candidate alone."""
        return Candidate(self.id, self.instruction, self.output, self.headers, self.source, self.text_cut)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How instructions are sampled: everything that a row's result depends on beside the row.

    A text is cut to `max_text_tokens` and asked about `samples` times. An instruction that the linter throws out is
    sampled again, `resample` times at most.
    """

    engine: Engine
    prompts: PromptContract
    sampling: Sampling
    max_text_tokens: int
    random_seed: int
    linter: Linter
    resample: int
    samples: int = 1


def run_linter(prompts: PromptContract, config: LintConfig) -> Linter:
    """The linter that knows the run's prompts and its model's control tokens."""
    return Linter(config, [*load_templates(prompts.config).values(), BACKWARD_SYSTEM], prompts.chat.special_tokens)


def candidates_of(segments: list[Segment], sampler: Sampler) -> Shard:
    """The candidates of some segments: a pure function of its arguments, each segment's result of itself alone.

    A segment's candidates have different instructions. One that has none is dropped, for the reason of its first.
    """
    texts = [sampler.engine.cut(segment.text, sampler.max_text_tokens) for segment in segments]
    results: dict[tuple[int, int], Sampled | Dropped] = {}
    waiting = [(row, sample) for row in range(len(segments)) for sample in range(sampler.samples)]
    for attempt in range(sampler.resample + 1):
        requests = [_request(segments[row], texts[row], sample, attempt, sampler) for row, sample in waiting]
        answers = sampler.engine.generate(requests, sampler.sampling)
        for (row, sample), answer in zip(waiting, answers, strict=True):
            is_cut = len(texts[row]) < len(segments[row].text)
            results[row, sample] = _result(segments[row], answer, is_cut, attempt + 1, sampler.linter)
        waiting = [key for key in waiting if isinstance(results[key], Dropped)]
        if not waiting:
            break
    found = [
        _different([one for sample in range(sampler.samples) if isinstance(one := results[row, sample], Sampled)])
        for row in range(len(segments))
    ]
    dropped = [
        first for row, several in enumerate(found) if not several and isinstance(first := results[row, 0], Dropped)
    ]
    return Shard(_with_likelihoods(found, texts, sampler), dropped)


def _request(segment: Segment, text: str, sample: int, attempt: int, sampler: Sampler) -> GenerationRequest:
    others = (sample,) if sample else ()
    seed = derived_seed(sampler.random_seed, "augment", segment.id, attempt, *others)
    return GenerationRequest(segment.id, sampler.prompts.backward(text), seed)


def _result(segment: Segment, answer: Generation, is_cut: bool, attempts: int, linter: Linter) -> Sampled | Dropped:
    instruction = answer.text.strip()
    found = (
        (DropReason.UNFINISHED, f"had not ended after {answer.tokens} tokens")
        if answer.finish == "length"
        else linter.judge(instruction, segment.text, segment.headers)
    )
    if found is None:
        row_id = content_id("candidate", segment.id, instruction)
        return Sampled(row_id, segment.id, instruction, segment.text, segment.headers, segment.source, is_cut, attempts)
    reason, why = found
    return Dropped(segment.id, reason, f"{why}\n{instruction}", segment.text, segment.source)


def _different(found: Sequence[Sampled]) -> list[Sampled]:
    """The first of each instruction, whatever its case and signs."""
    return list({normalised(one.instruction): one for one in reversed(found)}.values())[::-1]


def _with_likelihoods(found: Sequence[Sequence[Sampled]], texts: Sequence[str], sampler: Sampler) -> list[Sampled]:
    """All candidates in order, those of texts with several with their likelihoods."""
    requests = [
        LikelihoodRequest(one.id, sampler.prompts.backward(text), sampler.prompts.answer(one.instruction))
        for several, text in zip(found, texts, strict=True)
        for one in several
        if len(several) > 1
    ]
    answers = sampler.engine.loglikelihood(requests) if requests else []
    likelihoods = {answer.row_id: answer.logprob / max(1, answer.tokens) for answer in answers}
    return [replace(one, likelihood=likelihoods.get(one.id)) for several in found for one in several]
