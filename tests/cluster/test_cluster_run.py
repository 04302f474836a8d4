"""A run on a cluster whose nodes go one after another ends with the same bytes as one in this process."""

from __future__ import annotations

import logging
import time

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')

from cluster_nodes import add_node
from slow_work import slow_workers

from humpback.cluster.executor import RayExecutor
from humpback.config import load_config
from humpback.corpus import signature_table
from humpback.corpus.signatures import BANDS
from humpback.pipeline import run_pipeline
from run_content import content

pytestmark = pytest.mark.timeout(300)

OVERRIDES = (
    "rounds=1",
    "rate.judge=calibrated",
    "rate.unfit=warn",
    "ingest.calibration_fraction=0.5",
    "curate.rewrite=true",
    "ingest.documents_per_shard=1",
)
WORK = ("passages", "signatures", "sampling", "choosing", "reading for the judge", "rating", "rewriting")


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
def removals(ray_nodes, monkeypatch):
    """Takes a node away whenever the first shard of a piece of work is finished, and brings another one."""
    from humpback.cluster import pool

    class Losing(pool._Shift):
        def _take_answer(self, answer):
            is_task = self._calls[answer].task is not None
            super()._take_answer(answer)
            if is_task and self not in removed:
                removed.append(self)
                ray_nodes.remove_node(next(iter(ray_nodes.worker_nodes)), allow_graceful=False)
                add_node(ray_nodes)

    removed: list[Losing] = []
    monkeypatch.setattr(pool, "_Shift", Losing)
    return removed


def test_a_node_goes_in_the_middle_of_every_stage(removals, small_inputs, slow_start, caplog):
    alone = load_config(small_inputs.config, [*OVERRIDES, f"runs_dir={small_inputs.folder / 'alone'}"])
    run_pipeline(alone)
    wanted = content(alone.folder)
    assert {"judge-1/judge.json", "rewritten-1/part-00000.parquet"} <= wanted.keys()
    more = ["cluster.address=auto", f"runs_dir={small_inputs.folder / 'together'}"]
    together = load_config(small_inputs.config, [*OVERRIDES, *more])
    with caplog.at_level(logging.WARNING, "humpback.cluster"):
        run_pipeline(together)
    assert len(removals) == len(WORK)
    assert content(together.folder) == wanted
    assert "a worker ended while it had shard" in caplog.text
    assert not list(together.folder.rglob("*.tmp"))
    started = time.monotonic()
    assert run_pipeline(together).executed == []
    assert time.monotonic() - started < 30


def test_workers_compare_the_near_duplicates_of_a_run(ray_nodes, small_inputs, monkeypatch):
    alone = load_config(small_inputs.config, [f"runs_dir={small_inputs.folder / 'alone'}"])
    run_pipeline(alone, target="segments")
    usual, rounds = RayExecutor.run, []

    def counted(executor, work, items, done, *, light=False):
        rounds.append(light)
        usual(executor, work, items, done, light=light)

    monkeypatch.setattr(RayExecutor, "run", counted)
    monkeypatch.setattr(signature_table, "BUCKET_ROWS", 4)
    more = ["cluster.address=auto", f"runs_dir={small_inputs.folder / 'together'}"]
    together = load_config(small_inputs.config, more)
    run_pipeline(together, target="segments")
    assert rounds.count(True) >= 2 * BANDS
    assert content(together.folder) == content(alone.folder)
