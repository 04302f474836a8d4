"""Work on a cluster of three nodes ends with the same files whatever happens to nodes, workers and rows."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')

from cluster_nodes import add_node, wait_until_settled
from slow_work import SOURCE, Noted, called, give_up, keep

from humpback.cluster import Figures, tasks
from humpback.cluster.executor import RayExecutor
from humpback.config import ClusterConfig
from humpback.errors import EngineError, WorkspaceError
from humpback.records import Example, Segment
from humpback.workspace import HeldRows, RowLimits, StepFolder, ThisProcess, Workers, map_rows, run_shards

pytestmark = pytest.mark.timeout(180)

ROWS = HeldRows([Example(str(number), f"q{number}", f"a{number}", SOURCE) for number in range(24)])

TOLD: list[Figures] = []  # of the pieces of work of these tests


@pytest.fixture(scope="module")
def executor(ray_nodes, tmp_path_factory):
    found = RayExecutor(ClusterConfig(address="auto"), tmp_path_factory.mktemp("run"), told=TOLD.append)
    yield found
    found.release()


def content(step: StepFolder) -> dict[str, bytes]:
    return {str(file.relative_to(step.path)): file.read_bytes() for file in step.path.rglob("*.parquet")}


def worked(executor, folder: Path, name: str, **how) -> tuple[StepFolder, Path]:
    """Shards of two rows, worked on by `executor`; the step, and the folder that notes the calls."""
    step, calls = StepFolder(folder / name, name), folder / f"{name}-calls"
    calls.mkdir(exist_ok=True)
    step.begin("key")
    advanced: list[int] = []
    run_shards(ROWS, step, Example, Noted(calls, **how), executor, rows_per_shard=2, advance=advanced.append)
    assert sum(advanced) == len(ROWS)
    return step, calls


@pytest.fixture
def wanted(tmp_path):
    step, calls = worked(ThisProcess(), tmp_path, "wanted")
    assert len(called(calls)) == 12
    return content(step)


def test_three_nodes_write_the_same_files(executor, tmp_path, wanted):
    TOLD.clear()
    step, calls = worked(executor, tmp_path, "step", seconds=0.3)
    assert content(step) == wanted
    assert len(called(calls)) == len(set(called(calls))) == 12
    assert len({file.name.split(".")[1] for file in calls.iterdir()}) == 3
    assert [figures.shards for figures in TOLD] == list(range(1, 13))
    assert len({figures.began for figures in TOLD}) == 1
    assert TOLD[-1].workers >= 3
    assert (TOLD[-1].repeated, TOLD[-1].gpus) == (0, 0)
    assert TOLD[-1].work_seconds >= 12 * 0.3
    assert TOLD[-1].seconds >= 12 * 0.3 / TOLD[-1].workers


def test_finished_shards_are_not_worked_on_again(executor, tmp_path, wanted):
    with pytest.raises(RuntimeError, match="a defect of ours"):
        worked(executor, tmp_path, "step", faults={"20": "breaks"})
    step = StepFolder(tmp_path / "step", "step")
    finished = {f"{2 * int(name[5:10])}" for name in content(step) if name.startswith("part")}
    assert len(finished) >= 5
    (tmp_path / "step-calls").rename(tmp_path / "before")
    step, calls = worked(executor, tmp_path, "step")
    assert content(step) == wanted
    assert "20" in called(calls)
    assert not finished & set(called(calls))


@pytest.mark.parametrize("fault", ["killed", "exits"])
def test_what_a_worker_had_that_ended_goes_to_another(executor, tmp_path, wanted, fault):
    step, calls = worked(executor, tmp_path, "step", faults={"6": f"{fault} once", "14": f"{fault} once"})
    assert content(step) == wanted
    assert called(calls).count("6") == called(calls).count("14") == 2
    assert len(called(calls)) == 14


def test_a_shard_that_ends_every_worker_stops_the_run_with_its_name(executor, tmp_path):
    with pytest.raises(EngineError, match="shard 3 ended 4 workers one after another") as raised:
        worked(executor, tmp_path, "step", faults={"6": "killed"})
    assert "what is finished is kept" in str(raised.value)
    assert called(tmp_path / "step-calls").count("6") == tasks.MOST_LOST


def test_errors_for_the_user_come_as_they_are(executor, tmp_path):
    with pytest.raises(EngineError, match=r"^the engine cannot do this$"):
        worked(executor, tmp_path, "step", faults={"6": "refuses"})


def test_a_shard_that_takes_far_too_long_is_given_to_an_idle_worker(executor, tmp_path, wanted, monkeypatch):
    monkeypatch.setattr(tasks, "SLOW_SECONDS", 1.0)
    started = time.monotonic()
    step, calls = worked(executor, tmp_path, "step", faults={"6": "hangs once"})
    assert time.monotonic() - started < 60
    assert content(step) == wanted
    assert called(calls).count("6") == 2


def test_a_node_that_goes_costs_nothing_but_time(ray_nodes, executor, tmp_path, wanted):
    def remove() -> None:
        while not any((tmp_path / "step").glob("part-*")):
            time.sleep(0.05)
        ray_nodes.remove_node(next(iter(ray_nodes.worker_nodes)), allow_graceful=False)

    killer = threading.Thread(target=remove)
    killer.start()
    step, calls = worked(executor, tmp_path, "step", seconds=1.0)
    killer.join()
    assert content(step) == wanted
    assert len(called(calls)) in (12, 13)
    add_node(ray_nodes)


def test_items_are_fetched_only_when_somebody_is_about_to_take_them(executor, tmp_path):
    (tmp_path / "calls").mkdir()
    fetched, done, most = [], [], []

    def items():
        for number in range(40):
            fetched.append(number)
            most.append(len(fetched) - len(done))
            yield [Example(str(number), "q", "a", SOURCE)]

    executor.run(Noted(tmp_path / "calls"), items(), done.append)
    assert len(done) == 40
    assert max(most) <= 3 + tasks.AHEAD + 1


def test_rows_that_hang_or_kill_are_set_aside_as_in_one_process(executor, tmp_path):
    work = partial(keep, bad={3: "hangs", 4: "killed", 15: "eats", 16: "exits"})
    limits = RowLimits(seconds=1.0, memory_gib=0.5)
    found = []
    for name, used in (("one", ThisProcess()), ("cluster", executor)):
        step = StepFolder(tmp_path / name, name)
        step.begin("key")
        shards = {"rows_per_shard": 10, "bytes_per_shard": 1000, "size": lambda row: 1}
        map_rows(range(30), step, Segment, work, give_up, used, Workers(2, limits), **shards)
        found.append(content(step))
    assert len(found[0]) == 6
    assert found[0] == found[1]


def test_work_without_models_keeps_off_nodes_with_gpus(ray_nodes, executor, tmp_path):
    executor.release()
    wait_until_settled(ray_nodes)
    gpu = add_node(ray_nodes, num_gpus=1)
    try:
        step = StepFolder(tmp_path / "step", "step")
        step.begin("key")
        (tmp_path / "calls").mkdir()
        executor._run(Noted(tmp_path / "calls", 0.3), [[row] for row in ROWS.rows], lambda rows: None, replicas=False)
        nodes = {file.name.split(".")[1] for file in (tmp_path / "calls").iterdir()}
        assert gpu.node_id not in nodes
        assert len(nodes) == 3
        with_gpu = RayExecutor(ClusterConfig(address="auto", replica_gpus=1, replica_cpus=0.5), tmp_path)
        (tmp_path / "more").mkdir()
        with_gpu.run(Noted(tmp_path / "more"), [[row] for row in ROWS.rows], lambda rows: None)
        assert {file.name.split(".")[1] for file in (tmp_path / "more").iterdir()} == {gpu.node_id}
    finally:
        ray_nodes.remove_node(gpu)


def test_a_folder_that_workers_cannot_see_is_named(executor, tmp_path):
    executor.release()
    blind = RayExecutor(ClusterConfig(address="auto", workers=1), tmp_path / "absent")
    with pytest.raises(WorkspaceError, match=r"cannot see the run's folder .*absent"):
        blind.run(Noted(tmp_path), [[ROWS.rows[0]]], lambda rows: None)
