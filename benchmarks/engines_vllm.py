"""How fast the vLLM engine rates and writes, as ratios to `vllm.LLM.generate` alone in the same process.

    VLLM_CPU_KVCACHE_SPACE=2 .venv-vllm/bin/python benchmarks/engines_vllm.py --pairs 48 [--dtype bfloat16] [--compile]

Both ask the same `vllm.LLM`, in turn; before each turn what it remembers of prompts is forgotten. The bare calls are
given token ids that were made beforehand, the engine makes its own and gives back texts. On a machine that is not
quiet the ratios jump; the time that the engine spends outside of `LLM.generate` does not. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from importlib import resources
from typing import Any

from humpback.config import EngineConfig, PromptsConfig, VllmConfig
from humpback.engines import ChoiceRequest, GenerationRequest, Sampling
from humpback.engines.vllm import VllmEngine
from humpback.engines.vllm.library import import_vllm
from humpback.hardware import hardware_line, versions
from humpback.models import builtin_model, load_tokenizer, model_folder
from humpback.prompts import SCORES, ChatFormat, PromptContract

NEW_TOKENS = 48


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="")
    parser.add_argument("--pairs", type=int, default=48)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    folder = model_folder(options.model) if options.model else builtin_model()
    tokenizer = load_tokenizer(folder)
    contract = PromptContract(ChatFormat.of(tokenizer), PromptsConfig())
    ratings, questions = _requests(contract, options.pairs)
    config = EngineConfig(kind="vllm", dtype=options.dtype, vllm=VllmConfig(eager=not options.compile))
    begin = time.perf_counter()
    with closing(VllmEngine.of(folder, config, contract.chat.end)) as engine:
        started = time.perf_counter() - begin
        llm = Timed(engine._running.llm)
        engine._started = replace(engine._running, llm=llm)
        bare_rating, bare_writing = _bare(llm, tokenizer, ratings, questions)
        rating = _seconds(llm, options.turns, lambda: engine.choice_logprobs(ratings, SCORES), bare_rating)
        rating_inside = llm.take()
        sampling = Sampling(0.7, 0.9, NEW_TOKENS)
        writing = _seconds(llm, options.turns, lambda: engine.generate(questions, sampling), bare_writing)
        writing_inside = llm.take()
        tokens = sum(answer.tokens for answer in engine.generate(questions, sampling))
    compiled = "compiled" if options.compile else "eager"
    print(f"{hardware_line()}; {_versions()}; {folder.name}, {options.dtype}, {compiled}, start {started:.0f} s\n")
    print("| | engine | bare `LLM.generate` | engine to bare, median (each turn) | engine's time outside of it |")
    print("|---|---|---|---|---|")
    _print("ratings/s", options.pairs, rating, rating_inside)
    _print(f"tokens/s written, at most {NEW_TOKENS} a row", tokens, writing, writing_inside)


class Timed:
    """A `vllm.LLM` that notes how long each `generate` takes."""

    def __init__(self, llm: Any) -> None:
        self._llm = llm
        self._seconds: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def generate(self, *arguments: Any, **named: Any) -> Any:
        """What the `LLM` answers."""
        begin = time.perf_counter()
        answer = self._llm.generate(*arguments, **named)
        self._seconds.append(time.perf_counter() - begin)
        return answer

    def take(self) -> list[float]:
        """The seconds noted since the last time this was asked."""
        seconds, self._seconds = self._seconds, []
        return seconds


def _requests(contract: PromptContract, pairs: int) -> tuple[list[ChoiceRequest], list[GenerationRequest]]:
    text = (resources.files("humpback") / "data" / "seed.jsonl").read_text(encoding="utf-8")
    rows = list(enumerate(map(json.loads, text.splitlines()[:pairs])))
    ratings = [ChoiceRequest(str(n), contract.rating(row["instruction"], row["output"])) for n, row in rows]
    return ratings, [GenerationRequest(str(n), contract.backward(row["output"]), n) for n, row in rows]


def _bare(
    llm: Timed, tokenizer: Any, ratings: list[ChoiceRequest], questions: list[GenerationRequest]
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same questions as one writes them in a script of one's own, with everything prepared."""
    sampling = import_vllm().SamplingParams
    scores = tokenizer(list(SCORES), add_special_tokens=False)["input_ids"]
    one = sampling(temperature=0, max_tokens=1, logprob_token_ids=[ids[-1] for ids in scores], detokenize=False)
    many = [
        sampling(temperature=0.7, top_p=0.9, max_tokens=NEW_TOKENS, seed=request.seed, detokenize=False)
        for request in questions
    ]
    rated = tokenizer([request.prompt for request in ratings], add_special_tokens=False)["input_ids"]
    rated_prompts = [{"prompt_token_ids": ids + scores[0][:-1]} for ids in rated]
    asked = tokenizer([request.prompt for request in questions], add_special_tokens=False)["input_ids"]
    asked_prompts = [{"prompt_token_ids": ids} for ids in asked]
    alone = llm._llm
    return (
        lambda: alone.generate(rated_prompts, one, use_tqdm=False),
        lambda: alone.generate(asked_prompts, many, use_tqdm=False),
    )


def _seconds(llm: Timed, turns: int, *contenders: Callable[[], object]) -> list[list[float]]:
    """Seconds of each contender in each turn; a first turn is left out, and who is first changes from turn to turn."""
    seconds: list[list[float]] = [[] for _ in contenders]
    for turn in range(turns + 1):
        order = list(enumerate(contenders))
        for index, ask in order if turn % 2 else reversed(order):
            llm.reset_prefix_cache()
            begin = time.perf_counter()
            ask()
            if turn:
                seconds[index].append(time.perf_counter() - begin)
    return seconds


def _print(what: str, amount: int, seconds: list[list[float]], inside: list[float]) -> None:
    engine, bare = seconds
    ratios = [theirs / ours for ours, theirs in zip(engine, bare, strict=True)]
    each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    rates = [f"{amount / statistics.median(values):.2f}" for values in (engine, bare)]
    outside = 1 - sum(inside[1:]) / sum(engine)  # the first turn is left out of both
    print(f"| {what} | {rates[0]} | {rates[1]} | {statistics.median(ratios):.3f} ({each}) | {outside:.2%} |")


def _versions() -> str:
    found = {name: versions()[name] for name in ("humpback", "torch", "transformers")}
    found["vllm"] = importlib.import_module("vllm").__version__
    return ", ".join(f"{name} {version}" for name, version in found.items())


if __name__ == "__main__":
    main()
