"""How fast the transformers engine rates and writes, as ratios to the same model driven bare in the same run.

    python benchmarks/engines.py --pairs 24 [--model FOLDER] [--distilabel PYTHON]

Prints a Markdown table. Pairs are pieces of the installed packages' descriptions under their headers.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bare import bare_generation, bare_rating
from stage_overhead import overheads

from humpback.config import EngineConfig, IngestConfig, PromptsConfig, RateConfig
from humpback.corpus import read_documents, segments_of
from humpback.engines import ChoiceRequest, GenerationRequest, Sampling, chat_format
from humpback.engines.transformers import TransformersEngine
from humpback.hardware import hardware_line, versions
from humpback.models import builtin_model, device_name, load_model, load_tokenizer, resolved_dtype
from humpback.prompts import SCORES, PromptContract
from humpback.records import Candidate, Segment
from humpback.stages.rate import make_rater

JUDGEMENT_TOKENS = 100
NEW_TOKENS = 64
GUIDANCE = "Weigh what was asked against what the reply gives, and leave its length and its tone out of account. "


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, the figures, and the ratio with its goal."""

    what: str
    figures: str
    ratio: str
    goal: str


def main() -> None:
    """Measures and prints."""
    options = _arguments()
    folder = options.model or builtin_model()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(folder, options, Path(scratch))
        packages = ", ".join(f"{name} {number}" for name, number in versions().items())
        print(f"{hardware_line()}; {torch.get_num_threads()} threads; {bench.dtype}; {folder.name}; {packages}\n")
        print(
            f"Rubric and chat format {bench.rubric_tokens} tokens, pairs {bench.pair_tokens:.0f} on average, "
            f"{len(bench.candidates)} pairs, best of {options.rounds}.\n"
        )
        print("| what | measured | ratio | goal |\n|---|---|---|---|", flush=True)
        for row in bench.rows(Path(scratch)):
            print(f"| {row.what} | {row.figures} | {row.ratio} | {row.goal} |", flush=True)


