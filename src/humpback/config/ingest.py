"""What is read, what becomes a segment, and what is filtered out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from humpback.config.section import Fraction, Section


class LimitsConfig(Section):
    """What one document may cost; one that costs more is set aside with its reason, and the rest goes on."""

    max_document_bytes: int = Field(default=20_000_000, ge=1000)
    """Largest document, decompressed (ours: the longest books have a tenth of it)."""

    document_seconds: float = Field(default=20, gt=0)
    """Longest time for one document (ours: ordinary ones take milliseconds)."""

    memory_gib: float = Field(default=2, ge=0.5)
    """Memory that a reading process may take beyond what it starts with."""

    archive_depth: int = Field(default=3, ge=0)
    """Archives within archives are opened down to here."""


class QualityConfig(Section):
    """Quality rules for segments, beside the paper's. Null switches a rule off.

    Gopher is Rae et al. 2021 (arXiv 2112.11446, appendix A.1), FineWeb Penedo et al. 2024 (arXiv 2406.17557,
    section 3.6), C4 Raffel et al. 2020 (arXiv 1910.10683, section 2.2).
    """

    min_mean_word_chars: float | None = Field(default=3, ge=0)
    """Shortest mean length of words (Gopher); languages without spaces are exempt."""

    max_mean_word_chars: float | None = Field(default=10, ge=0)
    """Longest mean length of words (Gopher); languages without spaces are exempt."""

    max_symbols: float | None = Field(default=0.1, ge=0)
    """Most `#` and ellipses per word (Gopher); marks of Markdown headings and code do not count."""

    max_bullet_lines: float | None = Field(default=0.9, ge=0, le=1)
    """Largest share of lines that start with a bullet (Gopher)."""

    max_ellipsis_lines: float | None = Field(default=0.3, ge=0, le=1)
    """Largest share of lines that end with an ellipsis (Gopher)."""

    min_words_with_letters: float | None = Field(default=0.75, ge=0, le=1)
    """Smallest share of words with a letter in them (Gopher has .8; ours: recipes with their quantities have .76)."""

    min_stop_words: int | None = Field(default=2, ge=0)
    """At least so many different ones of "the, be, to, of, and, that, have, with" (Gopher); English only."""

    max_repeated_line_chars: float | None = Field(default=0.2, ge=0, le=1)
    """Largest share of characters in lines that came before in the segment (Gopher)."""

    max_repeated_ngram_chars: float | None = Field(default=1.5, ge=0)
    """Largest share of characters in repeated word n-grams, as a multiple of Gopher's bounds: .20, .18 and .16
    for the most frequent 2- to 4-gram, .15 falling to .10 for all repeated 5- to 10-grams (1.5 is ours: they are for
    whole pages, and what lies between is mostly good text in segments)."""

    min_punctuated_lines: float | None = Field(default=0.12, ge=0, le=1)
    """Smallest share of lines that end with punctuation (FineWeb); list items, tables and code do not count."""

    max_short_lines: float | None = Field(default=0.67, ge=0, le=1)
    """Largest share of lines of under 30 characters (FineWeb); list items, tables and code do not count."""

    max_boilerplate: float | None = Field(default=0.1, ge=0, le=1)
    """Largest share of characters in lines with the phrases of cookie notices, subscriptions and the like (C4 drops
    a page for one; the share is ours)."""

    max_links: float | None = Field(default=0.4, ge=0, le=1)
    """Largest share of characters that are link texts (ours: beyond it a text lists where to go)."""

    drop_truncated: bool = True
    """Drop segments that break off: a teaser's "read more", an ellipsis at the end, half a sentence (C4 asks for
    terminal punctuation)."""

    max_digits: float | None = Field(default=0.25, ge=0, le=1)
    """Largest share of digits among letters and digits (ours: beyond it a text is a table of numbers)."""

    max_blocked_words: int | None = Field(default=1, ge=0)
    """Most occurrences of words from the list of sexual and abusive ones (C4 drops a page for one; ours: a medical
    or historical text may need one)."""

    blocked_words: Path | None = None
    """Your own list instead of the built-in English one: a text file, one word or phrase a line."""


PersonalKind = Literal["email", "phone", "card", "account", "ip", "us_ssn"]


class PersonalDataConfig(Section):
    """E-mail addresses, phone, card and account numbers and IP addresses in segments."""

    action: Literal["drop", "redact", "keep"] = "drop"
    """`drop` sets the segment aside; `redact` puts `<email>` and the like in the place of each, so that the output is
    no longer the source's byte for byte."""

    kinds: list[PersonalKind] = Field(default_factory=lambda: list(get_args(PersonalKind)))
    """What is looked for. Addresses such as `info@`, toll-free numbers and example domains belong to no person and
    are left alone."""

    phone_region: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    """Country whose rules apply to phone numbers without a country code."""


