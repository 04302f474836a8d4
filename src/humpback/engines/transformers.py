"""The default engine: transformers in this process, on a CPU, a GPU or Apple's chips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

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
from humpback.engines.sampling import SeededNucleus
from humpback.errors import ModelError
from humpback.models import device_name, is_out_of_memory, load_model, load_tokenizer, resolved_dtype
from humpback.models.head import head_logits
from humpback.prompts import cut_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

A = TypeVar("A")

HEAD_POSITIONS = 512  # positions at once through the float32 head (ours: 100 MB of logits at 50,000 tokens)


class TransformersEngine:
    """Runs one model through transformers, in batches of about the same length within a budget of tokens."""

    abilities = frozenset({Ability.CHOICE_LOGPROBS, Ability.LOGLIKELIHOOD})

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, batch_tokens: int, end: str
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens
        self._end_ids = _end_ids(tokenizer, end)

    @property
    def context(self) -> int | None:
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return limit if isinstance(limit, int) else None

    @classmethod
    def of(cls, folder: Path, config: EngineConfig, end: str) -> TransformersEngine:
        """The engine on the model in `folder`."""
        device = device_name(config.device)
        model = load_model(folder, dtype=resolved_dtype(config.dtype, device), device=device)
        return cls(model, load_tokenizer(folder), batch_tokens=config.batch_tokens, end=end)

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        prompts = self._tokenise([request.prompt for request in requests])

        def run(batch: list[int]) -> list[Generation]:
            return list(self._generate([requests[i] for i in batch], [prompts[i] for i in batch], sampling))

        lengths = [len(ids) + sampling.max_new_tokens for ids in prompts]
        return self._in_batches(lengths, run)

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        if not requests:
            return []
        shared, endings = self._choice_tokens(choices)
        if any(len(ending) != 1 for ending in endings):
            return self._long_choices(requests, choices)
        wanted = torch.tensor([ending[0] for ending in endings], device=self.model.device)
        prompts = [ids + shared for ids in self._tokenise([request.prompt for request in requests])]
        prefix = _common_prefix(prompts)
        own = [ids[prefix:] for ids in prompts]
        cache = self._prefix_cache(prompts[0][:prefix]) if prefix else None

        def run(batch: list[int]) -> list[Choices]:
            logprobs = self._next_logprobs([own[i] for i in batch], cache, prefix)[:, wanted]
            return [Choices(requests[i].row_id, row.tolist()) for i, row in zip(batch, logprobs, strict=True)]

        return self._in_batches([len(ids) for ids in prompts], run)

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        prompts = self._tokenise([request.prompt for request in requests])
        continuations = self._tokenise([request.continuation for request in requests])
        rows = [prompt + continuation for prompt, continuation in zip(prompts, continuations, strict=True)]

        def run(batch: list[int]) -> list[Likelihood]:
            sums = self._sum_logprobs([rows[i] for i in batch], [len(continuations[i]) for i in batch])
            return [
                Likelihood(requests[i].row_id, total, len(continuations[i]))
                for i, total in zip(batch, sums, strict=True)
            ]

        return self._in_batches([len(ids) for ids in rows], run)

    def cut(self, text: str, max_tokens: int) -> str:
        return cut_text(self.tokenizer, text, max_tokens)

    def count(self, text: str) -> int:
        return len(self._tokenise([text])[0])

    def close(self) -> None:
        """The weights go with the engine."""

    def _tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        return list(self.tokenizer(list(texts), add_special_tokens=False)["input_ids"])

    def _in_batches(self, lengths: Sequence[int], run: Callable[[list[int]], list[A]]) -> list[A]:
        """Runs batches of row numbers and puts the answers back in order; halves the budget when memory runs out."""
        answers: dict[int, A] = {}
        pending = list(_batches(lengths, self.batch_tokens))
        while pending:
            batch = pending.pop(0)
            try:
                results = run(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._make_smaller(batch, lengths, error)
                left = [row for rows in (batch, *pending) for row in rows]
                pending = [[left[i] for i in rows] for rows in _batches([lengths[i] for i in left], self.batch_tokens)]
                continue
            answers.update(zip(batch, results, strict=True))
        return [answers[i] for i in range(len(lengths))]

    def _make_smaller(self, batch: list[int], lengths: Sequence[int], error: Exception) -> None:
        """Sets the budget to half of what `batch` took."""
        if len(batch) == 1:
            raise ModelError(
                f"out of memory on a single row of {lengths[batch[0]]} tokens; use a smaller model, "
                "`engine.dtype: bfloat16`, or shorter segments (ingest.max_chars)"
            ) from error
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()
        self.batch_tokens = lengths[batch[0]] * len(batch) // 2

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _generate(
        self, requests: list[GenerationRequest], prompts: list[list[int]], sampling: Sampling
    ) -> list[Generation]:
        input_ids, attention_mask = self._pad_left(prompts)
        seeds = [request.seed for request in requests]
        draws = sampling.temperature > 0
        output = self.model.generate(
            input_ids=input_ids,
            attention_mask=attention_mask,
            max_new_tokens=sampling.max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            eos_token_id=self._end_ids,
            pad_token_id=self.tokenizer.pad_token_id,
            logits_processor=[SeededNucleus(seeds, sampling)] if draws else None,
        )
        new = output[:, input_ids.shape[1] :].tolist()  # (batch, new tokens)
        return [self._generation(request, ids) for request, ids in zip(requests, new, strict=True)]

    def _generation(self, request: GenerationRequest, ids: list[int]) -> Generation:
        length = next((i for i, token in enumerate(ids) if token in self._end_ids), None)
        text = self.tokenizer.decode(ids[:length], skip_special_tokens=True)
        finish = "length" if length is None else "end"
        return Generation(request.row_id, text, finish, len(ids) if length is None else length)  # type: ignore[arg-type]

    def _choice_tokens(self, choices: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        """The tokens that all choices begin with, and what is left of each."""
        tokens = self._tokenise(choices)
        shared = min(_common_prefix(tokens), min(len(ids) for ids in tokens) - 1)
        return tokens[0][:shared], [ids[shared:] for ids in tokens]

    def _long_choices(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        asked = [LikelihoodRequest(r.row_id, r.prompt, choice) for r in requests for choice in choices]
        found = [answer.logprob for answer in self.loglikelihood(asked)]
        width = len(choices)
        return [Choices(r.row_id, found[i * width : (i + 1) * width]) for i, r in enumerate(requests)]

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _prefix_cache(self, ids: list[int]) -> Any:
        tokens = torch.tensor([ids], device=self.model.device)
        return self.model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _next_logprobs(self, rows: list[list[int]], cache: Any, prefix: int) -> torch.Tensor:
        """Log-probabilities of the token after each row, float32, (batch, vocabulary); `cache` holds the prefix.

        Rows are padded on the right, so that a row's tokens keep their positions and never see the padding.
        """
        input_ids, attention_mask = self._pad_right(rows)
        if prefix:
            attention_mask = torch.nn.functional.pad(attention_mask, (prefix, 0), value=1)
        hidden = self.model.base_model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            past_key_values=_expanded(cache, len(rows)),
            use_cache=cache is not None,
        ).last_hidden_state  # (batch, seq, width)
        last = torch.tensor([len(ids) - 1 for ids in rows], device=hidden.device)
        final = hidden[torch.arange(len(rows), device=hidden.device), last]  # (batch, width)
        return torch.log_softmax(self._logits(final), dim=-1)

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _sum_logprobs(self, rows: list[list[int]], counts: list[int]) -> list[float]:
        """Sum of the log-probabilities of the last `counts[i]` tokens of each row."""
        input_ids, attention_mask = self._pad_right(rows)
        hidden = self.model.base_model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state
        row = torch.tensor([i for i, count in enumerate(counts) for _ in range(count)], dtype=torch.long)
        place = torch.tensor(
            [
                position
                for ids, count in zip(rows, counts, strict=True)
                for position in range(len(ids) - count, len(ids))
            ],
            dtype=torch.long,
        )
        row, place = row.to(hidden.device), place.to(hidden.device)
        before, wanted = hidden[row, place - 1], input_ids[row, place]  # (tokens, width), (tokens,)
        losses = [
            torch.nn.functional.cross_entropy(self._logits(states), tokens, reduction="none")
            for states, tokens in zip(before.split(HEAD_POSITIONS), wanted.split(HEAD_POSITIONS), strict=True)
        ]
        return [-part.sum().item() for part in torch.cat(losses).split(counts)]

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits in float32 even where the model computes in bfloat16, whose eight bits tie the scores' digits."""
        return head_logits(self.model, hidden.float())

    def _pad_left(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        return self._pad(rows, left=True)

    def _pad_right(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        return self._pad(rows, left=False)

    def _pad(self, rows: list[list[int]], *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(map(len, rows))
        input_ids = torch.full((len(rows), width), int(self.tokenizer.pad_token_id or 0))
        mask = torch.zeros_like(input_ids)
        for index, ids in enumerate(rows):
            place = slice(width - len(ids), width) if left else slice(0, len(ids))
            input_ids[index, place] = torch.tensor(ids)
            mask[index, place] = 1
        return input_ids.to(self.model.device), mask.to(self.model.device)


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers, longest first, in batches whose padded size stays within `budget` tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _common_prefix(rows: Sequence[list[int]]) -> int:
    """Number of tokens that all rows begin with, leaving at least one of each row for itself."""
    shortest = min(map(len, rows))
    first = rows[0]
    shared = next((i for i in range(shortest) if any(ids[i] != first[i] for ids in rows)), shortest)
    return min(shared, shortest - 1)


def _expanded(cache: Any, rows: int) -> Any:
    """A copy of a one-row key-value cache for `rows` rows."""
    import copy

    if cache is None:
        return None
    expanded = copy.deepcopy(cache)
    expanded.batch_repeat_interleave(rows)
    return expanded


def _end_ids(tokenizer: PreTrainedTokenizerBase, end: str) -> list[int]:
    found = tokenizer.convert_tokens_to_ids(end)
    return sorted({tokenizer.eos_token_id, found if isinstance(found, int) else tokenizer.eos_token_id})
