"""The curated set of a round: what is kept and why, figures of it, and what changed since the round before."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from humpback.config import Config, PromptsConfig, load_config
from humpback.errors import ConfigError, NothingLeftError
from humpback.pipeline import run_pipeline
from humpback.progress import SilentProgress
from humpback.prompts import ChatFormat, PromptContract
from humpback.records import Candidate, Curated, Rating, Source
from humpback.stages.context import StageContext
from humpback.stages.curate import curate
from humpback.workspace import RunFolder, StepFolder, dropped_rows, read_rows, write_rows

SUBJECTS = ("bake flour dough oven", "mast harbour anchor sail", "bond equity loan hedge", "prune seed mulch soil")


def candidate(number, host=None):
    draw = random.Random(number)
    words = [draw.choice(SUBJECTS[number % 4].split()) for _ in range(30)]
    source = Source(f"https://{host or f's{number % 7}.org'}/{number}")
    return Candidate(f"c{number:03d}", f"How do I {words[0]}?", " ".join(words), ["Title"], source)


@pytest.fixture
def stage(tmp_path):
    """Runs the stage on rows with ratings, in shards of seven; the facts, the kept and the dropped rows."""

    def run(rows, ratings, name="curated-1", before=None, rows_per_shard=7, **settings):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for part, some in enumerate(rows[at : at + 50] for at in range(0, len(rows), 50)):
            write_rows(folder / f"candidates/part-{part:05d}.parquet", some, Candidate)
        write_rows(folder / "ratings/part-00000.parquet", ratings, Rating)
        inputs = {"candidates": folder / "candidates", "ratings-1": folder / "ratings"}
        if before is not None:
            inputs["curated-0"] = folder / "before"
            write_rows(folder / "before/part-00000.parquet", before, Curated)
        output = StepFolder(folder / name, name)
        engine = {"kind": "scripted", "rows_per_shard": rows_per_shard}
        rate = {"judge": "calibrated" if "target_precision" in settings else "rubric"}
        config = Config.model_validate({"seed": "s", "corpus": "c", "engine": engine, "rate": rate, "curate": settings})
        prompts = PromptContract(ChatFormat.plain(), PromptsConfig())
        context = StageContext(config, output, inputs, prompts, folder, SilentProgress(), lambda *args: None)
        facts = curate(context).facts
        return facts, list(read_rows(output.path, Curated)), list(dropped_rows(output.path))

    return run


def ratings_of(rows, score=lambda number: 1 + number % 41 / 10, p_good=lambda number: None):
    return [Rating(row.id, score(number), p_good=p_good(number)) for number, row in enumerate(rows)]


def test_the_set_does_not_depend_on_order_or_shards(stage):
    rows = [candidate(number) for number in range(120)]
    ratings = ratings_of(rows)
    settings = {"diversity": 0.5, "max_share_per_source": 0.2}
    facts, kept, dropped = stage(rows, ratings, **settings)
    mixed, mixed_kept, mixed_dropped = stage(rows[::-1], ratings[::-1], rows_per_shard=11, **settings)
    assert mixed == facts
    assert mixed_kept == kept[::-1]
    assert mixed_dropped == dropped[::-1]
    assert [row.id for row in kept] == sorted(row.id for row in kept)
    assert {row.id for row in kept} | {row.id for row in dropped} == {row.id for row in rows}


def test_a_source_gives_its_share_and_the_rest_of_it_says_why(stage):
    rows = [candidate(number, "big.org" if number >= 60 else None) for number in range(120)]
    facts, kept, dropped = stage(rows, ratings_of(rows, lambda number: 1 + number / 30), max_share_per_source=0.25)
    assert facts["most_per_source"] == 12
    assert len(kept) == 48
    assert facts["sources"]["largest"]["big.org"] == 12
    assert Counter(row.reason for row in dropped) == {"source_full": 48, "not_among_best": 24}
    assert facts["sources"]["all"] == 8
    assert all(row.detail.startswith("rated ") for row in dropped)


def test_diversity_keeps_topics_that_are_rated_low(stage):
    rows = [candidate(number) for number in range(200)]
    ratings = ratings_of(rows, lambda number: 4.5 - number % 4 + number / 1000)
    plain, kept, _ = stage(rows, ratings)
    spread, spread_kept, dropped = stage(rows, ratings, diversity=1)
    assert len(kept) == len(spread_kept) == 80
    assert {int(row.id[1:]) % 4 for row in kept} == {0, 1}
    assert set(Counter(int(row.id[1:]) % 4 for row in spread_kept).values()) == {20}
    assert plain["topics"]["effective_kept"] < spread["topics"]["effective_kept"]
    assert spread["topics"]["kept"] == spread["topics"]["all"] == plain["topics"]["all"]
    assert {str(row.reason) for row in dropped} == {"too_similar", "not_among_best"}


def test_a_target_precision_goes_by_the_probabilities(stage):
    rows = [candidate(number) for number in range(100)]
    ratings = ratings_of(rows, p_good=lambda number: 1 - number / 100)
    facts, kept, dropped = stage(rows, ratings, target_precision=0.9)
    assert [row.id for row in kept] == [f"c{number:03d}" for number in range(21)]
    assert facts["mean_p_good"] == pytest.approx(0.9)
    assert facts["rule"] == "target_precision: 0.9"
    assert dropped[0].detail == "good with probability 0.790, rated 3.100"


def test_without_probabilities_a_target_precision_is_refused(stage):
    rows = [candidate(number) for number in range(10)]
    ratings = ratings_of(rows, p_good=lambda number: 0.5 if number else None)
    with pytest.raises(ConfigError, match=r"target_precision: 1 of the 10 ratings in .*ratings.*rate\.judge: calibr"):
        stage(rows, ratings, target_precision=0.5)


def test_a_target_that_no_row_reaches_says_which_would_do(stage):
    rows = [candidate(number) for number in range(10)]
    ratings = ratings_of(rows, p_good=lambda number: 0.7236 if number == 3 else 0.1)
    with pytest.raises(NothingLeftError, match=r"best is good with probability 0\.724\. .* to at most 0\.723,"):
        stage(rows, ratings, target_precision=0.9)
    assert len(stage(rows, ratings, target_precision=0.723)[1]) == 1


def test_rows_without_a_rating_are_never_kept(stage):
    rows = [candidate(number) for number in range(10)]
    ratings = [Rating(row.id, None if number < 5 else 3.0, "no_score") for number, row in enumerate(rows)]
    _, kept, dropped = stage(rows, ratings, keep_fraction=1)
    assert [row.id for row in kept] == [row.id for row in rows[5:]]
    assert {(str(row.reason), row.detail) for row in dropped} == {("unparsed", "no_score")}


def test_a_later_round_says_what_changed(stage):
    rows = [candidate(number) for number in range(40)]
    best_first = ratings_of(rows, lambda number: 5 - number / 10)
    _, first, _ = stage(rows, best_first)
    facts, now, _ = stage(rows, best_first, "curated-2", before=first)
    assert (facts["entered"], facts["left"], facts["stayed"], facts["topic_shift"]) == (0, 0, 16, 0)
    assert facts["mean_chars_before"] == facts["mean_chars"]
    assert {row.round for row in now} == {2}
    one_subject = ratings_of(rows, lambda number: 5 - number % 4 if number % 4 else 5)
    facts, now, _ = stage(rows, one_subject, "curated-2", before=first)
    stayed = len({row.id for row in first} & {row.id for row in now})
    assert (facts["entered"], facts["left"], facts["stayed"]) == (16 - stayed, 16 - stayed, stayed)
    assert 0 < facts["topic_shift"] <= 1


def test_every_round_of_a_run_has_its_figures_and_is_compared_with_the_one_before(small_inputs):
    config = load_config(small_inputs.config, ["curate.max_share_per_source=0.5"])
    run_pipeline(config, target="curate")
    first, second = (RunFolder(config.folder).step(f"curated-{number}") for number in (1, 2))
    sets = [{row.id for row in read_rows(step.path, Curated)} for step in (first, second)]
    facts = second.manifest().facts
    assert (facts["entered"], facts["left"]) == (len(sets[1] - sets[0]), len(sets[0] - sets[1]))
    assert "entered" not in first.manifest().facts
    for step in (first, second):
        found = step.manifest()
        assert found.facts["sources"] == {"all": 1, "kept": 1, "largest": {str(small_inputs.corpus): found.rows}}
        assert found.rows == found.facts["most_per_source"]
        assert found.dropped["source_full"] > 0


def test_labelled_bad_pairs_go_and_the_rest_is_measured(stage, tmp_path):
    rows = [candidate(number) for number in range(20)]
    labels = tmp_path / "labels.csv"
    labels.write_text("id,good\nc019,no\nc018,yes\nc001,yes\nc000,no\n", encoding="utf-8")
    ratings = ratings_of(rows, score=lambda number: 1 + number / 10)
    facts, kept, dropped = stage(rows, ratings, keep_fraction=0.2, labels=labels)
    assert [row.id for row in kept] == ["c015", "c016", "c017", "c018"]
    assert next(row for row in dropped if row.id == "c019").reason == "labelled_bad"
    expected = {"labelled": 4, "good": 2, "kept": 2, "precision": 0.5, "recall": 0.5, "auc": 0.5}
    assert facts["labels"] == expected


def test_labels_of_other_pairs_are_refused(stage, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,good\nother,no\n", encoding="utf-8")
    rows = [candidate(number) for number in range(10)]
    with pytest.raises(ConfigError, match=r"curate\.labels: none of the 1 ids in .*labels\.csv is that of a candidate"):
        stage(rows, ratings_of(rows), labels=labels)
