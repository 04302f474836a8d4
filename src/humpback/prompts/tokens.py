"""Token rows for training: which tokens are shown, and which are learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from humpback.prompts.contract import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label that torch's cross-entropy leaves out


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One training row. `labels` equals `input_ids` where a token is learnt and `IGNORED` elsewhere.

    `row_id` names the example that the row was made of, for messages.
    """

    input_ids: list[int]
    labels: list[int]
    is_cut: bool
    row_id: str = ""


def tokenise_pair(tokenizer: PreTrainedTokenizerBase, pair: Pair, max_tokens: int, row_id: str = "") -> TokenRow | None:
    """The row that trains `pair.completion` after `pair.prompt`, or None where the prompt alone fills `max_tokens`.

    The two halves are tokenised apart, so that a row starts with exactly the tokens that inference will send. A
    completion that does not fit loses its tail and with it the end token: the model must not learn to stop there.
    """
    prompt = tokenizer(pair.prompt, add_special_tokens=False)["input_ids"]
    completion = tokenizer(pair.completion, add_special_tokens=False)["input_ids"]
    if len(prompt) >= max_tokens:
        return None
    input_ids = (prompt + completion)[:max_tokens]
    labels = [IGNORED] * len(prompt) + input_ids[len(prompt) :]
    return TokenRow(input_ids, labels, is_cut=len(prompt) + len(completion) > max_tokens, row_id=row_id)


def cut_text(tokenizer: PreTrainedTokenizerBase, text: str, max_tokens: int) -> str:
    """The longest beginning of `text` of at most `max_tokens` tokens."""
    if len(text.encode("utf-8", "surrogatepass")) <= max_tokens:
        return text  # a token is at least one byte
    if tokenizer.is_fast:
        found = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
        return text if len(found) <= max_tokens else text[: found.offsets[max_tokens - 1][1]]
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoded["offset_mapping"]
    return text if len(offsets) <= max_tokens else text[: offsets[max_tokens - 1][1]]
