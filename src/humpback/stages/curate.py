"""Keeps the candidates that were rated best (section 2.3), within bounds for sources and topics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from humpback.config import CurateConfig
from humpback.curation.figures import Kept, change_figures, set_figures
from humpback.curation.labels import quality, read_labels, refitted
from humpback.curation.select import DEFAULT_FRACTION as DEFAULT_FRACTION
from humpback.curation.select import Choice, Entrant, choose
from humpback.curation.sources import source_name
from humpback.curation.topics import topic_text, topics_of
from humpback.engines.fitting import TOO_LONG
from humpback.errors import ConfigError, NothingLeftError
from humpback.records import Candidate, Curated, Dropped, DropReason, Planted, Rating, Source
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import Shard, map_shards, read_columns, read_rows

VERSION = 2


def curate(context: StageContext) -> Outcome:
    """Writes the curated set of one round, best or not in the candidates' order, and what it leaves out.

    Raises:
        NothingLeftError: the rule keeps nothing; the message shows the ratings and the option that would help.
        ConfigError: the rule goes by probabilities that the ratings do not have.
    """
    config = context.config
    ratings_folder = next(folder for name, folder in context.inputs.items() if name.startswith("ratings"))
    ratings = {rating.candidate_id: rating for rating in _ratings(ratings_folder)}
    labels = {} if config.curate.labels is None else read_labels(config.curate.labels)
    tried = _learn(context, ratings_folder, ratings, labels) if labels else {}
    bad = {row_id for row_id, is_good in labels.items() if not is_good}
    scores = scores_of(ratings, config.curate, ratings_folder)
    sources = _sources(context.inputs["candidates"])
    topics = topics_of(lambda: _texts(context.inputs["candidates"]), config.random_seed)
    entrants = (
        Entrant(row_id, score, sources[row_id], topics[row_id]) for row_id, score in scores.items() if row_id not in bad
    )
    choice = choose(entrants, config.curate, config.random_seed)
    if not choice.kept:
        raise NothingLeftError(explain_nothing(list(ratings.values()), config.curate, ratings_folder))
    _write(context, ratings, choice, bad)
    facts = _rule_facts(config.curate, ratings, choice)
    if labels:
        lowest = min(scores[row_id] for row_id in choice.kept)
        facts["labels"] = asdict(quality(scores | tried, labels, lowest))
    kept = Kept.of(read_rows(context.output.path, Curated))
    facts |= set_figures(kept, sources, topics)
    before = next((folder for name, folder in context.inputs.items() if name.startswith("curated")), None)
    if before is not None:
        facts |= change_figures(Kept.of(read_rows(before, Curated)), kept, topics)
    return Outcome(facts)


def scores_of(ratings: Mapping[str, Rating], config: CurateConfig, folder: Path) -> dict[str, float]:
    """What each rated candidate is ranked by; candidates without a rating are never kept and count into no share.

    Raises:
        ConfigError: `target_precision` is set, and not every rating comes with a probability.
    """
    rated = [rating for rating in ratings.values() if rating.rating is not None]
    if config.target_precision is None:
        return {rating.candidate_id: rating.rating for rating in rated if rating.rating is not None}
    without = sum(rating.p_good is None for rating in rated)
    if without:
        raise ConfigError(
            [
                f"curate.target_precision: {without} of the {len(rated)} ratings in {folder} do not say how probably "
                "the pair is good; set rate.judge: calibrated, which gives it, or curate.keep_fraction instead"
            ]
        )
    return {rating.candidate_id: rating.p_good for rating in rated if rating.p_good is not None}


def _ratings(folder: Path) -> Iterator[Rating]:
    """The ratings without what is large in them."""
    for one in read_rows(folder, Rating):
        yield Rating(one.candidate_id, one.rating, one.unparsed_reason, p_good=one.p_good)


def _learn(
    context: StageContext, folder: Path, ratings: dict[str, Rating], labels: Mapping[str, bool]
) -> dict[str, float]:
    """Rates anew, in `ratings`, by a judge that knows the labels; what labelled pairs score where it does not.

    Without a calibrated judge, nothing changes and nothing is answered.

    Raises:
        ConfigError: none of the labels is of a candidate.
    """
    if not labels.keys() & ratings.keys():
        raise ConfigError(
            [
                f"curate.labels: none of the {len(labels)} ids in {context.config.curate.labels} is that of a "
                f"candidate; ids stand in {context.inputs['candidates']} and in the dataset"
            ]
        )
    judge = next((path for name, path in context.inputs.items() if name.startswith("judge")), None)
    if judge is None:
        return {}
    planted = [row for row in read_rows(judge, Planted) if row.signals]
    signals = {one.candidate_id: one.signals for one in read_rows(folder, Rating) if one.p_good is not None}
    found, tried = refitted(planted, signals, labels)
    for row_id, p_good in found.items():
        ratings[row_id] = replace(ratings[row_id], p_good=p_good, rating=1 + 4 * p_good)
    if context.config.curate.target_precision is not None:
        return tried
    return {row_id: 1 + 4 * p_good for row_id, p_good in tried.items()}


def _sources(candidates: Path) -> dict[str, str]:
    names: dict[str, str] = {}  # one string for all rows of a source
    found = ((row_id, source_name(Source(**source))) for row_id, source in read_columns(candidates, "id", "source"))
    return {row_id: names.setdefault(name, name) for row_id, name in found}


def _texts(candidates: Path) -> Iterator[tuple[str, str]]:
    for row in read_rows(candidates, Candidate):
        yield row.id, topic_text(row.instruction, row.output)


def _write(context: StageContext, ratings: Mapping[str, Rating], choice: Choice, bad: Collection[str]) -> None:
    round_number = int(context.output.name.rpartition("-")[2])

    def work(rows: list[Candidate]) -> Shard:
        kept: list[Curated] = []
        dropped: list[Dropped] = []
        for row in rows:
            rating = ratings[row.id]
            if rating.rating is not None and row.id in choice.kept:
                kept.append(
                    Curated(row.id, row.instruction, row.output, row.headers, row.source, rating.rating, round_number)
                )
            else:
                unrated = DropReason.LABELLED_BAD if row.id in bad else DropReason.UNPARSED
                reason = choice.lost.get(row.id, unrated)
                dropped.append(Dropped(row.id, reason, _detail(rating), row.instruction, row.source))
        return Shard(kept, dropped)

    candidates = read_rows(context.inputs["candidates"], Candidate)
    map_shards(candidates, context.output, Curated, work, rows_per_shard=context.config.engine.rows_per_shard)


def _detail(rating: Rating) -> str:
    if rating.rating is None:
        return rating.unparsed_reason or "unknown"
    good = "" if rating.p_good is None else f"good with probability {rating.p_good:.3f}, "
    return f"{good}rated {rating.rating:.3f}"


def _rule_facts(config: CurateConfig, ratings: Mapping[str, Rating], choice: Choice) -> dict[str, Any]:
    kept = [ratings[row_id] for row_id in sorted(choice.kept)]
    facts: dict[str, Any] = {
        "lowest_kept": min(rating.rating or 0.0 for rating in kept),
        "rule": rule_text(config),
        "most_per_source": choice.source_cap,
        "diversity": config.diversity,
    }
    probabilities = [rating.p_good for rating in kept if rating.p_good is not None]
    return facts | ({"mean_p_good": sum(probabilities) / len(probabilities)} if probabilities else {})


def rule_text(config: CurateConfig) -> str:
    """The rule in words, as the option that sets it."""
    if config.threshold is not None:
        return f"threshold: {config.threshold:g}"
    if config.target_precision is not None:
        return f"target_precision: {config.target_precision:g}"
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
    if config.target_precision is not None:
        best = max(rating.p_good or 0.0 for rating in ratings)
        return (
            f"curate.{rule_text(config)} keeps none of {len(scores)} rated candidates: the best is good with "
            f"probability {best:.3f}. Set curate.target_precision to at most {np.floor(best * 1000) / 1000:g}, or "
            "`-s curate.target_precision=null -s curate.keep_fraction=0.2`. The ratings are kept; nothing before this "
            "is run again"
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
