"""Runs side by side: paired where they saw the same pairs, refused where one is not finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from humpback.config import load_config
from humpback.errors import InputError, WorkspaceError
from humpback.pipeline import run_pipeline
from humpback.pipeline.compare import compare_runs
from humpback.report.compare_page import compare_page
from humpback.report.measured import render_measured
from humpback.report.outcome import Interval


@pytest.fixture(scope="module")
def runs(write_inputs_to, tmp_path_factory) -> dict[str, Path]:
    inputs = write_inputs_to(tmp_path_factory.mktemp("compare") / "inputs")
    settings = {
        "first": [],
        "half": ["curate.keep_fraction=0.5"],
        "others": ["ingest.held_out_fraction=0.3"],
    }
    folders = {}
    for name, overrides in settings.items():
        config = load_config(inputs.config, [f"name={name}", "rounds=1", *overrides])
        run_pipeline(config)
        folders[name] = config.folder
    return folders


def test_last_models_are_compared_pair_by_pair(runs):
    found = compare_runs([runs["first"], runs["half"]])
    (one,) = found.differences
    losses = [json.loads((runs[n] / "evaluation/losses-m1.json").read_text())["seed"] for n in ("first", "half")]
    mean = sum(ours - theirs for theirs, ours in zip(*losses, strict=True)) / len(losses[0])
    assert (one.set_name, one.run, one.pairs) == ("seed", "half", len(losses[0]))
    assert one.mean == pytest.approx(mean)
    assert one.low <= one.mean <= one.high
    assert found.settings == {"curate.keep_fraction": ["null", "0.5"]}


def test_other_pairs_are_not_compared(runs):
    found = compare_runs([runs["first"], runs["others"]])
    assert found.differences == []
    page = render_measured(compare_page([(run.name, run.report) for run in found.runs], {}, found.settings))
    assert "not measured on the same pairs" in page


def test_the_page_shows_every_run(runs):
    found = compare_runs(list(runs.values()))
    by_set = {"seed": [(one.run, Interval(one.mean, one.low, one.high)) for one in found.differences]}
    page = render_measured(compare_page([(run.name, run.report) for run in found.runs], by_set, found.settings))
    for name in runs:
        assert f"{name} m1" in page
    assert "<script" not in page
    assert "curate.keep_fraction" in page


def test_runs_of_the_same_name_go_by_their_folders(runs, tmp_path):
    (tmp_path / "first").symlink_to(runs["half"])
    names = [run.name for run in compare_runs([runs["first"], runs["half"]]).runs]
    assert names == ["first", "half"]
    names = [run.name for run in compare_runs([runs["first"], runs["first"]]).runs]
    assert names == [str(runs["first"])] * 2


def test_what_cannot_be_compared(runs, tmp_path, small_inputs):
    with pytest.raises(InputError, match="at least two runs"):
        compare_runs([runs["first"]])
    with pytest.raises(WorkspaceError, match="is no run's folder"):
        compare_runs([runs["first"], tmp_path])
    config = load_config(small_inputs.config)
    run_pipeline(config, target="candidates")
    with pytest.raises(InputError, match="ratings-1 is not finished"):
        compare_runs([runs["first"], config.folder])
