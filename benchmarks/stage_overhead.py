"""What the stages cost beside the model: prompts, tokens and Parquet, with an engine that answers at once."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.augmentation.sampling import Sampler, candidates_of, run_linter
from humpback.config import AugmentConfig, EngineConfig, PromptsConfig, RateConfig
from humpback.engines import ChoiceRequest, Choices, Generation, GenerationRequest, Sampling
from humpback.engines.scripted import ScriptedEngine
from humpback.engines.tokens import tokenise
from humpback.prompts import ChatFormat, PromptContract, cut_text
from humpback.records import Candidate, Rating, Segment, Source, content_id
from humpback.stages.rate import Rater, make_rater
from humpback.workspace import RunFolder, Shard, map_shards, read_rows, write_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROWS = 2_000
TEXT = "A whale breathes air at the surface and may stay below it for an hour, as sperm whales do. " * 17
GOAL = "<= 0.3 ms"


class Immediate(ScriptedEngine):
    """Answers at once, always the same."""

    def __init__(self) -> None:
        super().__init__("benchmark")

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        return [Generation(request.row_id, "What do whales breathe?", "end", 6) for request in requests]

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        return [Choices(request.row_id, [-1.0, -2.0, -3.0, -4.0, -5.0]) for request in requests]

    def cut(self, text: str, max_tokens: int) -> str:
        return text


class Tokenising(Immediate):
    """The same after a real tokenizer's work."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        tokenise(self._tokenizer, [request.prompt for request in requests])
        return super().generate(requests, sampling)

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        tokenise(self._tokenizer, [request.prompt for request in requests])
        return super().choice_logprobs(requests, choices)

    def cut(self, text: str, max_tokens: int) -> str:
        return cut_text(self._tokenizer, text, max_tokens)


def overheads(tokenizer: PreTrainedTokenizerBase) -> Iterator[tuple[str, str, str]]:
    """What was measured, milliseconds a row, and the goal; for segments of about 400 tokens."""
    prompts = PromptContract(ChatFormat.of(tokenizer, None), PromptsConfig())
    source = Source("https://example.org/whales")
    segments = [Segment(content_id("s", n), f"{n} {TEXT}", ["Whales"], source) for n in range(ROWS)]
    pairs = [Candidate(row.id, "How long can a whale dive?", row.text, ["Whales"], source) for row in segments]
    config = AugmentConfig()
    sampling = Sampling(config.temperature, config.top_p, config.max_new_tokens)
    linter = run_linter(prompts, config.lint)
    for name, engine in (("", Immediate()), (", tokenising included", Tokenising(tokenizer))):
        augment = partial(candidates_of, sampler=Sampler(engine, prompts, sampling, 768, 0, linter, config.resample))
        rate = partial(_rated, make_rater(engine, prompts, RateConfig(), 0, "benchmark"))
        yield f"augment stage, a row{name}", f"{_milliseconds(segments, Segment, augment, Candidate):.3f} ms", GOAL
        yield f"rate stage, a row{name}", f"{_milliseconds(pairs, Candidate, rate, Rating):.3f} ms", GOAL


def _rated(rater: Rater, rows: list[Candidate]) -> Shard:
    return Shard(rater(rows))


def _milliseconds(rows: Sequence[object], kind: type, work: Callable[..., Shard], result: type) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        source, output = run.step("source"), run.step("output")
        source.path.mkdir(parents=True)
        output.path.mkdir(parents=True)
        write_rows(source.path / "part-00000.parquet", rows, kind)
        started = time.perf_counter()
        map_shards(read_rows(source.path, kind), output, result, work, rows_per_shard=EngineConfig().rows_per_shard)
        return (time.perf_counter() - started) / len(rows) * 1e3
