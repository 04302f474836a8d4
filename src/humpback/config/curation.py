"""How instructions are written, rated and chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from humpback.config.section import Fraction, Section


class LintConfig(Section):
    """Which sampled instructions are thrown out on sight, alone or beside their text. Null or `false` switches a rule
    off. Rules that go by words know English, some of them other languages too; the others read any."""

    enabled: bool = True
    """`false`: only an instruction without a letter or digit is thrown out."""

    leaked_prompt: bool = True
    """Pieces of the prompt, control tokens, talk of instructions and replies."""

    refusal: bool = True
    """It declines: "I cannot help with that", "As an AI language model, I ..."."""

    other_turn: bool = True
    """The assistant speaks, a next turn begins, or a question is answered."""

    max_copied_words: int | None = Field(default=12, ge=1)
    """Longest run of words, of what it states, that the text has too; three times as long of what it asks (ours,
    docs/curation.md)."""

    max_copied_share: Fraction | None = 0.6
    """Largest share of the words that it states which stand in runs of four that the text has too (ours,
    docs/curation.md)."""

    max_repeated: Fraction | None = 0.3
    """Largest share of words that stand in runs of four which came before (ours, docs/curation.md)."""

    min_words: int | None = Field(default=2, ge=1)
    """Fewest words (ours: of a single one nobody can tell what is asked)."""

    title: bool = True
    """A title, such as a header of the text, instead of a request."""

    no_request: bool = True
    """Twelve words or more without a question, request or wish, or several headings."""

    language: bool = True
    """Another language than the text's, where both are sure."""

    missing_text: bool = True
    """Speaks of a text that it does not bring, such as "this article"."""

    max_requests: int | None = Field(default=4, ge=1)
    """Most questions and numbered requests in one instruction (ours, docs/curation.md)."""

    unfinished: bool = True
    """Ends with a word or sign that something must follow."""

    max_chars: int | None = Field(default=1200, ge=1)
    """Longest instruction (ours: in the paper those of the seed have 148 +- 322 characters, the best candidates' 115 +-
    175, table 2)."""

    max_same_instruction: int | None = Field(default=3, ge=1)
    """Of equal instructions in the whole run at most so many stay (ours: the same question may have several good
    answers; one that fits any text is no question to it)."""


class AugmentConfig(Section):
    """Sampling an instruction for every segment."""

    temperature: float = Field(default=0.7, gt=0, le=2)
    """Sampling temperature (paper, section 3.1)."""

    top_p: Fraction = 0.9
    """Nucleus sampling (paper, section 3.1)."""

    max_new_tokens: int = Field(default=128, ge=1)
    """Longest instruction; one that has not ended by then is sampled again, or dropped."""

    samples: int | None = Field(default=None, ge=1)
    """Instructions that are sampled for each text, of which the one stays that fits it best under the backward and the
    seed model and is about as long as the seed's (docs/curation.md). Null: 2 where the engine gives the likelihood of
    a given text, else 1."""

    resample: int = Field(default=2, ge=0)
    """How often an instruction that the linter throws out is sampled again before its text is dropped (ours)."""

    lint: LintConfig = LintConfig()


class RateConfig(Section):
    """Rating every candidate with the previous round's model."""

    method: Literal["expected", "written"] = "expected"
    """How the rubric's score is had. `expected`: one forward pass, mean under the probabilities of 1 to 5. `written`:
    the paper's judgement, a reason and then `Score: n` (section 2.3), many times slower."""

    judge: Literal["rubric", "calibrated"] = "calibrated"
    """`calibrated`: the rating comes from signals of the model's likelihoods and of the texts, weighed by a judge that
    is fitted each round to seed pairs with planted defects (docs/curation.md); two passes over each answer. `rubric`:
    the paper's way, the rating is the score that the model gives (section 2.3); one pass, and small models hardly tell
    good pairs from bad ones by it."""

    max_calibration_pairs: int = Field(default=60, ge=10)
    """The calibrated judge plants every kind of defect in so many seed pairs at most."""

    unfit: Literal["stop", "warn"] = "stop"
    """What to do, before any candidate is rated, where the calibrated judge does not tell planted defects from good
    pairs."""

    fallback: list[Literal["chosen", "written"]] = Field(default_factory=list)
    """What to do instead, in this order, on an engine that cannot give the log-probabilities of scores: let it answer
    with one of the scores and nothing else, or in writing. Every rating says how it was had. Empty: stop, saying so."""

    max_new_tokens: int = Field(default=200, ge=8)
    """Longest written judgement."""

    temperature: float = Field(default=0.7, gt=0, le=2)
    """Sampling temperature of written judgements (paper, section 3.1)."""

    top_p: Fraction = 0.9
    """Nucleus of written judgements (paper, section 3.1)."""


class CurateConfig(Section):
    """Which rated candidates are kept: by one rule of three, without any the best 40 %; and how they are spread."""

    threshold: float | None = Field(default=None, ge=1, le=5)
    """Keep ratings of at least this: the paper's A_4 is 4, its A_5 is 4.5 (section 3.1)."""

    keep_fraction: Fraction | None = None
    """Keep this share of the candidates, best first. The paper's A_4 is 38.8 % of all and its A_5 8.3 % (table 2)."""

    target_precision: Fraction | None = None
    """Keep as many as can be while this share of them is expected to be good, most probably good first. Needs a judge
    that gives probabilities."""

    labels: Path | None = None
    """Your own labels of candidates, a table with `id` and `good` (true or false). Pairs labelled bad are never kept; a
    calibrated judge learns from all of them; precision and recall are measured on them (`humpback curate --labels`)."""

    rewrite: bool = False
    """Let the model that rated them write the kept answers anew (Nguyen et al. 2024, arXiv 2408.04614). Models are
    trained on what it wrote; the dataset keeps the original beside it, and where a check objects, in its place."""

    max_share_per_source: Fraction | None = None
    """No source (a web page's host, an archive or table, a file's folder) gives more than this share of the number
    that the rule wants, rounded up; the next best take the places."""

    diversity: float = Field(default=0, ge=0, le=1)
    """How much the topics of the kept follow those of all candidates: 0 by rating alone, 1 the best of each topic in
    equal measure (docs/curation.md). Works with a share, since the other rules keep all that they admit."""

    @model_validator(mode="after")
    def _one_rule(self) -> CurateConfig:
        rules = ("threshold", "keep_fraction", "target_precision")
        given = [name for name in rules if getattr(self, name) is not None]
        if len(given) > 1:
            left = "one of them" if len(given) == 2 else "two of them"
            raise ValueError(f"{', '.join(given[:-1])} and {given[-1]} exclude one another: set {left} to null")
        if self.diversity and given and given != ["keep_fraction"]:
            raise ValueError(
                f"diversity changes nothing beside {given[0]}, which keeps all that it admits: set diversity to 0, or "
                f"{given[0]} to null and keep_fraction instead"
            )
        return self
