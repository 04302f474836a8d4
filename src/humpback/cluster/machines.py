"""Processes on several machines of the cluster that begin and end together, as a training on all of them needs."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import get_node_ip_address, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from humpback.cluster.place import MachineLostError, Place, Poll, Shared
from humpback.cluster.pool import CLOSING_SECONDS, PATIENCE_SECONDS, reason
from humpback.cluster.start import join
from humpback.cluster.worker import Surroundings, check_surroundings
from humpback.config import ClusterConfig
from humpback.errors import HumpbackError
from humpback.version import __version__

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reserved:
    """How many machines, and what is reserved on each."""

    machines: int
    cpus: float
    gpus: float


@contextmanager
def on_machines(work: Shared, config: ClusterConfig, folder: Path, reserved: Reserved) -> Iterator[Poll]:
    """Runs `work` on so many different machines until the end of the block; every one must see `folder`.

    The status is that of the first machine that failed, or 0 when all have ended well. Asking for it raises
    `MachineLostError` where a machine went.

    Raises:
        ConfigError: there is no cluster.
        MachineLostError: a machine went before the work had begun.
        HumpbackError: what `work` raises on a machine, or that it cannot see the folder.
    """
    assert config.address is not None
    with ExitStack() as stack:
        if join(config.address):
            stack.callback(ray.shutdown)
        members = stack.enter_context(_members(reserved, Surroundings(folder, Path.cwd(), __version__)))
        address, port = _answers([members[0].address.remote()])[0]
        places = [Place(rank, reserved.machines, address, port) for rank in range(reserved.machines)]
        names = _answers([member.open.remote(work, place) for member, place in zip(members, places, strict=True)])
        log.info("cluster: training on %s", ", ".join(names))

        def poll() -> int | None:
            codes = _answers([member.poll.remote() for member in members])
            failed = [code for code in codes if code]
            return failed[0] if failed else None if None in codes else 0

        try:
            yield poll
        finally:
            with suppress(RayError):
                closing = [member.close.remote() for member in members]
                ray.wait(closing, num_returns=len(closing), timeout=CLOSING_SECONDS)


@contextmanager
def _members(reserved: Reserved, surroundings: Surroundings) -> Iterator[list[Any]]:
    """An actor on each of the machines, as soon as there are so many with room."""
    bundle = {"CPU": reserved.cpus} | ({"GPU": reserved.gpus} if reserved.gpus else {})
    group = placement_group([bundle] * reserved.machines, strategy="STRICT_SPREAD")
    members: list[Any] = []
    try:
        told = time.monotonic()
        while not ray.wait([group.ready()], timeout=1.0)[0]:
            if time.monotonic() - told > PATIENCE_SECONDS:
                told = time.monotonic()
                log.warning("still waiting for %d machines with %s free each (`ray status`)", reserved.machines, bundle)
        for rank in range(reserved.machines):
            strategy = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank)
            options = ray.remote(_Member).options(
                num_cpus=reserved.cpus, num_gpus=reserved.gpus, max_restarts=0, scheduling_strategy=strategy
            )
            members.append(options.remote(surroundings))
        yield members
    finally:
        for member in members:
            with suppress(RayError, ValueError):
                ray.kill(member)
        remove_placement_group(group)


def _answers(asked: list[Any]) -> list[Any]:
    try:
        return list(ray.get(asked))
    except RayTaskError as error:
        raise (error.cause if isinstance(error.cause, HumpbackError) else error) from None
    except RayError as error:
        raise MachineLostError(reason(error)) from error


class _Member:
    """What runs on one of the machines."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._stack = ExitStack()
        self._poll: Poll | None = None

    def address(self) -> tuple[str, int]:
        """Where the other machines find this one: its address in the cluster, and a port that is free now."""
        address = get_node_ip_address()
        with socket.socket() as found:
            found.bind((address, 0))
            return address, found.getsockname()[1]

    def open(self, work: Shared, place: Place) -> str:
        """Starts the work; the name of this machine."""
        name = check_surroundings(self._surroundings)
        self._poll = self._stack.enter_context(work.open(place))
        return name

    def poll(self) -> int | None:
        assert self._poll is not None
        return self._poll()

    def close(self) -> None:
        self._stack.close()
