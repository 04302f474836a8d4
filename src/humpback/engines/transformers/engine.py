"""One model run through transformers, in batches of about the same length within a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
from humpback.engines.tokens import end_ids, generation_of, long_choices, split_choices, tokenise
from humpback.engines.transformers.batching import TokenBudget
from humpback.engines.transformers.decoding import decode
from humpback.engines.transformers.padding import pad_right
from humpback.engines.transformers.prefix import SharedPrefix
from humpback.engines.transformers.sampling import SeededNucleus
from humpback.models import device_name, load_model, load_tokenizer, resolved_dtype
from humpback.models.head import head_logits
from humpback.prompts import cut_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD_POSITIONS = 512  # positions at once through the float32 head (ours: 100 MB of logits at 50,000 tokens)


class TransformersEngine:
    """Answers with one model, which stays in memory."""

    abilities = frozenset({Ability.CHOICE_LOGPROBS, Ability.LOGLIKELIHOOD})

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, batch_tokens: int, end: str
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.budget = TokenBudget(batch_tokens, self._free_memory)
        self._end_ids = end_ids(tokenizer, end)
        self._pad = int(tokenizer.pad_token_id or 0)

    @classmethod
    def of(cls, folder: Path, config: EngineConfig, end: str) -> TransformersEngine:
        """The engine on the model in `folder`."""
        device = device_name(config.device)
        model = load_model(folder, dtype=resolved_dtype(config.dtype, device), device=device)
        return cls(model, load_tokenizer(folder), batch_tokens=config.batch_tokens, end=end)

    @property
    def context(self) -> int | None:
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return limit if isinstance(limit, int) else None

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        if not requests:
            return []
        prompts = tokenise(self.tokenizer, [request.prompt for request in requests])
        prefix = SharedPrefix(self.model, prompts)
        own = [ids[prefix.length :] for ids in prompts]

        def run(batch: list[int]) -> list[Generation]:
            nucleus = SeededNucleus([requests[i].seed for i in batch], sampling)
            written = decode(
                self.model,
                [own[i] for i in batch],
                prefix,
                nucleus.draw,
                end_ids=self._end_ids,
                pad=self._pad,
                max_new_tokens=sampling.max_new_tokens,
            )
            return [
                generation_of(self.tokenizer, requests[i].row_id, ids, self._end_ids)
                for i, ids in zip(batch, written, strict=True)
            ]

        return self.budget.run([len(ids) + sampling.max_new_tokens for ids in prompts], run)

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        if not requests:
            return []
        shared, endings = split_choices(tokenise(self.tokenizer, choices))
        if any(len(ending) != 1 for ending in endings):
            return long_choices(self, requests, choices)
        wanted = torch.tensor([ending[0] for ending in endings], device=self.model.device)
        prompts = [ids + shared for ids in tokenise(self.tokenizer, [request.prompt for request in requests])]
        prefix = SharedPrefix(self.model, prompts)
        own = [ids[prefix.length :] for ids in prompts]

        def run(batch: list[int]) -> list[Choices]:
            logprobs = self._next_logprobs([own[i] for i in batch], prefix)[:, wanted]
            return [Choices(requests[i].row_id, row) for i, row in zip(batch, logprobs.tolist(), strict=True)]

        return self.budget.run([len(ids) for ids in prompts], run)

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        prompts = tokenise(self.tokenizer, [request.prompt for request in requests])
        continuations = tokenise(self.tokenizer, [request.continuation for request in requests])
        rows = [prompt + continuation for prompt, continuation in zip(prompts, continuations, strict=True)]

        def run(batch: list[int]) -> list[Likelihood]:
            found = self._last_logprobs([rows[i] for i in batch], [len(continuations[i]) for i in batch])
            return [Likelihood(requests[i].row_id, logprobs) for i, logprobs in zip(batch, found, strict=True)]

        return self.budget.run([len(ids) for ids in rows], run)

    def cut(self, text: str, max_tokens: int) -> str:
        return cut_text(self.tokenizer, text, max_tokens)

    def count(self, text: str) -> int:
        return len(tokenise(self.tokenizer, [text])[0])

    def close(self) -> None:
        """The weights go with the engine."""

    def _free_memory(self) -> None:
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _next_logprobs(self, rows: list[list[int]], prefix: SharedPrefix) -> torch.Tensor:
        """Log-probabilities of the token after each row, float32, (rows, vocabulary)."""
        input_ids, mask = pad_right(rows, self._pad, self.model.device)
        mask = torch.nn.functional.pad(mask, (prefix.length, 0), value=1)
        cache = prefix.cache(len(rows))
        hidden = self.model.base_model(
            input_ids=input_ids, attention_mask=mask, past_key_values=cache, use_cache=cache is not None
        ).last_hidden_state  # (rows, seq, width)
        last = torch.tensor([len(ids) - 1 for ids in rows], device=hidden.device)
        final = hidden[torch.arange(len(rows), device=hidden.device), last]  # (rows, width)
        return torch.log_softmax(self._logits(final), dim=-1)

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _last_logprobs(self, rows: list[list[int]], counts: list[int]) -> list[list[float]]:
        """Log-probabilities of the last `counts[i]` tokens of each row."""
        input_ids, mask = pad_right(rows, self._pad, self.model.device)
        hidden = self.model.base_model(input_ids=input_ids, attention_mask=mask, use_cache=False).last_hidden_state
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
        return [part.tolist() for part in torch.cat(losses).neg().split(counts)]

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits in float32 even where the model computes in bfloat16, whose eight bits tie the scores' digits."""
        return head_logits(self.model, hidden.float())
