"""One training on two machines of a cluster, one of which goes in the middle."""

from __future__ import annotations

import logging
import random
import time
from pathlib import Path

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')

import torch
from cluster_nodes import add_node
from transformers import AutoModelForCausalLM

from humpback.config import ClusterConfig, TrainConfig
from humpback.errors import ModelError, WorkspaceError
from humpback.prompts import TokenRow
from humpback.training import Recipe, fine_tune, launched

pytestmark = pytest.mark.timeout(300)

ONE = TrainConfig(dropout=0.0, dtype="float32", weight_decay=0.0)
TWO = ONE.model_copy(update={"machines": 2, "processes": 2, "checkpoint_minutes": 1e-9})
CLUSTER = ClusterConfig(address="auto")


@pytest.fixture(scope="module")
def rows():
    generator = random.Random(7)
    found = []
    for number in range(8):
        ids = [generator.randrange(3, 60) for _ in range(6 + number)]
        found.append(TokenRow(ids, [-100, -100, *ids[2:]], is_cut=False, row_id=f"row-{number}"))
    return found


def train(base, rows, output, config, steps=4, **options):
    recipe = Recipe(steps, 4, 2, (1e-3, 1e-4))
    output.mkdir()
    return fine_tune(base, rows, output, config, recipe, device="cpu", seed=5, end="<|im_end|>", **options)


def assert_same(one: Path, other: Path) -> None:
    left, right = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (one, other))
    assert left.keys() == right.keys()
    assert max((value - right[name]).abs().max().item() for name, value in left.items()) <= 1e-5


def test_two_machines_one_of_which_goes_end_with_the_weights_of_one_process(
    ray_nodes, tiny_model, rows, tmp_path, caplog
):
    train(tiny_model, rows, tmp_path / "one", ONE)
    steps = []

    def lose_a_node(entry):
        steps.append(entry["step"])
        if steps == [1, 2]:
            ray_nodes.remove_node(machine_in_use(ray_nodes), allow_graceful=False)
            add_node(ray_nodes)

    with caplog.at_level(logging.INFO, "humpback"):
        result = train(tiny_model, rows, tmp_path / "two", TWO, cluster=CLUSTER, on_step=lose_a_node)
    assert "a machine went during training, which goes on from its last checkpoint" in caplog.text
    assert caplog.text.count("cluster: training on ") == 2
    assert steps[-1] == 4
    assert len(result.history) == 4
    assert_same(tmp_path / "one", tmp_path / "two")
    assert {file.name for file in (tmp_path / "two").iterdir()} == {file.name for file in (tmp_path / "one").iterdir()}
    assert training_processes() == []


def machine_in_use(cluster):
    """A node that the training has reserved."""
    from ray.util import placement_group_table

    groups = [group for group in placement_group_table().values() if group["state"] == "CREATED"]
    busy = {node for group in groups for node in group["bundles_to_node_id"].values()}
    return next(node for node in cluster.worker_nodes if node.node_id in busy)


def training_processes() -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in found if launched.MODULE in line]


def test_what_a_machine_says_comes_back(ray_nodes, tiny_model, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(launched, "MODULE", "humpback.no_such_module")
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"ended without a result; the end of their log: [\s\S]*no_such_module"):
        train(tiny_model, rows, tmp_path / "out", TWO, cluster=CLUSTER)
    assert time.monotonic() - started < 120
    assert not (tmp_path / "out" / launched.FOLDER).exists()


def test_a_folder_that_a_machine_cannot_see_is_named(ray_nodes, tiny_model, rows, tmp_path, monkeypatch):
    from humpback.cluster import machines

    usual = machines.Surroundings
    monkeypatch.setattr(machines, "Surroundings", lambda folder, *rest: usual(folder / "absent", *rest))
    with pytest.raises(WorkspaceError, match=r"cannot see the run's folder .*absent"):
        train(tiny_model, rows, tmp_path / "out", TWO, cluster=CLUSTER)
    assert torch.distributed.is_initialized() is False
