"""The roofline, against figures worked out by hand."""

from __future__ import annotations

import pytest

from humpback.pipeline.accelerators import ACCELERATORS, SHAPES, Accelerator, Cluster, ModelShape

ROUND = Accelerator(flops=1e15, bandwidth=1e12, memory=100e9)
SMALL = ModelShape(parameters=1e9, cache_bytes=1e5)


def test_reading_is_two_flops_a_parameter_and_token():
    cluster = Cluster(ROUND, gpus=2, cores=1, shape=SMALL, utilisation=0.5)
    assert cluster.gpus_per_replica == 1 and cluster.replicas == 2
    # 2 x 1e9 x 1e6 = 2e15 FLOP on 2 x 1e15 x 0.5 FLOP/s
    assert cluster.seconds_to_read(1e6) == pytest.approx(2.0)


def test_writing_reads_the_weights_and_the_cache_for_each_token_of_a_batch():
    cluster = Cluster(ROUND, gpus=1, cores=1, shape=SMALL, utilisation=0.5)
    assert cluster.rows_at_once() == 256
    step = (2e9 + 256 * 1e5 * 768) / 0.5e12
    assert cluster.seconds_to_write(256_000) == pytest.approx(1000 * step)


def test_writing_is_bound_by_compute_where_bandwidth_is_plenty():
    fast = Accelerator(flops=1e12, bandwidth=1e15, memory=100e9)
    cluster = Cluster(fast, gpus=1, cores=1, shape=SMALL, utilisation=1.0)
    assert cluster.seconds_to_write(256) == pytest.approx(2 * 1e9 * 256 / 1e12)


def test_training_keeps_no_more_gpus_busy_than_a_batch_has_rows():
    few = Cluster(ROUND, gpus=8, cores=1, shape=SMALL, utilisation=0.5)
    many = Cluster(ROUND, gpus=1000, cores=1, shape=SMALL, utilisation=0.5)
    # 6 x 1e9 x 1e6 = 6e15 FLOP on 8 x 0.5e15 FLOP/s
    assert few.seconds_to_train(1e6, 32) == pytest.approx(1.5)
    assert many.gpus_at_work_in_training(32) == 32
    assert many.seconds_to_train(1e6, 32) == pytest.approx(1.5 / 4)


@pytest.mark.parametrize(
    ("size", "gpu", "replica", "training"),
    [("7B", "h100", 1, 2), ("70B", "h100", 4, 16), ("70B", "h200", 2, 9), ("13B", "l40s", 1, 5)],
)
def test_gpus_that_hold_a_model(size: str, gpu: str, replica: int, training: int):
    cluster = Cluster(ACCELERATORS[gpu], gpus=64, cores=1, shape=SHAPES[size])
    assert (cluster.gpus_per_replica, cluster.gpus_for_training) == (replica, training)


def test_too_few_gpus_hold_no_copy():
    assert Cluster(ACCELERATORS["h100"], gpus=3, cores=1, shape=SHAPES["70B"]).replicas == 0