class NearDuplicateConfig(Section):
    """Segments that differ by a few edited words: the better one stays."""

    enabled: bool = True
    """Whether they are looked for; equal texts always are."""

    similarity: float = Field(default=0.4, gt=0, lt=1)
    """Smallest Jaccard similarity of two texts' word 2-grams for which they count as near-duplicates (ours: texts of
    which a fifth of the words were edited have some 0.47). Most of the smaller text must also have its like in the
    other, so that pages with a passage in common stay."""


class DecontaminateConfig(Section):
    """Seed pairs and segments that overlap evaluation prompts are dropped."""

    enabled: bool = True
    """Whether they are looked for."""

    against: list[str] = Field(default_factory=list)
    """Evaluation sets: files, folders or hub names. Those of `evaluate.sets` are always among them."""

    defaults: bool = True
    """Also the well-known sets, as far as they lie in the hub's local cache; nothing is downloaded for it."""

    ngram: int = Field(default=8, ge=2)
    """Words in a row that must meet (Tülu 3, arXiv 2411.15124, section 3.2: 8); 4 to 6 for shorter prompts, so that
    an edited word does not hide them."""

    overlap: Fraction = 0.5
    """Share of a prompt's words that must be covered by such runs (Tülu 3: more than half); of short prompts most
    words must also stand there in order."""


class IngestConfig(Section):
    """Seed pairs and documents: what is read, and which segments stay."""

    seed_format: Literal["auto", "pairs", "oasst", "sharegpt", "messages", "self_instruct", "ranked"] = "auto"
    """Form of the seed files; `auto` looks at the first rows."""

    seed_limit: int | None = Field(default=None, ge=10)
    """Use only so many seed pairs, chosen by the run's random seed; null uses all."""

    seed_language: str | None = "en"
    """Keep only this language where rows state theirs (OpenAssistant trees do); null keeps all."""

    held_out_fraction: float = Field(default=0.1, ge=0.02, le=0.5)
    """Share of the seed that no model is trained on; losses are measured on it (ours: 10 % is the custom)."""

    calibration_fraction: float | None = Field(default=None, ge=0.02, le=0.5)
    """Share of the seed that no model is trained on and the evaluation does not measure: `rate.judge: calibrated`
    plants defects in it, `stop_when_worse` compares rounds on it. Null: 0.15 with either (ours: 60 pairs of 400), else
    none."""

    text_column: str | None = None
    """Column that holds the text in tables; null takes `text`, `content` or the like, else the longest strings."""

    max_documents: int | None = Field(default=None, ge=1)
    """Read only so many documents; null reads all."""

    max_segments: int | None = Field(default=None, ge=1)
    """Keep only so many segments, spread evenly over the corpus; null keeps all."""

    min_chars: int = Field(default=600, ge=1)
    """Shortest segment (paper, appendix E)."""

    max_chars: int = Field(default=3000, ge=1)
    """Longest segment (paper, appendix E)."""

    merge_short: bool = True
    """Neighbouring sections that are too short by themselves become one segment under their parent's header (ours:
    the paper drops them)."""

    split_long: bool = True
    """Sections that are too long and have no subsections are cut between paragraphs (ours: the paper drops them)."""

    languages: list[str] | None = Field(default_factory=lambda: ["en"])
    """Keep segments in these languages, as fastText's lid.176 calls them: ISO 639-1 codes where there is one (`no`
    for Norwegian Bokmål); null keeps all."""

    max_sentence_overlap: Fraction = 0.6
    """Sentences of a segment that share more than this Jaccard share of their word 3-grams repeat one another.
    The paper (appendix E) names the measure, not its value; 0.6 is ours."""

    max_upper_case: Fraction = 0.5
    """A header with more than this share of upper-case letters is dropped (paper: "mostly")."""

    max_code: Fraction = 0.5
    """A segment with more than this share of its characters in code blocks, tables or link addresses is dropped
    (ours: half of it is no prose)."""

    max_broken_fraction: float = Field(default=0.01, ge=0, le=1)
    """Unreadable rows up to this share of a file are set aside and counted; more, and the run refuses the file
    (ours: a slip in a large file is no reason to stop, one in a hundred rows is a sign that something is wrong)."""

    documents_per_shard: int = Field(default=500, ge=1)
    """Documents handled and written at once; an interrupted run goes on at the next shard."""

    workers: int | None = Field(default=None, ge=1)
    """Processes that read and cut documents; null takes one a core."""

    limits: LimitsConfig = LimitsConfig()
    quality: QualityConfig = QualityConfig()
    personal_data: PersonalDataConfig = PersonalDataConfig()
    near_duplicates: NearDuplicateConfig = NearDuplicateConfig()
    decontaminate: DecontaminateConfig = DecontaminateConfig()

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> IngestConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) is above max_chars ({self.max_chars})")
        return self
