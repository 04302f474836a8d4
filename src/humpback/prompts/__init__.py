"""The prompt contract: the one place that renders every prompt, for training, sampling, rating and chatting."""

from humpback.prompts.chat import ChatFormat
from humpback.prompts.contract import BACKWARD_SYSTEM, SCORES, Pair, PromptContract
from humpback.prompts.tokens import TokenRow, cut_text, tokenise_pair
from humpback.prompts.verdict import Verdict, expected_score, parse_verdict

__all__ = [
    "BACKWARD_SYSTEM",
    "SCORES",
    "ChatFormat",
    "Pair",
    "PromptContract",
    "TokenRow",
    "Verdict",
    "cut_text",
    "expected_score",
    "parse_verdict",
    "tokenise_pair",
]
