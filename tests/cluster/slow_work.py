"""Work for tests: it notes each call in a folder and misbehaves on chosen shards."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from humpback.errors import EngineError
from humpback.records import Dropped, DropReason, Example, Segment, Source
from humpback.workspace import Shard

SOURCE = Source("file", "1", 0, 4, None)


@dataclass(frozen=True)
class Noted:
    """Keeps even rows. `faults` says what the shard that begins with a row does: always, or `once`."""

    calls: Path
    seconds: float = 0.0
    faults: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Example]], Shard]]:
        yield self._work

    def _work(self, rows: list[Example]) -> Shard:
        name = rows[0].id
        before = len(called(self.calls, name))
        (self.calls / f"{name}.{node()}.{uuid.uuid4().hex}").touch()
        fault, _, once = self.faults.get(name, "").partition(" ")
        if fault and not (once and before):
            misbehave(fault)
        time.sleep(self.seconds)
        kept = [row for row in rows if int(row.id) % 2 == 0]
        dropped = [Dropped(row.id, DropReason.TOO_SHORT, "odd", row.output, row.source) for row in rows]
        return Shard(kept, [row for row in dropped if int(row.id) % 2])


def misbehave(fault: str) -> None:
    match fault:
        case "killed":  # as the system does when memory runs out
            os.kill(os.getpid(), signal.SIGKILL)
        case "exits":
            os._exit(1)
        case "hangs":
            time.sleep(600)
        case "eats":
            bytearray(2 << 30)
        case "refuses":
            raise EngineError("the engine cannot do this")
        case "breaks":
            raise RuntimeError("a defect of ours")


def node() -> str:
    """The node this runs on; empty in the process of the test."""
    with contextlib.suppress(ImportError):
        import ray

        if ray.is_initialized():
            return str(ray.get_runtime_context().get_node_id())
    return ""


def called(calls: Path, name: str = "*") -> list[str]:
    """The shards that were worked on, by their first row."""
    return sorted(file.name.partition(".")[0] for file in calls.glob(f"{name}.*"))


def slow_workers() -> None:
    """Makes every shard of a worker take a while, so that something can happen meanwhile."""
    import humpback.cluster.worker as worker
    import humpback.workspace.spans as spans

    def slowly(function):
        def slow(*args):
            time.sleep(0.3)
            return function(*args)

        return slow

    spans.write_shard = slowly(spans.write_shard)
    worker.in_order = slowly(worker.in_order)


def keep(number: int, bad: dict[int, str]) -> Shard:
    """Keeps every number, unless it is one of those that misbehave."""
    if number in bad:
        misbehave(bad[number])
    return Shard([Segment(str(number), "text", [], SOURCE)])


def give_up(number: int, why: str) -> Dropped:
    return Dropped(str(number), DropReason.STOPPED, why, "", SOURCE)
