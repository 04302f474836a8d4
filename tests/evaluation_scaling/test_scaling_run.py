"""Training on more and more rows: which rows, under which tags, once each, and what the command writes."""

from __future__ import annotations

import csv
import json
import sys
from xml.etree import ElementTree

import pytest

from humpback.cli import app as cli
from humpback.config import load_config
from humpback.errors import InputError, WorkspaceError
from humpback.pipeline import scaling_points
from humpback.pipeline.scaling import ScalingPlan, run_scaling
from humpback.pipeline.scaling_points import TrainingSet
from humpback.records import Curated, Example
from humpback.workspace import RunFolder, read_rows
from texts import write_pairs


@pytest.fixture
def given(small_inputs, monkeypatch):
    """The configuration, a file of 60 pairs of which some are in the seed too, and one of 40 others."""
    monkeypatch.chdir(small_inputs.folder)
    human = write_pairs(small_inputs.folder / "human.jsonl", 60)
    rows = [json.loads(line) for line in human.read_text().splitlines()[:40]]
    other = small_inputs.folder / "other.jsonl"
    lines = [
        json.dumps({"instruction": f"{row['instruction']} Now.", "output": f"So: {row['output']}"}) for row in rows
    ]
    other.write_text("\n".join(lines) + "\n")
    return small_inputs, human, other


def plan_of(human, other, sizes=(8, 16), repeats=2, factor=1.0):
    sets = [
        TrainingSet("human", human, "alone"),
        TrainingSet("augmented", other, "augmented"),
        TrainingSet("both", other, "joint"),
    ]
    return ScalingPlan(sets, sizes, repeats, factor)


@pytest.fixture
def trained(monkeypatch):
    """What every training was given: its seed rows, its curated rows, its steps."""
    calls = {}
    real = scaling_points.train_forward

    def spy(context):
        seed = [row.instruction for row in read_rows(context.inputs["seed"], Example)]
        folder = context.inputs.get("curated")
        curated = [] if folder is None else [row.instruction for row in read_rows(folder, Curated)]
        assert context.output.name not in calls
        calls[context.output.name] = (seed, curated, context.config.train.steps)
        return real(context)

    monkeypatch.setattr(scaling_points, "train_forward", spy)
    return calls


def test_lots_are_nested_and_tagged_by_their_kind(given, trained, tmp_path):
    inputs, human, other = given
    config = load_config(inputs.config)
    found, values = run_scaling(plan_of(human, other), tmp_path / "out", config)
    assert len(trained) == 3 * 2 * 2
    seed, curated, steps = trained["points/human/8-1"]
    assert (len(seed), curated, steps) == (8, [], 2)  # table 18: 30 steps for 100 rows
    assert set(seed) < set(trained["points/human/16-1"][0])
    assert set(seed) != set(trained["points/human/8-2"][0])
    held_out = {row.instruction for row in read_rows(tmp_path / "out" / "seed" / "held-out", Example)}
    assert held_out and not held_out & set(trained["points/human/16-2"][0])
    seed, curated, _ = trained["points/augmented/8-1"]
    assert (seed, len(curated)) == ([], 8)
    seed, curated, steps = trained["points/both/8-1"]
    assert (len(seed), len(curated), steps) == (21, 8, 9)
    assert [point.n for point in values["seed"][2].points] == [29, 37]
    (measured,) = found.measured
    assert (measured.name, measured.pairs, found.lower_is_better) == ("seed", len(held_out), True)
    assert measured.base.value > 0
    assert values["seed"][0].points[0].values.shape == (2, len(held_out))


def test_pairs_that_are_measured_are_set_aside(given, tmp_path):
    inputs, human, other = given
    run_scaling(plan_of(human, other), tmp_path / "out", load_config(inputs.config))
    manifest = RunFolder(tmp_path / "out").step("sets/human").manifest()
    held_out = len(list(read_rows(tmp_path / "out" / "seed" / "held-out", Example)))
    assert manifest.rows == 60 - held_out
    assert manifest.dropped == {"contaminated": held_out}


def test_what_is_finished_is_not_trained_again(given, trained, tmp_path, monkeypatch):
    inputs, human, other = given
    config = load_config(inputs.config)
    monkeypatch.setattr(scaling_points, "pair_losses", stopping_at(5))
    with pytest.raises(KeyboardInterrupt):
        run_scaling(plan_of(human, other), tmp_path / "out", config)
    assert len(trained) == 4  # the first was the untrained model
    monkeypatch.undo()
    monkeypatch.chdir(inputs.folder)
    again = []
    real = scaling_points.train_forward
    monkeypatch.setattr(
        scaling_points, "train_forward", lambda context: again.append(context.output.name) or real(context)
    )
    whole = run_scaling(plan_of(human, other), tmp_path / "out", config)[0]
    assert len(again) == 12 - 3  # the scripted engine leaves no mark of a training whose measurement was stopped
    assert not list((tmp_path / "out").rglob("scripted.json"))  # weights go when they were measured
    fresh = run_scaling(plan_of(human, other), tmp_path / "fresh", config)[0]
    assert whole == fresh
    again.clear()
    more = run_scaling(plan_of(human, other, sizes=(8, 16, 24)), tmp_path / "out", config)[0]
    assert sorted(again) == sorted(f"points/{name}/24-{n}" for name in ("human", "augmented", "both") for n in (1, 2))
    again.clear()
    samples = config.model_copy(update={"evaluate": config.evaluate.model_copy(update={"bootstrap_samples": 100})})
    assert run_scaling(plan_of(human, other, sizes=(8, 16, 24)), tmp_path / "out", samples)[0] != more
    assert again == []


