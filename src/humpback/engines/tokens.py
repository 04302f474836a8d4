"""Texts as tokens, the same for every engine: what is sent to a model does not depend on what runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from humpback.engines.base import ChoiceRequest, Choices, Engine, Generation, LikelihoodRequest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, with nothing added: the prompts hold their special tokens already."""
    if not texts:
        return []
    if tokenizer.is_fast:
        # The same tokens as below without offsets and masks, which take a third of the time.
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return [encoding.ids for encoding in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
    return list(tokenizer(list(texts), add_special_tokens=False)["input_ids"])


def end_ids(tokenizer: PreTrainedTokenizerBase, end: str) -> list[int]:
    """The tokens at which an answer ends: the one whose text is `end`, and the tokenizer's own."""
    found = {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(end) if end else None}
    return sorted(one for one in found if isinstance(one, int))


def split_choices(choices: Sequence[list[int]]) -> tuple[list[int], list[list[int]]]:
    """The tokens that all choices begin with, and what is left of each: at least one token."""
    shared = min(common_prefix(choices), min(len(ids) for ids in choices) - 1)
    return choices[0][:shared], [ids[shared:] for ids in choices]


def generation_of(
    tokenizer: PreTrainedTokenizerBase, row_id: str, ids: Sequence[int], ends: Sequence[int]
) -> Generation:
    """What was written as the tokens `ids`, up to the first of the tokens `ends`."""
    length = next((i for i, token in enumerate(ids) if token in ends), None)
    text = str(tokenizer.decode(list(ids[:length]), skip_special_tokens=True))
    return Generation(row_id, text, "length", len(ids)) if length is None else Generation(row_id, text, "end", length)


def long_choices(engine: Engine, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
    """The log-probabilities of choices that differ in more than one token: each is read to its end."""
    asked = [LikelihoodRequest(r.row_id, r.prompt, choice) for r in requests for choice in choices]
    found = [answer.logprob for answer in engine.loglikelihood(asked)]
    width = len(choices)
    return [Choices(r.row_id, found[i * width : (i + 1) * width]) for i, r in enumerate(requests)]


def common_prefix(rows: Sequence[list[int]]) -> int:
    """Number of tokens that all rows begin with, leaving at least one of each row for itself."""
    first, last = min(rows), max(rows)  # in the order of their tokens: what these two share, all share
    width = min(map(len, rows))
    shared = next((i for i in range(width) if first[i] != last[i]), width)
    return min(shared, width - 1)
