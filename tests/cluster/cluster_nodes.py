"""Nodes of the tests' cluster."""

from __future__ import annotations

import time

NODES = 3
STORE_BYTES = 80_000_000


def add_node(cluster, **resources):
    """One more node, with a processor and an object store of its own."""
    return cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES, **resources)


def wait_until_settled(cluster) -> None:
    """Returns when Ray counts no node that is gone, and nothing works on those that are there."""
    import ray

    there = {node.node_id for node in cluster.list_all_nodes()}
    while True:
        counted = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        if counted == there and ray.available_resources().get("CPU", 0) >= NODES:
            return
        time.sleep(0.1)
