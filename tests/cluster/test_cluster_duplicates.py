"""Near-duplicates that machines of a cluster look for are those that one process finds."""

from __future__ import annotations

import random
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')

from cluster_nodes import add_node

from humpback.cluster.executor import RayExecutor
from humpback.config import ClusterConfig, NearDuplicateConfig
from humpback.corpus import signature_table
from humpback.corpus.near_duplicates import find_duplicates


def page(family: int, number: int) -> str:
    """Words at random, a few of them other than those of the family's other pages."""
    words = [f"word{random.Random(family * 1000 + place).randrange(10**6)}" for place in range(150)]
    generator = random.Random(number)
    for place in generator.sample(range(150), number % 20):
        words[place] = f"new{generator.randrange(10**6)}"
    return " ".join(words)


@pytest.fixture
def parts(tmp_path):
    texts = [page(number % 35, number) for number in range(300)]
    found = []
    for start in range(0, 300, 90):
        found.append(tmp_path / f"part-{start:05d}.parquet")
        pq.write_table(pa.table({"text": texts[start : start + 90]}), found[-1])
    return found


def test_buckets_are_compared_by_all_and_a_node_that_goes_changes_nothing(ray_nodes, parts, tmp_path, monkeypatch):
    wanted = find_duplicates(tmp_path / "one", parts, NearDuplicateConfig())
    monkeypatch.setattr(signature_table, "BUCKET_ROWS", 75)
    told = []
    executor = RayExecutor(ClusterConfig(address="auto"), tmp_path, told=told.append)

    def remove() -> None:
        while len(told) < 40:
            time.sleep(0.05)
        ray_nodes.remove_node(next(iter(ray_nodes.worker_nodes)), allow_graceful=False)

    killer = threading.Thread(target=remove)
    killer.start()
    try:
        found = find_duplicates(tmp_path / "many", parts, NearDuplicateConfig(), executor=executor)
    finally:
        killer.join()
        executor.release()
        add_node(ray_nodes)
    rows = range(300)
    assert [found.of(row) for row in rows] == [wanted.of(row) for row in rows]
    assert sum(found.of(row) is not None for row in rows) > 100
    assert max(figures.workers for figures in told) > 1
    assert not list((tmp_path / "many").glob("pairs-*.npy"))
