"""What each reason for setting a row aside means, in the words of the page."""

from __future__ import annotations

from humpback.config import Config, IngestConfig
from humpback.records import DropReason
from humpback.report.text import share


def reason_text(reason: str, config: Config) -> str:
    """A reason of `DropReason`, or of a rating that could not be had, in a few words."""
    words = _reading(config.ingest) | _quality() | _later(config)
    return words.get(reason, "")


def _reading(ingest: IngestConfig) -> dict[str, str]:
    limits = ingest.limits
    return {
        DropReason.UNREADABLE: "could not be read",
        DropReason.EMPTY_INSTRUCTION: "no instruction in it",
        DropReason.EMPTY_OUTPUT: "no answer in it",
        DropReason.OTHER_LANGUAGE: "in a language that was not asked for",
        DropReason.NOT_A_DOCUMENT: "holds no document: a request, an image, an error page",
        DropReason.TOO_LARGE: f"larger than {limits.max_document_bytes / 1e6:,.0f} MB",
        DropReason.STOPPED: f"took over {limits.document_seconds:g} s or {limits.memory_gib:g} GiB, or crashed",
        DropReason.NO_CONTENT: "nothing but navigation, or nothing at all",
        DropReason.TAKEN_DOWN: "of a site that was taken out of the run",
        DropReason.NO_REPLY: "a conversation without an assistant’s reply",
        DropReason.NOT_BEST_REPLY: "another reply to it was ranked higher",
        DropReason.TOO_SHORT: f"shorter than {ingest.min_chars:,} characters",
        DropReason.TOO_LONG: f"longer than {ingest.max_chars:,} characters; it was taken apart",
        DropReason.HEADER_EMPTY: "no header above it",
        DropReason.HEADER_UPPER_CASE: f"header more than {share(ingest.max_upper_case, 1)} upper case",
        DropReason.HEADER_NAVIGATION: "header of a menu, an advertisement or the like",
        DropReason.REPEATED_SENTENCES: "sentences repeat one another",
        DropReason.MOSTLY_CODE: f"more than {share(ingest.max_code, 1)} code, tables or link addresses",
        DropReason.INSIDE_KEPT: "part of a longer section that was kept, so its text is not lost",
        DropReason.DUPLICATE: "the same text came before",
        DropReason.NEAR_DUPLICATE: "a better text differs from it by a few words",
        DropReason.CONTAMINATED: "overlaps a prompt of an evaluation set",
        DropReason.OVER_LIMIT: "more than the configured limit; chosen by lot",
        DropReason.PERSONAL_DATA: "holds an e-mail address, a phone number or the like",
    }


def _quality() -> dict[str, str]:
    return {
        DropReason.WORD_LENGTH: "words too short or too long to be prose",
        DropReason.SYMBOLS: "too many symbols",
        DropReason.BULLETS: "nothing but bullet points",
        DropReason.ELLIPSES: "lines that end in an ellipsis",
        DropReason.FEW_LETTERS: "too few words with letters",
        DropReason.FEW_STOP_WORDS: "hardly a common word of English",
        DropReason.REPEATED_LINES: "lines repeat one another",
        DropReason.REPEATED_NGRAMS: "phrases repeat one another",
        DropReason.UNPUNCTUATED: "lines without punctuation",
        DropReason.SHORT_LINES: "mostly short lines",
        DropReason.BOILERPLATE: "cookie notices, subscriptions and the like",
        DropReason.MOSTLY_LINKS: "mostly links",
        DropReason.TRUNCATED: "breaks off",
        DropReason.MOSTLY_NUMBERS: "mostly numbers",
        DropReason.BLOCKED_WORDS: "sexual or abusive words",
    }


def _later(config: Config) -> dict[str, str]:
    return {
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
