"""A run at another size."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.errors import InputError
from humpback.pipeline import plan_at, run_pipeline
from humpback.pipeline.accelerators import ACCELERATORS, SHAPES, Cluster
from humpback.pipeline.outlook import START_SECONDS, corrected, growth
from humpback.pipeline.plan import CURATE_SECONDS
from humpback.pipeline.probe import Speeds

SPEEDS = Speeds(generate=1.0, rate=0.5, evaluate=0.1, train_token=0.01, load=2.0)
EIGHT = Cluster(ACCELERATORS["h100"], gpus=8, cores=100, shape=SHAPES["7B"])


@pytest.fixture
def probed(monkeypatch):
    """Speeds as if a model had been timed, so that no model is needed."""
    monkeypatch.setattr("humpback.pipeline.outlook._speeds", lambda config, now: SPEEDS)


def short(small_inputs, *overrides: str):
    return load_config(small_inputs.config, ["rounds=1", "augment.samples=1", *overrides])


@pytest.mark.parametrize(
    ("at", "factor"), [("10x", 10), ("0.5x", 0.5), ("500k", 2500), ("2M", 10_000), ("400", 2), ("internet", 5e6)]
)
def test_sizes_can_be_named(at, factor):
    assert growth(at, 200) == factor


@pytest.mark.parametrize("at", ["x10", "10 x", "much", "-3x", "5G", ""])
def test_what_is_no_size_is_refused(at):
    with pytest.raises(InputError, match="give a multiple"):
        growth(at, 200)


def test_work_a_row_grows_and_the_seed_s_does_not(small_inputs, probed):
    config = short(small_inputs)
    once, tenfold = (plan_at(config, at) for at in ("1x", "10x"))
    assert (tenfold.segments, tenfold.documents) == (10 * once.segments, 10 * once.documents)
    first, later = ({step.name: step.seconds for step in found.steps} for found in (once, tenfold))
    assert first["candidates"] == pytest.approx(2 + 24 * 1.0) and later["candidates"] == pytest.approx(2 + 240 * 1.0)
    assert later["ratings-1"] == pytest.approx(2 + 240 * 0.5)
    assert later["curated-1"] == pytest.approx(240 * CURATE_SECONDS)
    assert later["models/m0"] == first["models/m0"]
    assert tenfold.bottleneck is not None and tenfold.bottleneck.seconds == max(filter(None, later.values()))
    assert tenfold.gpu_hours == 0


def test_a_run_of_a_part_of_its_segments_does_not_need_ten_times_the_documents(small_inputs, probed):
    found = plan_at(short(small_inputs, "ingest.max_segments=2"), "10x")
    assert (found.segments, found.documents) == (20, 8)


def test_steps_that_are_done_correct_the_estimate(small_inputs, probed):
    config = short(small_inputs)
    run_pipeline(config)
    manifest = config.folder / "curated-1" / "stage.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"seconds": 7.0}))
    steps = {step.name: step.seconds for step in plan_at(config, "10x").steps}
    assert steps["curated-1"] == pytest.approx(7.0, abs=0.1)


@pytest.mark.parametrize(
    ("took", "larger"),
    [
        (100.0, 1000.0),  # as foreseen
        (50.0, 500.0),  # twice as fast
        (110.0, 1010.0),  # what it needs to start
        (220.0, START_SECONDS + 2000.0),  # no start takes so long: the rows took twice as long
    ],
)
def test_a_start_does_not_grow_with_the_rows(took, larger):
    assert corrected(1000.0, 100.0, took) == pytest.approx(larger)
    assert corrected(5.0, 0.0, 3.0) == 8.0


def test_a_cluster_takes_the_tokens_and_its_cores_the_documents(small_inputs, probed):
    config = short(small_inputs, "ingest.workers=2")
    here, there = plan_at(config, "500k"), plan_at(config, "500k", EIGHT)
    own, rented = ({step.name: step for step in found.steps} for found in (here, there))
    assert rented["passages"].limited_by == "processor cores"
    # Near-duplicates are looked for by all cores, overlap with evaluation prompts by one.
    assert rented["segments"].limited_by == own["segments"].limited_by == "one processor core"
    assert 0.5 < rented["segments"].seconds / own["segments"].seconds < 0.7
    assert rented["ratings-1"].limited_by == "GPU compute"
    assert rented["ratings-1"].seconds < own["ratings-1"].seconds / 100
    assert there.gpu_hours == pytest.approx(
        sum(8 * step.seconds for step in there.steps if step.limited_by and "GPU" in step.limited_by) / 3600
    )


def test_more_gpus_than_rows_in_a_batch_do_not_speed_up_training(small_inputs, probed):
    config = short(small_inputs)
    found = [
        next(step for step in plan_at(config, "500k", cluster).steps if step.name == "models/m1")
        for cluster in (EIGHT, Cluster(ACCELERATORS["h100"], 64, 100, SHAPES["7B"]))
    ]
    assert found[1].limited_by == "rows of a training batch"
    assert found[1].seconds == pytest.approx(found[0].seconds * 8 / 32)


def test_what_does_not_fit_is_said_worst_first(small_inputs, probed, monkeypatch):
    monkeypatch.setattr("humpback.pipeline.outlook.memory_bytes", lambda: 2**30)
    cluster = Cluster(ACCELERATORS["h100"], 4, 100, SHAPES["70B"])
    warnings = plan_at(short(small_inputs), "internet", cluster).warnings
    assert "memory in one process; this machine has 1" in warnings[0]
    assert any("memory of 16 such GPUs" in warning for warning in warnings)
    assert plan_at(short(small_inputs), "1x").warnings == []


def test_a_cluster_that_holds_no_copy_of_the_model_is_refused(small_inputs, probed):
    with pytest.raises(InputError, match="--gpus 2: one copy of the model takes 4 such GPUs"):
        plan_at(short(small_inputs), "1x", Cluster(ACCELERATORS["h100"], 2, 100, SHAPES["70B"]))


def test_a_cluster_needs_a_measured_model(small_inputs):
    with pytest.raises(InputError, match="choose it by --engine"):
        plan_at(load_config(small_inputs.config), "1x", EIGHT)
