"""One model run through vLLM, which batches the rows of a call by itself and computes what prompts share once."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.config import EngineConfig
from humpback.engines.base import (
    Ability,
    ChoiceRequest,
    Choices,
    Generation,
    GenerationRequest,
    Likelihood,
    LikelihoodRequest,
    Sampling,
)
from humpback.engines.tokens import end_ids, generation_of, long_choices, split_choices, tokenise
from humpback.engines.vllm.library import StartLog
from humpback.engines.vllm.start import Started, dead_error, start
from humpback.errors import EngineError
from humpback.models import load_tokenizer
from humpback.prompts import cut_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class VllmEngine:
    """Answers with one model, held by vLLM's processes until `close`.

    Each row draws from its own seed. In float32 its text depends on neither the order nor the other rows of a call; in
    bfloat16 the sums of another batch may round to another token. vLLM's random numbers are not those of the
    transformers engine, so that only the texts of greedy search are the same in both.
    """

    abilities: frozenset[Ability] = frozenset(Ability)

    def __init__(self, started: Started, tokenizer: PreTrainedTokenizerBase, *, end: str) -> None:
        self.tokenizer = tokenizer
        self._started: Started | None = started
        self._end_ids = end_ids(tokenizer, end)
        self._log = StartLog()

    @classmethod
    def of(cls, folder: Path, config: EngineConfig, end: str) -> VllmEngine:
        """The engine on the model, or the adapter, in `folder`."""
        tokenizer = load_tokenizer(folder)
        return cls(start(folder, config), tokenizer, end=end)

    @property
    def context(self) -> int | None:
        return int(self._running.llm.model_config.max_model_len)

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        if sampling.choices:
            return self._choose(requests, sampling)
        prompts = tokenise(self.tokenizer, [request.prompt for request in requests])
        outputs = self._run(requests, prompts, [self._sampling(sampling, request.seed) for request in requests])
        return [
            generation_of(self.tokenizer, request.row_id, list(output.outputs[0].token_ids), self._end_ids)
            for request, output in zip(requests, outputs, strict=True)
        ]

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        shared, endings = split_choices(tokenise(self.tokenizer, choices))
        if any(len(ending) != 1 for ending in endings):
            return long_choices(self, requests, choices)
        wanted = [ending[0] for ending in endings]
        prompts = [ids + shared for ids in tokenise(self.tokenizer, [request.prompt for request in requests])]
        outputs = self._run(requests, prompts, _next_token(wanted))
        return [
            Choices(request.row_id, [_logprob(output, token) for token in wanted])
            for request, output in zip(requests, outputs, strict=True)
        ]

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        prompts = tokenise(self.tokenizer, [request.prompt for request in requests])
        endings = tokenise(self.tokenizer, [request.continuation for request in requests])
        rows = [prompt + ending for prompt, ending in zip(prompts, endings, strict=True)]
        asked = [index for index, ending in enumerate(endings) if ending]
        # The last token is asked for as the next one, so that a row may fill the context to its end.
        outputs = self._run(
            [requests[i] for i in asked],
            [rows[i][:-1] for i in asked],
            [_next_token(rows[i][-1:], prompt=len(endings[i]) > 1) for i in asked],
        )
        found = {i: _last(output, rows[i], len(endings[i])) for i, output in zip(asked, outputs, strict=True)}
        return [Likelihood(request.row_id, found.get(index, [])) for index, request in enumerate(requests)]

    def cut(self, text: str, max_tokens: int) -> str:
        return cut_text(self.tokenizer, text, max_tokens)

    def count(self, text: str) -> int:
        return len(tokenise(self.tokenizer, [text])[0])

    def close(self) -> None:
        if self._started is not None:
            self._started.stop()
            self._started = None

    @property
    def _running(self) -> Started:
        assert self._started is not None, "the engine is closed"
        return self._started

    def _run(self, requests: Sequence[Any], prompts: Sequence[list[int]], params: Any) -> list[Any]:
        """vLLM's answers in order; `params` are one for all prompts, or one each."""
        if not requests:
            return []
        running = self._running
        limit = running.llm.model_config.max_model_len
        for request, ids in zip(requests, prompts, strict=True):
            if len(ids) >= limit:
                raise EngineError(
                    f"row {request.row_id}: its prompt has {len(ids)} tokens, which leaves no room in the context of "
                    f"{limit}; raise engine.vllm.max_context as far as the model allows, or use shorter segments "
                    "(ingest.max_chars)"
                )
        try:
            return list(
                running.llm.generate(
                    [{"prompt_token_ids": ids} for ids in prompts],
                    params,
                    lora_request=running.adapter,
                    use_tqdm=False,
                )
            )
        except dead_error() as error:
            raise EngineError(
                f"rows {requests[0].row_id} to {requests[-1].row_id}: vllm's process {running.end()}: "
                f"{self._log.cause(error)}; run again to go on from here, with a lower engine.vllm.memory if memory "
                "ran out"
            ) from error

    def _sampling(self, sampling: Sampling, seed: int) -> Any:
        return importlib.import_module("vllm").SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_new_tokens,
            seed=seed % 2**63,  # of 64 bits with a sign, and -1 would mean none
            ignore_eos=True,  # an answer ends at our end tokens, not at those that the folder adds
            stop_token_ids=self._end_ids,
            detokenize=False,
        )

    def _choose(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        """One of the choices each, drawn from their probabilities.

        vLLM's own restriction to choices admits every way to write them in tokens: where it may begin with a space, a
        model that likes spaces ends with whichever choice it likes after one.
        """
        import torch

        from humpback.engines.transformers.sampling import SeededNucleus

        if not requests:
            return []
        asked = [ChoiceRequest(request.row_id, request.prompt) for request in requests]
        scores = torch.tensor([answer.logprobs for answer in self.choice_logprobs(asked, sampling.choices)])
        draws = SeededNucleus([request.seed for request in requests], replace(sampling, max_new_tokens=1))
        chosen = [sampling.choices[index] for index in draws.draw(scores, range(len(requests)), 0).tolist()]
        return [
            Generation(request.row_id, text, "end", self.count(text))
            for request, text in zip(requests, chosen, strict=True)
        ]


def _next_token(tokens: Sequence[int], *, prompt: bool = False) -> Any:
    """Asks for the log-probabilities of `tokens` as the next one; with `prompt` also of those in the prompt."""
    return importlib.import_module("vllm").SamplingParams(
        temperature=0.0,
        max_tokens=1,
        logprob_token_ids=list(tokens),
        prompt_logprobs=0 if prompt else None,
        detokenize=False,
    )


def _logprob(output: Any, token: int) -> float:
    return float(output.outputs[0].logprobs[0][token].logprob)


def _last(output: Any, row: Sequence[int], count: int) -> list[float]:
    """Log-probabilities of the last `count` tokens of `row`: the last from the answer, the others from the prompt."""
    inside = range(len(row) - count, len(row) - 1)
    return [*(float(output.prompt_logprobs[i][row[i]].logprob) for i in inside), _logprob(output, row[-1])]
