"""What each reason for setting a row aside means, in the words of the page."""

from __future__ import annotations

from humpback.config import Config
from humpback.records import DropReason
from humpback.report.text import share


def reason_text(reason: str, config: Config) -> str:
    """A reason of `DropReason`, or of a rating that could not be had, in a few words."""
    ingest = config.ingest
    words: dict[str, str] = {
        DropReason.UNREADABLE: "could not be read",
        DropReason.EMPTY_INSTRUCTION: "no instruction in it",
        DropReason.EMPTY_OUTPUT: "no answer in it",
        DropReason.OTHER_LANGUAGE: f"states another language than {ingest.seed_language}",
        DropReason.NO_REPLY: "a conversation without an assistant’s reply",
        DropReason.NOT_BEST_REPLY: "another reply to it was ranked higher",
        DropReason.TOO_SHORT: f"shorter than {ingest.min_chars:,} characters",
        DropReason.TOO_LONG: f"longer than {ingest.max_chars:,} characters; its subsections were looked at in turn",
        DropReason.HEADER_EMPTY: "no header above it",
        DropReason.HEADER_UPPER_CASE: f"header more than {share(ingest.max_upper_case, 1)} upper case",
        DropReason.HEADER_NAVIGATION: "header of a menu, an advertisement or the like",
        DropReason.REPEATED_SENTENCES: "sentences repeat one another",
        DropReason.MOSTLY_CODE: f"more than {share(ingest.max_code, 1)} code, tables or link addresses",
        DropReason.INSIDE_KEPT: "part of a longer section that was kept, so its text is not lost",
        DropReason.DUPLICATE: "the same text came before",
        DropReason.OVER_LIMIT: "more than the configured limit; chosen by lot",
        DropReason.UNFINISHED: f"the instruction had not ended after {config.augment.max_new_tokens} tokens",
        DropReason.BELOW_THRESHOLD: "rated below the threshold",
        DropReason.NOT_AMONG_BEST: "rated, but not among the best",
        DropReason.UNPARSED: "has no rating, so it cannot be chosen",
        "not_a_number": "the model’s probabilities were not numbers",
        "no_score": "the judgement states no score",
        "empty": "the judgement is empty",
        "other_scale": "a score on another scale",
        "out_of_range": "a score outside 1 to 5",
        "no_grade": "neither a whole nor a half point",
    }
    return words.get(reason, "")


def rule_sentence(rule: str) -> str:
    """The rule of curation as a sentence; `rule` is the curating step's own word for it."""
    kind, _, value = rule.partition(": ")
    try:
        level = float(value)
    except ValueError:
        return ""
    if kind == "keep_fraction":
        return f"The best {share(level, 1)} of the rated candidates are kept. "
    return f"Candidates rated {level:g} or more are kept. "
