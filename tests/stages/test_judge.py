"""The judge's step: what it is fitted to, what it writes, and when it stops a run before the expensive pass."""

from __future__ import annotations

import json

import pytest

from humpback.config import Config, load_config
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import ConfigError, EngineError, InputError
from humpback.judge.defects import Defect
from humpback.judge.fit import GOOD, Judge
from humpback.pipeline import explain, run_pipeline
from humpback.records import Curated, Example, Planted, Rating
from humpback.stages import judge, rate
from humpback.workspace import RunFolder, read_rows

CALIBRATED = ["rate.judge=calibrated", "seed=builtin", "rate.max_calibration_pairs=16"]


@pytest.fixture
def calibrated(small_inputs) -> Config:
    return load_config(small_inputs.config, CALIBRATED)


@pytest.fixture(scope="module")
def finished(write_inputs_to, tmp_path_factory) -> Config:
    """A run up to its ratings that tests only read."""
    config = load_config(write_inputs_to(tmp_path_factory.mktemp("judge") / "inputs").config, CALIBRATED)
    run_pipeline(config, target="ratings-1")
    return config


def step(config, name):
    return RunFolder(config.folder).step(name)


def test_pairs_of_the_judge_are_neither_trained_on_nor_measured_on(finished):
    seed = step(finished, "seed").path
    parts = [{row.instruction for row in read_rows(seed / name, Example)} for name in ("", "held-out", "calibration")]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert {row.pair for row in read_rows(step(finished, "judge-1").path, Planted)} <= {
        row.id for row in read_rows(seed / "calibration", Example)
    }


def test_the_rubric_takes_no_pairs(small_inputs):
    config = load_config(small_inputs.config)
    run_pipeline(config, target="seed")
    assert step(config, "seed").manifest().facts["calibration"] == 0
    assert config.calibration_fraction == 0.0


def test_every_kind_is_planted_and_read(finished):
    rows = list(read_rows(step(finished, "judge-1").path, Planted))
    kinds = {row.kind for row in rows}
    assert {GOOD, "other_instruction", "echo", "generic", "promotion"} <= kinds <= {GOOD, *map(str, Defect)}
    assert all(row.signals.keys() == rows[0].signals.keys() for row in rows)


def test_what_is_written(finished):
    folder = step(finished, "judge-1")
    fitness = json.loads((folder.path / judge.FITNESS_FILE).read_text())
    assert {one["kind"] for one in fitness["kinds"]} <= set(map(str, Defect))
    assert all(one["low"] <= one["auc"] <= one["high"] for one in fitness["kinds"])
    assert folder.manifest().facts["mean_auc"] == fitness["mean"]


def test_ratings_are_the_judges(finished):
    ratings = list(read_rows(step(finished, "ratings-1").path, Rating))
    found = Judge.from_json((step(finished, "judge-1").path / rate.JUDGE_FILE).read_text())
    assert {rating.method for rating in ratings} == {"calibrated"}
    for rating in ratings:
        assert rating.p_good == pytest.approx(found.p_good([rating.signals])[0])
        assert rating.rating == pytest.approx(1 + 4 * rating.p_good)


def test_a_target_precision_can_be_had_of_it(calibrated, small_inputs):
    config = load_config(small_inputs.config, [*CALIBRATED, "curate.target_precision=0.05"])
    run_pipeline(config, target="curated-1")
    assert step(config, "curated-1").manifest().rows > 0


def test_a_judge_that_cannot_judge_stops_the_run(calibrated, small_inputs, monkeypatch):
    constant = {"length": 1.0}
    monkeypatch.setattr(judge, "read_signals", lambda engine, prompts, pairs: [constant for _ in pairs])
    with pytest.raises(EngineError, match=r"mean AUC 0\.50 .*rate\.unfit: warn"):
        run_pipeline(calibrated, target="ratings-1")
    assert step(calibrated, "ratings-1").manifest() is None
    monkeypatch.setattr(rate, "read_signals", judge.read_signals)
    config = load_config(small_inputs.config, [*CALIBRATED, "rate.unfit=warn"])
    run_pipeline(config, target="ratings-1")
    assert step(config, "judge-1").manifest().facts["fit"] is False


def test_too_few_pairs(small_inputs):
    config = load_config(small_inputs.config, [*CALIBRATED, "ingest.calibration_fraction=0.02"])
    with pytest.raises(
        InputError, match=r"rate\.judge: calibrated sets \d of \d+ pairs aside and needs 10: bring more"
    ):
        run_pipeline(config, target="seed")


def test_an_engine_without_likelihoods(calibrated, monkeypatch):
    monkeypatch.setattr(ScriptedEngine, "abilities", frozenset())
    with pytest.raises(EngineError, match=r"set rate\.judge: rubric"):
        run_pipeline(calibrated, target="judge-1")


def test_no_more_pairs_than_asked_for(small_inputs):
    config = load_config(small_inputs.config, [*CALIBRATED, "rate.max_calibration_pairs=10"])
    run_pipeline(config, target="judge-1")
    assert len({row.pair for row in read_rows(step(config, "judge-1").path, Planted)}) == 10


def test_calibration_is_refused_without_the_judge(small_inputs):
    with pytest.raises(ConfigError, match=r"rate\.judge: calibrated"):
        load_config(small_inputs.config, ["ingest.calibration_fraction=0.2"])


def test_explain_names_the_likeliest_defects(finished):
    rating = next(read_rows(step(finished, "ratings-1").path, Rating))
    events = {event.step: event.text for event in explain(finished.folder, rating.candidate_id).events}
    found = Judge.from_json((step(finished, "judge-1").path / rate.JUDGE_FILE).read_text())
    odds = found.odds([rating.signals])[0]
    worst = found.kinds[int(odds.argmax())]
    assert events["ratings-1"].startswith(f"rated {rating.rating:.3f}; ")
    assert f"likeliest defects: {worst} ({odds.max():+.1f})" in events["ratings-1"]


def test_labels_rate_anew_and_a_changed_label_selects_anew(small_inputs, tmp_path):
    config = load_config(small_inputs.config, CALIBRATED)
    run_pipeline(config, target="ratings-1")
    before = {row.candidate_id: row for row in read_rows(step(config, "ratings-1").path, Rating)}
    labels = tmp_path / "labels.csv"

    def select(bad: set[str]):
        labels.write_text("id,good\n" + "".join(f"{row_id},{row_id not in bad}\n" for row_id in before))
        labelled = load_config(small_inputs.config, [*CALIBRATED, f"curate.labels={labels}"])
        result = run_pipeline(labelled, target="curated-1")
        return (
            result,
            list(read_rows(step(labelled, "curated-1").path, Curated)),
            step(labelled, "curated-1").manifest(),
        )

    bad = set(sorted(before)[: len(before) // 2])
    result, kept, manifest = select(bad)
    assert result.executed == ["curated-1"]
    assert not bad & {row.id for row in kept}
    assert any(row.rating != before[row.id].rating for row in kept)
    assert manifest.facts["labels"]["labelled"] == len(before)
    assert manifest.dropped["labelled_bad"] == len(bad)
    assert select(bad)[0].executed == []
    assert select(bad - {min(bad)})[0].executed == ["curated-1"]
