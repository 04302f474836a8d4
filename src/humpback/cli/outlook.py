"""`humpback plan --at`: the options that describe a cluster, and the outlook as a table."""

from __future__ import annotations

from rich.table import Table

from humpback.cli.console import console, duration
from humpback.errors import InputError
from humpback.pipeline import Outlook
from humpback.pipeline.accelerators import ACCELERATORS, SHAPES, Cluster

CORES_A_GPU = 16  # of rented machines with GPUs, or there about


def cluster_of(
    at: str | None, size: str | None, gpus: int | None, gpu: str, cores: int | None, gpu_hour: float | None
) -> Cluster | None:
    """The cluster that the options name; None for this machine and the run's own model.

    Raises:
        InputError: an option has no such value, or one is missing that another needs.
    """
    if (size is None) != (gpus is None):
        raise InputError("--size and --gpus describe a cluster together: give both, or neither for this machine")
    if size is None or gpus is None:
        if cores is not None or (gpu_hour is not None and at is not None):
            raise InputError("--cores and --gpu-hour describe a cluster: give --size and --gpus too")
        return None
    if at is None:
        raise InputError("--size: a cluster is planned for a size of the corpus; give --at too, e.g. --at 1x")
    if size not in SHAPES:
        raise InputError(f"--size {size}: is not one of {', '.join(SHAPES)}")
    if gpu not in ACCELERATORS:
        raise InputError(f"--gpu {gpu}: is not one of {', '.join(ACCELERATORS)}")
    return Cluster(ACCELERATORS[gpu], gpus, cores or CORES_A_GPU * gpus, SHAPES[size], gpu_hour=gpu_hour)


def print_outlook(found: Outlook, cluster: Cluster | None) -> None:
    """The steps with their times and limits, then the sums, the bottleneck, what does not fit, what was assumed."""
    table = Table(title=f"{found.documents:,} documents, {found.segments:,} segments", title_justify="left")
    for column in ("step", "rows", "time", "limited by"):
        table.add_column(column, justify="right" if column in ("rows", "time") else "left")
    for step in found.steps:
        rows = "" if step.rows is None else f"{step.rows:,}"
        time = "" if step.seconds is None else duration(step.seconds)
        table.add_row(step.name, rows, time, step.limited_by or "")
    console.print(table)
    slowest = found.bottleneck
    if slowest is None:
        console.print("Time not estimated: the scripted engine is no model. Choose another by --engine.")
    else:
        share = (slowest.seconds or 0.0) / found.seconds
        console.print(
            f"{duration(found.seconds)} in all; {slowest.name} takes {share:.0%} of it ({slowest.limited_by})."
        )
    console.print(
        f"Memory of one process up to {found.memory / 2**30:,.1f} GiB; texts up to {found.disk / 1e9:,.1f} GB."
    )
    if cluster is not None:
        _print_assumptions(found, cluster)
    for warning in found.warnings:
        console.print(f"Does not fit: {warning}")


def _print_assumptions(found: Outlook, cluster: Cluster) -> None:
    cost = (
        "" if cluster.gpu_hour is None else f", {found.gpu_hours * cluster.gpu_hour:,.0f} at {cluster.gpu_hour:g} each"
    )
    console.print(f"{found.gpu_hours:,.1f} GPU hours{cost}.")
    console.print(
        f"Assumed: {cluster.utilisation:.0%} of the data sheet's peak, {cluster.replicas} copies of the model on "
        f"{cluster.gpus_per_replica} GPUs each, {cluster.cores:,} cores; the seed as it is; table 18's steps."
    )