def stopping_at(call):
    calls = []
    real = scaling_points.pair_losses

    def losses(*arguments):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments)

    return losses


def test_sizes_beyond_a_set_are_left_out(given, tmp_path, caplog):
    inputs, human, other = given
    config = load_config(inputs.config)
    caplog.set_level("WARNING", logger="humpback")
    _, values = run_scaling(plan_of(human, other, sizes=(8, 16, 50), repeats=1), tmp_path / "out", config)
    assert [len(part.points) for part in values["seed"]] == [3, 2, 2]
    with pytest.raises(InputError, match=r"has \d+ rows to train on, and a line needs two of the sizes 16, 400"):
        run_scaling(plan_of(human, other, sizes=(16, 400)), tmp_path / "other", config)
    assert not (tmp_path / "other" / "points").exists()


def test_names_and_files_are_looked_at_first(given, tmp_path):
    inputs, human, other = given
    config = load_config(inputs.config)
    for sets, told in [
        ([("a", human), ("a", other)], "a: two sets have this name"),
        ([("a/b", human)], "a name is made of letters"),
        ([("..", human)], "a name is made of letters"),
        ([("a", tmp_path / "none")], "no such file"),
        ([("a", human), ("b", tmp_path)], "no such file"),
    ]:
        plan = ScalingPlan([TrainingSet(name, file, "alone") for name, file in sets], (8, 16), 1, 1.0)
        with pytest.raises(InputError, match=told):
            run_scaling(plan, tmp_path / "out", config)
    assert not (tmp_path / "out").exists()
    with pytest.raises(WorkspaceError, match=r"not a run's folder.*use another --out"):
        run_scaling(plan_of(human, other), inputs.folder, config)


def test_a_tiny_model_learns_more_from_more(tiny_model, given, trained, tmp_path, monkeypatch):
    inputs, human, _ = given
    overrides = [
        "engine.kind=transformers",
        f"model={tiny_model}",
        "train.max_tokens=224",
        "prompts.max_text_tokens=64",
        "train.learning_rate=0.01",
        "corpus=nowhere",
    ]
    plan = ScalingPlan([TrainingSet("human", human, "alone")], (8, 48), 1, 1.0)
    config = load_config(inputs.config, overrides)
    with monkeypatch.context() as patch:
        patch.setattr(scaling_points, "pair_losses", stopping_at(2))
        with pytest.raises(KeyboardInterrupt):
            run_scaling(plan, tmp_path / "out", config)
    found, _ = run_scaling(plan, tmp_path / "out", config)
    assert list(trained) == ["points/human/8-1", "points/human/48-1"]  # each once: `trained` refuses a second time
    (measured,) = found.measured
    first, last = (point.value.value for point in measured.fits.series[0].points)
    assert measured.base.value > first > last
    assert measured.fits.series[0].alpha.value < 0
    assert not list((tmp_path / "out" / "points").rglob("*.safetensors"))


@pytest.fixture
def humpback(monkeypatch, capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_the_command_writes_figures_values_and_page(given, humpback, tmp_path):
    inputs, human, other = given
    out = tmp_path / "out"
    sets = ["--set", f"human={human}", "--augmented", f"augmented={other}", "--joint", f"both={other}"]
    options = ["--sizes", "8,16,32", "--random-seeds", "1", "--steps-table", "scaled", "--factor", "2"]
    code, printed, err = humpback("evaluate", "scaling", inputs.config, *sets, *options, "--out", out)
    assert code == 0, err
    assert printed.count("alpha") == 3 and "lower is better" in printed
    found = json.loads((out / "scaling.json").read_text())
    assert found["steps"].endswith("divided by 2")
    assert [part["name"] for part in found["measured"][0]["fits"]["series"]] == ["human", "augmented", "both"]
    rows = list(csv.DictReader((out / "points.csv").open()))
    assert len(rows) == 9
    page = (out / "index.html").read_text()
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    circles = [node for node in svg.iter() if node.tag.endswith("circle")]
    assert len(circles) == 9 and svg.get("role") == "img" and "<script" not in page
    # What it wrote can be read back: the same slopes.
    code, _, err = humpback("evaluate", "scaling", "--results", out / "points.csv", "--out", tmp_path / "again")
    assert code == 0, err
    again = json.loads((tmp_path / "again" / "scaling.json").read_text())["measured"][0]
    for before, now in zip(found["measured"][0]["fits"]["series"], again["fits"]["series"], strict=True):
        assert now["alpha"]["value"] == pytest.approx(before["alpha"]["value"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "needs a CONFIG and a --set NAME=FILE"),
        (["humpback.yaml"], "needs a CONFIG and a --set NAME=FILE"),
        (["--set", "a=human.jsonl"], "needs a CONFIG"),
        (["humpback.yaml", "--set", "human.jsonl"], "human.jsonl: is no NAME=FILE"),
        (["humpback.yaml", "--set", "a=human.jsonl", "--sizes", "100"], "--sizes 100: give two or more"),
        (["humpback.yaml", "--set", "a=human.jsonl", "--sizes", "8,x"], "--sizes 8,x: give two or more"),
        (["humpback.yaml", "--results", "r.csv"], "leave out CONFIG"),
        (["--results", "r.csv", "-s", "train.steps=1"], "leave out CONFIG"),
        (["--results", "r.csv"], "r.csv: no such file"),
    ],
)
def test_options_that_do_not_fit(given, humpback, arguments, told):
    code, _, err = humpback("evaluate", "scaling", *arguments)
    assert code == 1
    assert err.count("error: ") == 1 and told in err