class Bench:
    """The engine, its pairs, and the measurements."""

    def __init__(self, folder: Path, options: argparse.Namespace, scratch: Path) -> None:
        torch.set_num_threads(options.threads or torch.get_num_threads())
        self.folder, self.options = folder, options
        config = EngineConfig(device=options.device, dtype=options.dtype)
        device = device_name(config.device)
        self.dtype = str(resolved_dtype(config.dtype, device)).removeprefix("torch.")
        model = load_model(folder, dtype=resolved_dtype(config.dtype, device), device=device)
        chat = chat_format(config, PromptsConfig(), folder)
        self.engine = TransformersEngine(model, load_tokenizer(folder), batch_tokens=options.batch_tokens, end=chat.end)
        plain = PromptContract(chat, PromptsConfig())
        template = scratch / "rubric.jinja"
        template.write_text(_rubric(plain, self.engine, options.rubric), encoding="utf-8")
        self.prompts = PromptContract(chat, PromptsConfig(rating_template=template))
        self.rubric_tokens = self.engine.count(self.prompts.rating("", ""))
        self.candidates = [self._pair(segment) for segment in _segments(options.pairs)]
        counts = [self.engine.count(row.instruction) + self.engine.count(row.output) for row in self.candidates]
        self.pair_tokens = sum(counts) / len(counts)

    def _pair(self, segment: Segment) -> Candidate:
        instruction = f"What should I know about {segment.headers[-1]}?"
        text = self.engine.cut(segment.text, self.options.tokens - self.engine.count(instruction))
        return Candidate(segment.id, instruction, text, segment.headers, segment.source)

    def rows(self, scratch: Path) -> Iterator[Row]:
        """One measurement after another."""
        yield from self.rating_against_writing()
        yield self.rating_against_bare()
        yield self.generation_against_bare()
        yield from (Row(what, figure, "", goal) for what, figure, goal in overheads(self.engine.tokenizer))
        yield from self.memory()
        if self.options.distilabel:
            yield from self.against_distilabel(self.options.distilabel, scratch)

    def rating_against_writing(self) -> Iterator[Row]:
        """Expected scores against judgements of exactly so many tokens, by the same engine and by `generate`."""
        requests = [
            GenerationRequest(row.id, self.prompts.judgement(row.instruction, row.output), number)
            for number, row in enumerate(self.candidates)
        ]
        ends, self.engine._end_ids = self.engine._end_ids, []  # each judgement has its hundred tokens
        slow = _seconds(lambda: self.engine.generate(requests, Sampling(0.7, 0.9, JUDGEMENT_TOKENS)))
        self.engine._end_ids = ends
        bare = _seconds(
            lambda: bare_generation(
                self.engine.model,
                self.engine.tokenizer,
                [request.prompt for request in requests],
                Sampling(0.7, 0.9, JUDGEMENT_TOKENS),
                self._budget,
            )
        )
        fast = min(_seconds(self._rate) for _ in range(self.options.rounds))
        written = f"written-out judgement of {JUDGEMENT_TOKENS} tokens"
        yield self._row(f"rating / {written}, same engine", fast, slow, "pairs/s", ">= 8")
        yield self._row(f"rating / {written} by transformers `generate`", fast, bare, "pairs/s", "")

    def rating_against_bare(self) -> Row:
        """The engine against the shortest script that computes the shared prefix once."""
        prompts = [self.prompts.rating(row.instruction, row.output) for row in self.candidates]
        ours, bare = self._alternate(
            self._rate, lambda: bare_rating(self.engine.model, self.engine.tokenizer, prompts, SCORES, self._budget)
        )
        return self._row("rating / bare script that reuses the prefix", ours, bare, "pairs/s", ">= .95")

    def generation_against_bare(self) -> Row:
        """Instructions against `generate` on sorted batches of the same size; both write all tokens."""
        requests = [
            GenerationRequest(row.id, self.prompts.backward(row.output), number)
            for number, row in enumerate(self.candidates)
        ]
        sampling = Sampling(0.7, 0.9, NEW_TOKENS)
        ends, self.engine._end_ids = self.engine._end_ids, []
        ours, bare = self._alternate(
            lambda: self.engine.generate(requests, sampling),
            lambda: bare_generation(
                self.engine.model,
                self.engine.tokenizer,
                [request.prompt for request in requests],
                sampling,
                self._budget,
            ),
        )
        self.engine._end_ids = ends
        return self._row("generation / transformers `generate`, sorted batches", ours, bare, "rows/s", ">= .95")

    def memory(self) -> list[Row]:
        """Peak memory beside the weights of each kind of work, with the pairs and with four times as many."""
        found = []
        for kind in ("rating", "generating", "training"):
            small, large = (_peak(self.folder, kind, count, self.options) for count in (16, 64))
            figures = f"{small:.2f} GiB with 16 rows, {large:.2f} with 64"
            found.append(Row(f"peak memory beside the weights, {kind}", figures, f"{large / small:.2f}", "no growth"))
        return found

    def against_distilabel(self, python: Path, scratch: Path) -> list[Row]:
        """distilabel's task with the same weights on the same pairs."""
        pairs = [{"instruction": row.instruction, "output": row.output} for row in self.candidates]
        given = {
            "model": str(self.folder),
            "dtype": self.dtype,
            "pairs": pairs,
            "batch": 8,
            "max_new_tokens": JUDGEMENT_TOKENS,
        }
        file = scratch / "pairs.json"
        file.write_text(json.dumps(given), encoding="utf-8")
        script = Path(__file__).with_name("engines_distilabel.py")
        done = subprocess.run([python, script, file], capture_output=True, text=True, check=True)
        theirs: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        rater = make_rater(self.engine, self.prompts, RateConfig(), 0, "benchmark")
        ours = min(_seconds(lambda: rater(self.candidates)) for _ in range(self.options.rounds))
        valid = sum(rating.rating is not None for rating in rater(self.candidates))
        share = f"{valid}/{len(pairs)} against {theirs['valid']}/{theirs['rated']}"
        return [
            self._row(f"rating / {theirs['name']}", ours, theirs["seconds"], "pairs/s", ">= 8"),
            Row("pairs with a valid score", share, "", "100 %"),
        ]

    @property
    def _budget(self) -> int:
        return int(self.options.batch_tokens)

    def _rate(self) -> None:
        requests = [ChoiceRequest(row.id, self.prompts.rating(row.instruction, row.output)) for row in self.candidates]
        self.engine.choice_logprobs(requests, SCORES)

    def _alternate(self, ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
        times = [(_seconds(ours), _seconds(bare)) for _ in range(self.options.rounds)]
        return min(mine for mine, _ in times), min(theirs for _, theirs in times)

    def _row(self, what: str, fast: float, slow: float, unit: str, goal: str) -> Row:
        count = len(self.candidates)
        return Row(what, f"{count / fast:.2f} against {count / slow:.2f} {unit}", f"{slow / fast:.2f}", goal)


def _rubric(prompts: PromptContract, engine: TransformersEngine, tokens: int) -> str:
    """Our rating template with as much guidance before it as makes the prompt without a pair so long."""
    text = prompts._texts["rating"]
    missing = tokens - engine.count(prompts.rating("", ""))
    return GUIDANCE * max(0, round(missing / engine.count(GUIDANCE))) + text


def _segments(count: int) -> list[Segment]:
    """Segments of the installed packages' descriptions, by lot."""
    config = IngestConfig()
    found: list[Segment] = []
    for document in read_documents(["packages"], config):
        found += segments_of(document, config).kept
    return random.Random(0).sample(found, min(count, len(found)))


def _peak(folder: Path, kind: str, count: int, options: argparse.Namespace) -> float:
    script = Path(__file__).with_name("peak_memory.py")
    command = [sys.executable, script, folder, kind, str(count), options.dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model folder; the built-in model where there is none")
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=400, help="of an instruction and its output together")
    parser.add_argument("--rubric", type=int, default=500, help="tokens of the rating prompt without a pair")
    parser.add_argument("--batch-tokens", type=int, default=8192)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--distilabel", type=Path, help="a Python with distilabel in its environment")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
