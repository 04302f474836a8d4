"""Finding or starting the cluster that the configuration names."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from humpback.cluster.figures import Told
from humpback.config import ClusterConfig
from humpback.errors import ConfigError, MissingDependencyError
from humpback.workspace import Executor, ThisProcess
from humpback.workspace.store import Copying


def require_ray() -> None:
    """Passes where Ray is installed.

    Raises:
        MissingDependencyError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingDependencyError('cluster.address needs Ray: pip install "humpback[ray]"')


@contextmanager
def open_executor(
    config: ClusterConfig, folder: Path, copy: Copying | None = None, told: Told = lambda figures: None
) -> Iterator[Executor]:
    """What does the work of the run in `folder`: this process, or the configured cluster, which is joined at once.

    Workers that do not see the folder work with its `copy`, if one is kept. `told` hears how far work on a cluster is.

    Raises:
        MissingDependencyError: Ray is not installed.
        ConfigError: there is no cluster at the address.
    """
    if config.address is None:
        yield ThisProcess()
        return
    require_ray()
    from humpback.cluster.executor import RayExecutor

    has_joined = join(config.address)
    executor = RayExecutor(config, folder.absolute(), copy, told)
    try:
        yield executor
    finally:
        executor.release()
        if has_joined:
            import ray

            ray.shutdown()


def join(address: str) -> bool:
    """Connects this process to the cluster; whether it was not connected before.

    Raises:
        ConfigError: there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine
    import ray

    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, logging_level="warning", log_to_driver=True)
    except (ConnectionError, RuntimeError, ValueError) as error:
        remedy = {
            "auto": "start one with `ray start --head`, or set cluster.address: local to have one on this machine alone"
        }.get(address, "start it, or correct the address")
        raise ConfigError(
            [f"cluster.address: {address}: no cluster answers there ({_first_line(error)}); {remedy}"]
        ) from error
    return True


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
