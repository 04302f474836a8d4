"""The executor that brings work to a Ray cluster. Ray's own actors, not its data sets: docs/ray.md says why."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from humpback.cluster.figures import Told
from humpback.cluster.worker import GuardedWork, Surroundings
from humpback.config import ClusterConfig
from humpback.version import __version__
from humpback.workspace import Work, Workers
from humpback.workspace.executor import Rescue
from humpback.workspace.store import Copying

if TYPE_CHECKING:
    from humpback.cluster.pool import Pool, Shape

I = TypeVar("I")  # noqa: E741

_MARK = ".cluster-"  # of a file in the run's folder, by which workers know it


class RayExecutor:
    """Sends work to worker processes anywhere in the cluster that this process has joined; `told` hears how far."""

    def __init__(
        self,
        config: ClusterConfig,
        folder: Path,
        copy: Copying | None = None,
        told: Told = lambda figures: None,
    ) -> None:
        self._config = config
        self._copy = copy or Copying()
        self._told = told
        mark = f"{_MARK}{uuid.uuid4().hex}" if self._copy.url is not None else ""
        self._mark = folder / mark if mark else None
        self._surroundings = Surroundings(folder, Path.cwd(), __version__, self._copy.url, mark)
        self._pool: Pool | None = None

    @property
    def sees_folder(self) -> bool:
        return self._copy.url is None

    def run(self, work: Work[I], items: Iterable[I], done: Callable[[I], None], *, light: bool = False) -> None:
        self._run(work, items, done, replicas=not light, light=light)

    def run_guarded(
        self,
        call: Callable[[I], None],
        items: Iterable[I],
        done: Callable[[I], None],
        workers: Workers,
        rescue: Rescue[I],
    ) -> None:
        self._run(GuardedWork(call, rescue, workers.limits), items, done, replicas=False)

    def release(self) -> None:
        """Ends the workers; others are started when there is work again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)

    def _run(
        self,
        work: Work[I],
        items: Iterable[I],
        done: Callable[[I], None],
        *,
        replicas: bool,
        light: bool = False,
    ) -> None:
        from humpback.cluster.pool import Pool

        if self._mark is not None and not self._mark.exists():
            for old in self._mark.parent.glob(f"{_MARK}*"):  # of commands that were killed
                old.unlink(missing_ok=True)
            self._mark.touch()
        shape = self._replicas() if replicas else self._workers()
        if self._pool is not None and self._pool.shape != shape:
            self._pool.close()  # its workers hold what the others need
            self._pool = None
        pool = self._pool = self._pool or Pool(shape, self._surroundings, self._copy, self._told)
        try:
            pool.run(work, items, done, light=light)
        finally:
            if shape.gpus:  # training in this process may need them
                pool.close()

    def _workers(self) -> Shape:
        from humpback.cluster.pool import Shape

        return Shape(self._config.workers or _room(1, 0), 1, 0)

    def _replicas(self) -> Shape:
        from humpback.cluster.pool import Shape

        cpus, gpus = self._config.replica_cpus, self._config.replica_gpus
        return Shape(self._config.replicas or _room(cpus, gpus), cpus, gpus)


def _room(cpus: float, gpus: float) -> int:
    """How many workers with so many processors and GPUs the cluster's nodes have room for; at least one.

    Nodes with GPUs are left to workers that need them, unless there are no others: Ray places workers like that.
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not gpus:
        nodes = [node for node in nodes if not node.get("GPU")] or nodes
    count = sum(
        int(min(node.get("CPU", 0) / cpus, node.get("GPU", 0) / gpus if gpus else float("inf"))) for node in nodes
    )
    return max(1, count)
