"""The model driven bare, as one writes it in a script: what the engine is measured against."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from humpback.engines import Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@torch.inference_mode()  # type: ignore[untyped-decorator]
def bare_rating(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    scores: Sequence[str],
    budget: int,
) -> list[list[float]]:
    """Probabilities of the scores: sorted batches, the shared prefix computed once, the head on last positions."""
    rows = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    wanted = [tokenizer(score, add_special_tokens=False)["input_ids"][-1] for score in scores]
    prefix = 0
    while len({row[prefix] for row in rows}) == 1:
        prefix += 1
    cache = model(torch.tensor([rows[0][:prefix]], device=model.device), use_cache=True, logits_to_keep=1)
    found: dict[int, list[float]] = {}
    for batch in _sorted_batches([len(row) for row in rows], budget):
        own = [rows[i][prefix:] for i in batch]
        padded = tokenizer.pad({"input_ids": own}, return_tensors="pt", padding_side="right").to(model.device)
        mask = torch.nn.functional.pad(padded["attention_mask"], (prefix, 0), value=1)
        past = copy.deepcopy(cache.past_key_values)
        past.batch_repeat_interleave(len(batch))
        hidden = model.base_model(padded["input_ids"], attention_mask=mask, past_key_values=past).last_hidden_state
        last = hidden[torch.arange(len(batch)), torch.tensor([len(row) - 1 for row in own])]
        chances = model.get_output_embeddings()(last)[:, wanted].float().softmax(-1).tolist()
        found.update(zip(batch, chances, strict=True))
    return [found[i] for i in range(len(rows))]


@torch.inference_mode()  # type: ignore[untyped-decorator]
def bare_generation(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    sampling: Sampling,
    budget: int,
) -> list[str]:
    """Sampled continuations by `generate` on sorted batches; each has all its tokens."""
    rows = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    found: dict[int, str] = {}
    for batch in _sorted_batches([len(row) + sampling.max_new_tokens for row in rows], budget):
        padded = tokenizer.pad({"input_ids": [rows[i] for i in batch]}, return_tensors="pt", padding_side="left")
        output = model.generate(
            **padded.to(model.device),
            max_new_tokens=sampling.max_new_tokens,
            min_new_tokens=sampling.max_new_tokens,
            do_sample=True,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=0,
            pad_token_id=tokenizer.pad_token_id,
        )
        texts = tokenizer.batch_decode(output[:, padded["input_ids"].shape[1] :])
        found.update(zip(batch, texts, strict=True))
    return [found[i] for i in range(len(rows))]


def _sorted_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or lengths[batches[-1][0]] * (len(batches[-1]) + 1) > budget:
            batches.append([])
        batches[-1].append(index)
    return batches
