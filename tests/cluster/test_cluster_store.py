"""A run on a cluster whose machines do not see its folder: they share a bucket only."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')

from cluster_nodes import NODES, add_node
from slow_work import slow_workers

from humpback.cluster.elsewhere import WORKER_FOLDER, Elsewhere, Packed
from humpback.config import load_config
from humpback.errors import WorkspaceError
from humpback.pipeline import run_pipeline
from humpback.records import Example, Source
from humpback.workspace import Manifest, RunFolder, StoredRows, write_rows
from humpback.workspace.store import WantedStep, open_copy
from run_content import content

pytestmark = pytest.mark.timeout(400)

SETTINGS = ("rounds=1", "rate.judge=calibrated", "rate.unfit=warn", "ingest.calibration_fraction=0.5")
MORE = ("curate.rewrite=true", "ingest.documents_per_shard=1")
WORK = 7


@pytest.fixture
def blind_nodes(ray_nodes, s3, tmp_path):
    """In the place of the cluster's nodes those of machines that have a folder each, and do not look for another."""
    numbers = iter(range(100))

    def add():
        names = [name for name in os.environ if name.startswith("AWS_")]
        own = {WORKER_FOLDER: str(tmp_path / f"machine-{next(numbers)}")}
        return add_node(ray_nodes, env_vars={name: os.environ[name] for name in names} | own)

    for node in list(ray_nodes.worker_nodes):
        ray_nodes.remove_node(node)
    for _ in range(NODES):
        add()
    yield add
    for node in list(ray_nodes.worker_nodes):
        ray_nodes.remove_node(node)
    for _ in range(NODES):
        add_node(ray_nodes)


@pytest.fixture
def slow_start(monkeypatch):
    """Workers that take a while for each shard, so that a node can go in the middle."""
    from humpback.cluster import worker

    class Slow(worker.Worker):
        def open(self, work):
            slow_workers()
            return super().open(work)

    monkeypatch.setattr("humpback.cluster.pool.Worker", Slow)


@pytest.fixture
def removals(ray_nodes, blind_nodes, monkeypatch):
    """Takes a node away when the first shard of a piece of work is finished, and brings another one."""
    from humpback.cluster import pool

    class Losing(pool._Shift):
        def _take_answer(self, answer):
            is_task = self._calls[answer].task is not None
            super()._take_answer(answer)
            if is_task and self not in removed:
                removed.append(self)
                ray_nodes.remove_node(next(iter(ray_nodes.worker_nodes)), allow_graceful=False)
                blind_nodes()

    removed: list[Losing] = []
    monkeypatch.setattr(pool, "_Shift", Losing)
    return removed


def test_machines_that_share_a_bucket_only_end_with_the_bytes_of_one(
    removals, small_inputs, slow_start, tmp_path, monkeypatch, caplog
):
    alone = load_config(small_inputs.config, [*SETTINGS, *MORE, f"runs_dir={small_inputs.folder / 'alone'}"])
    run_pipeline(alone)
    wanted = content(alone.folder)
    assert {"judge-1/judge.json", "rewritten-1/part-00000.parquet"} <= wanted.keys()
    monkeypatch.chdir(small_inputs.folder)
    cluster = ["cluster.address=auto", "store=s3://mine/runs"]
    together = load_config(small_inputs.config, [*SETTINGS, *MORE, *cluster, "runs_dir=together"])
    with caplog.at_level(logging.WARNING, "humpback"):
        run_pipeline(together)
    assert len(removals) == WORK
    assert content(together.folder) == wanted
    assert "a worker ended while it had shard" in caplog.text
    fetched = {str(file.relative_to(tmp_path)) for file in tmp_path.glob("machine-*/*/fetched/segments/part-*")}
    assert fetched  # they did not look at the run's folder
    other = load_config(small_inputs.config, [*SETTINGS, *MORE, "store=s3://mine/runs", "runs_dir=other"])
    assert run_pipeline(other).executed == ["report"]  # which shows the cluster's settings
    assert {k: v for k, v in content(other.folder).items() if "report" not in k} == {
        k: v for k, v in wanted.items() if "report" not in k
    }


