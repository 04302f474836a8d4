"""Nodes of the tests' cluster."""

from __future__ import annotations

NODES = 3
STORE_BYTES = 80_000_000


def add_node(cluster, **resources):
    """One more node, with a processor and an object store of its own."""
    return cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES, **resources)
