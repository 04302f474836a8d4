"""What a run would do."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.errors import NothingLeftError
from humpback.judge.defects import Defect
from humpback.pipeline import make_plan, run_pipeline, run_state


def test_a_plan_counts_rows_without_running(small_inputs):
    config = load_config(small_inputs.config)
    plan = make_plan(config)
    assert not plan.probed
    steps = {step.name: step for step in plan.steps}
    assert list(steps) == [state.step.name for state in run_state(config)]
    assert {step.status for step in plan.steps} == {"to do"}
    assert (steps["seed"].rows, steps["segments"].rows, steps["curated-1"].rows) == (22, 24, 10)
    assert not (config.folder / "segments").exists()
    written = json.loads((config.folder / "plan.json").read_text())
    assert set(written["steps"]) == set(steps)


def test_a_plan_of_a_finished_run_has_nothing_left(small_inputs):
    config = load_config(small_inputs.config)
    run_pipeline(config)
    plan = make_plan(config)
    assert {step.status for step in plan.steps} == {"done"}
    assert (plan.seconds, plan.bytes) == (0, 0)
    assert all(step.bytes > 0 for step in plan.steps)


def test_a_limit_on_segments_is_planned_with(small_inputs):
    config = load_config(small_inputs.config, ["ingest.max_segments=10", "rounds=1"])
    steps = {step.name: step for step in make_plan(config).steps}
    assert (steps["segments"].rows, steps["candidates"].rows, steps["curated-1"].rows) == (10, 10, 4)
    assert "curated-2" not in steps


def test_a_corpus_without_segments_cannot_be_planned(small_inputs):
    config = load_config(small_inputs.config, ["ingest.min_chars=2900"])
    with pytest.raises(NothingLeftError, match="none of its 8 documents holds a segment"):
        make_plan(config)


def test_the_judge_and_the_comparison_of_rounds_are_planned_as_what_they_are(small_inputs):
    overrides = ["seed=builtin", "rounds=1", "rate.judge=calibrated", "stop_when_worse=true"]
    config = load_config(small_inputs.config, [*overrides, "rate.max_calibration_pairs=10"])
    steps = {step.name: step for step in make_plan(config).steps}
    assert steps["judge-1"].rows == 10 * (1 + len(Defect))
    assert steps["judge-1"].tokens and steps["judge-1"].tokens > 50 * steps["judge-1"].rows
    assert (steps["verdict-1"].rows, steps["verdict-1"].tokens, steps["verdict-1"].bytes) == (None, None, None)
    run_pipeline(config)
    assert make_plan(config).seconds == 0
