"""A Ray cluster of several nodes on this machine, each with an object store of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_nodes import NODES, STORE_BYTES, add_node

SETTINGS = {
    # For the workers, which import the tests' work, and the package from where the tests do.
    "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")])),
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # the machine may be full of other things, which is no fault of a worker
}


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[object]:
    """The cluster, which this process has joined; its head works on nothing."""
    pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False},
        )
        for _ in range(NODES):
            add_node(cluster)
        ray.init(address=cluster.address, logging_level="error")
        yield cluster
        ray.shutdown()
        cluster.shutdown()
