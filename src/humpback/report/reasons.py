"""What each reason for setting a row aside means, in the words of the page."""

from __future__ import annotations

from humpback.config import Config, IngestConfig, LintConfig
from humpback.records import DropReason
from humpback.report.text import share


def reason_text(reason: str, config: Config) -> str:
    """A reason of `DropReason`, or of a rating that could not be had, in a few words."""
    words = _reading(config.ingest) | _quality() | _lint(config.augment.lint) | _later(config)
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


def _lint(lint: LintConfig) -> dict[str, str]:
    return {
        DropReason.LEAKED_PROMPT: "the instruction holds a piece of the prompt",
        DropReason.REFUSAL: "the model declined to write an instruction",
        DropReason.OTHER_TURN: "the assistant speaks in the instruction, or a question is answered in it",
        DropReason.COPIED_OUTPUT: "the instruction copies the text",
        DropReason.REPEATS_ITSELF: "the instruction repeats itself",
        DropReason.TOO_FEW_WORDS: f"an instruction of fewer than {lint.min_words} words",
        DropReason.TITLE_ONLY: "a title instead of an instruction",
        DropReason.NO_REQUEST: "the instruction asks nothing",
        DropReason.LANGUAGE_MISMATCH: "the instruction is in another language than the text",
        DropReason.MISSING_TEXT: "the instruction speaks of a text that it does not bring",
        DropReason.SEVERAL_REQUESTS: f"more than {lint.max_requests} questions in one instruction",
        DropReason.INSTRUCTION_TOO_LONG: f"an instruction of more than {lint.max_chars} characters",
        DropReason.NOT_CHOSEN: "another instruction for the same text fits it better",
        DropReason.SAME_INSTRUCTION: f"{lint.max_same_instruction} others have the same instruction",
    }


def _later(config: Config) -> dict[str, str]:
    return {
        DropReason.UNFINISHED: "the instruction ends in mid-sentence, or had not ended after "
        f"{config.augment.max_new_tokens} tokens",
        DropReason.BELOW_THRESHOLD: "rated below the threshold",
        DropReason.NOT_AMONG_BEST: "rated, but not among the best",
        DropReason.SOURCE_FULL: f"its source had given {_source_share(config)} of the set by then",
        DropReason.LABELLED_BAD: "labelled bad by you (curate.labels)",
        DropReason.TOO_SIMILAR: "others of its topic were rated better, and other topics had places",
        DropReason.UNPARSED: "has no rating, so it cannot be chosen",
        "not_a_number": "the model’s probabilities were not numbers",
        "no_score": "the judgement states no score",
        "empty": "the judgement is empty",
        "other_scale": "a score on another scale",
        "out_of_range": "a score outside 1 to 5",
        "no_grade": "neither a whole nor a half point",
    }


def _source_share(config: Config) -> str:
    most = config.curate.max_share_per_source
    return "its share" if most is None else share(most, 1)


def rule_sentence(rule: str) -> str:
    """The rule of curation as a sentence; `rule` is the curating step's own word for it."""
    kind, _, value = rule.partition(": ")
    try:
        level = float(value)
    except ValueError:
        return ""
    if kind == "keep_fraction":
        return f"The best {share(level, 1)} of the rated candidates are kept. "
    if kind == "target_precision":
        return f"As many are kept as can be while {share(level, 1)} of them are expected to be good. "
    return f"Candidates rated {level:g} or more are kept. "
