"""Keeps the candidates that were rated best (section 2.3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from humpback.config import CurateConfig
from humpback.engines.fitting import TOO_LONG
from humpback.errors import NothingLeftError
from humpback.randomness import derived_seed
from humpback.records import Candidate, Curated, Dropped, DropReason, Rating
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import Shard, map_shards, read_rows

VERSION = 1

DEFAULT_FRACTION = 0.4  # ours, after A_4's 38.8 % in table 2: an expected score has no fixed level, a share has


def curate(context: StageContext) -> Outcome:
    """Writes the curated set of one round, best or not in the candidates' order, and what it leaves out.

    Raises:
        NothingLeftError: the rule keeps nothing; the message shows the ratings and the option that would help.
    """
    config = context.config
    ratings_folder = next(folder for name, folder in context.inputs.items() if name.startswith("ratings"))
    round_number = int(context.output.name.rpartition("-")[2])
    ratings = {rating.candidate_id: rating for rating in read_rows(ratings_folder, Rating)}
    kept_ids = select(list(ratings.values()), config.curate, config.random_seed)
    if not kept_ids:
        raise NothingLeftError(explain_nothing(list(ratings.values()), config.curate, ratings_folder))
    missed = DropReason.NOT_AMONG_BEST if config.curate.threshold is None else DropReason.BELOW_THRESHOLD

    def work(rows: list[Candidate]) -> Shard:
        kept: list[Curated] = []
        dropped: list[Dropped] = []
        for row in rows:
            rating = ratings[row.id]
            if rating.rating is not None and row.id in kept_ids:
                kept.append(
                    Curated(row.id, row.instruction, row.output, row.headers, row.source, rating.rating, round_number)
                )
            else:
                reason = DropReason.UNPARSED if rating.rating is None else missed
                detail = rating.unparsed_reason or f"rated {rating.rating:.3f}"
                dropped.append(Dropped(row.id, reason, detail, row.instruction, row.source))
        return Shard(kept, dropped)

    candidates = read_rows(context.inputs["candidates"], Candidate)
    map_shards(candidates, context.output, Curated, work, rows_per_shard=config.engine.rows_per_shard)
    lowest = min(ratings[row_id].rating or 0.0 for row_id in kept_ids)
    return Outcome({"lowest_kept": lowest, "rule": rule_text(config.curate)})


def select(ratings: list[Rating], config: CurateConfig, random_seed: int) -> set[str]:
    """The ids that the rule keeps. Unrated candidates are never kept and do not count into the fraction."""
    rated = [(rating.rating, rating.candidate_id) for rating in ratings if rating.rating is not None]
    if config.threshold is not None:
        return {row_id for score, row_id in rated if score >= config.threshold}
    fraction = config.keep_fraction or DEFAULT_FRACTION
    count = min(len(rated), max(1, round(fraction * len(rated))))
    # Equal ratings fall by lot, not by where a row stands in the corpus.
    best = sorted(rated, key=lambda item: (-item[0], derived_seed(random_seed, "tie", item[1])))
    return {row_id for _, row_id in best[:count]}


def rule_text(config: CurateConfig) -> str:
    """The rule in words, as the option that sets it."""
    if config.threshold is not None:
        return f"threshold: {config.threshold:g}"
    return f"keep_fraction: {config.keep_fraction or DEFAULT_FRACTION:g}"


def explain_nothing(ratings: list[Rating], config: CurateConfig, folder: Path) -> str:
    """Why nothing is kept, what the ratings look like, and which option would keep something."""
    scores = np.array([rating.rating for rating in ratings if rating.rating is not None])
    if not len(scores):
        if all(rating.unparsed_reason == TOO_LONG for rating in ratings):
            return (
                f"no candidate has a rating: the question about each of the {len(ratings)} pairs is longer than the "
                "model's context; use a model with a longer one, shorter segments (ingest.max_chars) or a shorter "
                "prompts.rating_template"
            )
        return (
            f"no candidate has a rating: all {len(ratings)} are unparsed ({folder} holds the reasons); try "
            "rate.method: expected, which cannot fail to parse"
        )
    marks = {f"{share:.0%}": np.quantile(scores, 1 - share) for share in (0.5, 0.4, 0.2, 0.08)}
    levels = ", ".join(f"best {share} from {level:.3f}" for share, level in marks.items())
    counts, _ = np.histogram(scores, bins=[1, 1.5, 2.5, 3.5, 4.5, 5.0001])
    spread = ", ".join(f"{score}: {count}" for score, count in zip(range(1, 6), counts, strict=True))
    return (
        f"curate.{rule_text(config)} keeps none of {len(scores)} rated candidates. Their ratings run from "
        f"{scores.min():.3f} to {scores.max():.3f} (rounded {spread}); {levels}. Set curate.keep_fraction, e.g. "
        f"`-s curate.threshold=null -s curate.keep_fraction=0.2`, or a curate.threshold of at most {scores.max():.2f}. "
        "The ratings are kept; nothing before this is run again"
    )