def test_training_on_several_machines_needs_a_folder_that_all_see(tmp_path):
    from humpback.cluster.worker import Surroundings, check_surroundings
    from humpback.version import __version__

    here = Surroundings(tmp_path / "absent", Path.cwd(), __version__)
    with pytest.raises(WorkspaceError, match=r"cannot see the run's folder .*for all but training on several machines"):
        check_surroundings(here)


SOURCE = Source("file", "1", 0, 4, None)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A run's folder with a finished step and one that is begun, and the address of its copy."""
    from humpback.config import Config

    monkeypatch.setenv(WORKER_FOLDER, str(tmp_path / "machine"))
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(Path("runs/one"))
    folder.create(Config(seed=["s.jsonl"], corpus=["docs"], runs_dir=Path("runs"), name="one"))
    steps = [WantedStep("segments", "f1", ()), WantedStep("candidates", "f2", ("segments",))]
    url = f"file://{tmp_path}/store/one"
    with open_copy(url, folder) as copy:
        copy.fetch(steps)
        for step in steps:
            copy.begins(step.name)
            folder.step(step.name).begin(step.fingerprint)
            for number in range(2):
                rows = [Example(str(number), "q", "a", SOURCE)]
                write_rows(folder.step(step.name).path / f"part-{number:05d}.parquet", rows, Example)
        folder.step("segments").finish(Manifest("segments", "f1", {}, 2, {}, 1.0))
    return folder, url


def test_paths_lead_to_what_was_fetched_or_will_be_put(kept, tmp_path):
    folder, url = kept
    elsewhere = Elsewhere(url, folder.path.absolute(), tmp_path)
    rows = StoredRows.of(folder.step("segments").path, Example)
    assert not rows.parts[0].is_absolute()
    (folder.path / "segments/part-00000.parquet").unlink()
    sent = Packed.of((rows, folder.path / "candidates", Path("/elsewhere/a"), Path("b")))
    got, output, outside, relative = elsewhere.unpack(sent, is_new=True)
    assert got.reader()(0, 2) == [Example(str(number), "q", "a", SOURCE) for number in range(2)]
    assert all(part.is_relative_to(tmp_path / "machine") for part in [*got.parts, output])
    assert [outside, relative] == [Path("/elsewhere/a"), Path("b")]
    assert not list(output.glob("*"))  # what is being made is not fetched
    write_rows(output / "part-00007.parquet", [], Example)
    assert list(elsewhere.put()) == ["candidates/part-00007.parquet"]
    assert elsewhere.put() == {}
    assert (tmp_path / "store/one/candidates/part-00007.parquet").exists()
    elsewhere.close()
    assert not list((tmp_path / "machine").glob("*/written-*"))


def test_what_another_user_put_there_is_not_used(kept, tmp_path, monkeypatch):
    folder, url = kept
    Elsewhere(url, folder.path.absolute(), tmp_path).close()
    theirs = os.stat_result([0o40700, 0, 0, 0, os.getuid() + 1, 0, 0, 0, 0, 0])
    monkeypatch.setattr(Path, "stat", lambda path, **how: theirs)
    with pytest.raises(WorkspaceError, match="another user of this machine has made it"):
        Elsewhere(url, folder.path.absolute(), tmp_path)


def test_what_is_torn_in_the_store_is_not_worked_with(kept, tmp_path):
    folder, url = kept
    torn = tmp_path / "store/one/segments/part-00001.parquet"
    torn.write_bytes(torn.read_bytes()[:50])
    elsewhere = Elsewhere(url, folder.path.absolute(), tmp_path)
    with pytest.raises(WorkspaceError, match=r"part-00001.parquet: is not what was written"):
        elsewhere.unpack(Packed.of(folder.path / "segments"), is_new=True)
