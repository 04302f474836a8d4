"""The loop's stop: when a model is kept, and what the rounds after it are."""

from __future__ import annotations

import pytest

from humpback.cli.console import summary_rows
from humpback.config import load_config
from humpback.engines.scripted import SCRIPT_FILE
from humpback.errors import InputError
from humpback.pipeline import run_pipeline, run_state
from humpback.records import Curated, Rating
from humpback.stages import verdict
from humpback.workspace import RunFolder, read_rows

STOPPING = ["seed=builtin", "stop_when_worse=true", "rounds=4"]


@pytest.fixture
def run(small_inputs, monkeypatch):
    """Runs with given mean losses of the models by name; the folder and the names of the models measured."""

    def go(losses: dict[str, float], *overrides: str):
        measured: list[str] = []

        def model_losses(context, model, pairs):
            name = model.removeprefix("models/")
            measured.append(name)
            return [losses[name] + number / 100 for number in range(len(pairs.pairs))]

        monkeypatch.setattr(verdict, "model_losses", model_losses)
        config = load_config(small_inputs.config, [*STOPPING, *overrides])
        run_pipeline(config)
        return config, RunFolder(config.folder), measured

    return go


def rows(folder, name, kind):
    return list(read_rows(folder.step(name).path, kind))


def test_a_loop_that_gets_better_goes_on(run):
    _, folder, measured = run({"m0": 2.0, "m1": 1.9, "m2": 1.8, "m3": 1.7, "m4": 1.7})
    assert measured == ["m0", "m1", "m1", "m2", "m2", "m3", "m3", "m4"]
    facts = [folder.step(f"verdict-{number}").manifest().facts for number in range(1, 5)]
    assert [said["kept"] for said in facts] == [f"models/m{number}" for number in range(1, 5)]
    assert not any(said["stop"] for said in facts)
    assert facts[0]["difference"]["mean"] == pytest.approx(-0.1)


def test_a_worse_model_ends_the_loop_and_the_one_before_stays(run):
    config, folder, measured = run({"m0": 2.0, "m1": 1.9, "m2": 1.95, "m3": 1.0, "m4": 1.0})
    assert measured == ["m0", "m1", "m1", "m2"]
    script = {name: (folder.step(f"models/{name}").path / SCRIPT_FILE).read_text() for name in ("m1", "m2", "m3", "m4")}
    assert script["m3"] == script["m4"] == script["m1"] != script["m2"]
    assert rows(folder, "ratings-4", Rating) == rows(folder, "ratings-3", Rating) == rows(folder, "ratings-2", Rating)
    assert rows(folder, "curated-4", Curated) == rows(folder, "curated-2", Curated)
    assert folder.step("ratings-4").manifest().facts["carried_over"] == "ratings-2"
    assert folder.step("models/m4").manifest().facts["carried_over"] == "models/m1"
    assert all(state.status == "done" for state in run_state(config))


def test_summary_and_report_say_so(run):
    config, folder, _ = run({"m0": 2.0, "m1": 2.1}, "rounds=2")
    said = dict(summary_rows(folder, config))
    assert said["stopped"].startswith("m1 is worse than the model before by +0.1000 [+0.1000, +0.1000]")
    assert said["stopped"].endswith("models/m0 is kept")
    page = (folder.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "The loop stopped after round 1" in page and "The loop had stopped: this is ratings-1 once more." in page


def test_equal_is_not_worse(run):
    _, folder, _ = run({"m0": 2.0, "m1": 2.0}, "rounds=1")
    assert folder.step("verdict-1").manifest().facts["kept"] == "models/m1"


def test_too_few_pairs_say_what_to_do(run):
    with pytest.raises(
        InputError, match=r"stop_when_worse sets \d of \d+ pairs aside and needs 10: .*stop_when_worse: f"
    ):
        run({"m0": 2.0, "m1": 2.0}, "ingest.calibration_fraction=0.02")


def test_without_it_nothing_is_set_aside(small_inputs):
    config = load_config(small_inputs.config)
    assert config.calibration_fraction == 0
    assert not [state.step.name for state in run_state(config) if state.step.name.startswith("verdict")]
