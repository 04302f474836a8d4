"""The model's own tokenizer, as far as talking to a server needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from humpback.engines.base import Generation
from humpback.engines.http.dialect import chosen
from humpback.engines.http.wire import Answer
from humpback.engines.tokens import tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class TokenReader:
    """Turns what servers answer back into texts and tokens; answers end at the tokens `end_ids` or the text `end`."""

    tokenizer: PreTrainedTokenizerBase
    end: str
    end_ids: list[int]

    def generation(self, row_id: str, answer: Answer, choices: Sequence[str]) -> Generation:
        """The continuation in an answer: decoded here where the server gives its tokens, as every engine decodes."""
        finish: Literal["end", "length"] = answer.finish
        if answer.token_ids is None:
            text = answer.text.partition(self.end)[0] if self.end else answer.text
            tokens = len(tokenise(self.tokenizer, [text])[0])
        else:
            ids = answer.token_ids
            tokens = next((place for place, token in enumerate(ids) if token in self.end_ids), len(ids))
            text = self.tokenizer.decode(ids[:tokens], skip_special_tokens=True)
        return Generation(row_id, (chosen(text, choices) or text) if choices else text, finish, tokens)

    def pick(self, found: Mapping[int | str, float], before: Sequence[int], wanted: Sequence[int]) -> list[float]:
        """The log-probabilities of the tokens `wanted` after the tokens `before`; not a number where there is none."""
        values = []
        for token in wanted:
            value = found.get(token)
            if value is None and any(isinstance(key, str) for key in found):
                value = found.get(self._text_of(token, before))
            values.append(float("nan") if value is None else value)
        return values

    def _text_of(self, token: int, before: Sequence[int]) -> str:
        """The text of a token in its place: alone, many tokenizers leave out the space before it."""
        context = list(before[-4:])
        whole = self.tokenizer.decode([*context, token])
        return str(whole).removeprefix(str(self.tokenizer.decode(context)))
