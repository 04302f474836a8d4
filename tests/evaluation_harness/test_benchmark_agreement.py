"""Our task files ask and count as the harness's own tasks do on the same rows: byte for byte, and figure for figure."""

from __future__ import annotations

import os

import harness_data as data
import pytest

from humpback.evaluation.asking import find_model
from humpback.evaluation.harness.files import find_source
from humpback.evaluation.harness.measure import measure_benchmarks
from humpback.evaluation.harness.models import harness_model
from humpback.evaluation.harness.suites import BENCHMARKS
from humpback.evaluation.harness.task_files import harness_tasks, write_task_files
from humpback.progress import SilentProgress

CASES = [
    ("siqa", "", data.SIQA, "acc"),
    ("piqa", "", data.PIQA, "acc_norm"),
    ("arc_easy", "", data.ARC, "acc_norm"),
    ("arc_challenge", "", data.ARC, "acc"),
    ("openbookqa", "", data.OBQA, "acc_norm"),
    ("mmlu", "anatomy", data.MMLU, "acc"),
    ("crows_pairs", "age", data.CROWS, "pct_stereotype"),
]


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return data.write_public_files(tmp_path_factory.mktemp("data") / "eval")


def own_task(monkeypatch, name, part, rows, shots=0):
    """The harness's own task, with the hub's data set replaced by rows as the hub has them."""
    import datasets
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    config = load_yaml(harness_tasks() / BENCHMARKS[name].definition.format(part))
    split = config.get("test_split") or config["validation_split"]
    splits = {split: rows, "train": rows, "validation": rows, "dev": data.MMLU[:1]}
    if name == "mmlu":
        splits["dev"] = data.MMLU[:1]
    hub = datasets.DatasetDict({key: datasets.Dataset.from_list(found) for key, found in splits.items()})
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "load_dataset", lambda *args, **options: hub)
        return ConfigurableTask(config={**config, "num_fewshot": shots})


def our_task(public, folder, name, part, shots=0):
    from lm_eval.tasks import TaskManager

    written = dict(map(reversed, write_task_files(folder, find_source(public, BENCHMARKS[name]), shots)))
    manager = TaskManager(include_path=folder, include_defaults=False)
    (task,) = manager.load([written[part]])["tasks"].values()
    return task


def requests(task):
    task.set_fewshot_seed(seed=0)
    task.build_all_requests(limit=None, rank=0, world_size=1)
    return [one.args for one in task.instances]


@pytest.mark.parametrize(
    ("name", "part", "rows", "shots"), [*((*case[:3], 0) for case in CASES), ("mmlu", "anatomy", data.MMLU, 1)]
)
def test_requests_are_the_same(public, tmp_path, monkeypatch, name, part, rows, shots):
    own = requests(own_task(monkeypatch, name, part, rows, shots))
    assert requests(our_task(public, tmp_path, name, part, shots)) == own
    assert own
    assert any(
        part_of in own[0][0] + own[0][1] for part_of in ("Ann gave", "dry shoes", "ice", "Plants", "even", "old man")
    )


def test_tables_that_are_there_are_not_written_again(public, tmp_path):
    source = find_source(public, BENCHMARKS["piqa"])
    write_task_files(tmp_path, source, 0)
    (table,) = tmp_path.glob("*.jsonl")
    os.utime(table, (1, 1))
    write_task_files(tmp_path, source, 0)
    assert table.stat().st_mtime == 1, "the harness would read it anew for every model"
    table.write_text("half a")
    write_task_files(tmp_path, source, 0)
    assert len(table.read_text().splitlines()) == len(source.read()["test"])


@pytest.mark.parametrize(("name", "part", "rows", "metric"), CASES)
def test_figures_are_the_same(public, tmp_path, monkeypatch, tiny_base, name, part, rows, metric):
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    task = own_task(monkeypatch, name, part, rows)
    label = f"own_{name}"
    task.set_config("task", label)
    lm = HFLM(pretrained=str(tiny_base), device="cpu", dtype="float32", batch_size=2)
    results = evaluate(lm, {"tasks": {label: task}, "groups": {}, "group_map": {}}, bootstrap_iters=0)
    own = results["results"][label]
    model = find_model(str(tiny_base), ["engine.dtype=float32", "engine.device=cpu"])
    source = find_source(public, BENCHMARKS[name])
    found = measure_benchmarks(model, [source], tmp_path / "work", SilentProgress())
    (ours,) = [one for one in found if one.part == part]
    assert ours.figures()[metric] == pytest.approx(own[f"{metric},none"])
    assert ours.rows == results["n-samples"][label]["effective"]
    if name == "crows_pairs":
        assert ours.likelihood_difference == pytest.approx(own["likelihood_diff,none"], abs=1e-4)


def test_other_engines_find_what_the_harness_finds(tmp_path, tiny_base):
    """An engine of ours, asked through its protocol, beside the harness's class on the same weights."""
    from lm_eval.api.instance import Instance

    from humpback.evaluation.harness.models import _engine_scorer

    model = find_model(str(tiny_base), ["engine.dtype=float32", "engine.device=cpu"])
    pairs = [("Question: what is ice?\nAnswer:", " frozen water"), ("Question: why?\nAnswer:", " so"), ("", "The man.")]
    asked = [Instance("loglikelihood", {}, pair, place) for place, pair in enumerate(pairs)]
    with harness_model(model, 2, tmp_path / "cache.jsonl", lambda count: None) as lm:
        harness = [score for score, _ in lm.loglikelihood(asked)]
    with model.engine() as engine:
        ours = [score for score, _ in _engine_scorer(engine, model.prompts.chat.bos_token)(pairs)]
    assert ours == pytest.approx(harness, abs=1e-3)
    assert len(set(harness)) == 3


def test_bfloat16_ties_nothing(tmp_path, tiny_base):
    """Log-probabilities are taken in float32, whatever the weights are in: their sums are no sixteenths."""
    from lm_eval.api.instance import Instance

    model = find_model(str(tiny_base), ["engine.dtype=bfloat16", "engine.device=cpu"])
    pairs = [
        ("", f"The {word} man forgot all of it again.") for word in ("old", "young", "tall", "poor", "rich", "calm")
    ]
    asked = [Instance("loglikelihood", {}, pair, place) for place, pair in enumerate(pairs)]
    with harness_model(model, 2, tmp_path / "cache.jsonl", lambda count: None) as lm:
        found = [score for score, _ in lm.loglikelihood(asked)]
    assert any(16 * score != round(16 * score) for score in found)
