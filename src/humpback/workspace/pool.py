"""Rows worked on in child processes, so that one that hangs or explodes costs itself and nothing else."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from humpback.errors import WorkspaceError

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

T = TypeVar("T")
R = TypeVar("R")

PARENT_CHECK_SECONDS = 1.0
"""How often a worker looks whether the run that started it is still there (ours)."""


TURN_SECONDS = 10.0
"""How long a worker waits for its turn to take a call, after which the one before it must have been killed (ours)."""
MAX_RESTARTS = 3
"""How often in a row all processes are started anew before the run stops (ours)."""


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What one row may cost in a worker; the memory is counted on top of what the worker starts with."""

    seconds: float
    memory_gib: float


class RowStopped(Exception):
    """A row went over its limits; the message says over which.

    `is_certain` says that it would again; a process may also be ended by what has nothing to do with the row.
    """

    def __init__(self, why: str, *, is_certain: bool = True) -> None:
        super().__init__(why)
        self.is_certain = is_certain


class PoolBroken(RowStopped):
    """The processes lost the way to speak with the run, as when one is killed while it takes a call."""


class Workers:
    """Child processes that are replaced when a row kills them. Use as a context manager.

    Processes are started by a server that was forked before any thread ran, so that a library's threads and locks
    in this process do no harm. They do not import the script that was started, so that it needs no
    `if __name__ == "__main__":`; what they call must stand in an importable module.
    """

    def __init__(self, count: int | None, limits: RowLimits) -> None:
        self.count = count or available_cores()
        self.limits = limits
        self._pool: ProcessPool | None = None
        self._restarts = 0  # since the last call that was answered

    def __enter__(self) -> Self:
        self._pool = self._started()
        return self

    def _started(self) -> ProcessPool:
        from pebble import ProcessPool

        from humpback.workspace.processes import ForkServer

        context = ForkServer()
        context.set_forkserver_preload(["humpback.workspace.pool"])
        return ProcessPool(
            max_workers=self.count, initializer=_start_worker, initargs=(os.getpid(), self.limits), context=context
        )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._pool is not None
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()

    def submit(self, function: Callable[[T], R], item: T) -> ProcessFuture[R]:
        """Starts a call in a worker; `result` waits for what it answers. Broken processes are started anew.

        Raises:
            WorkspaceError: they break again and again.
        """
        assert self._pool is not None
        if not self._pool.active:
            self._restart()
        return self._pool.schedule(function, args=(item,))

    def _restart(self) -> None:
        assert self._pool is not None
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise WorkspaceError(
                f"the {self.count} processes that work on shards end again and again; look whether the system ends "
                "them (`dmesg`), raise ingest.limits.memory_gib or lower ingest.workers, and run the same command "
                "again; what is finished is kept"
            )
        self._pool.stop()
        self._pool.join()
        self._pool = self._started()

    def result(self, future: ProcessFuture[R]) -> R | RowStopped:
        """What a call in a worker answered, or what ended the worker; raises what the call raised."""
        from concurrent.futures.process import BrokenProcessPool

        from pebble import ProcessExpired

        try:
            result: R = future.result()
        except BrokenProcessPool as broken:
            return PoolBroken(f"lost its process ({broken})", is_certain=False)
        except ProcessExpired as end:
            return RowStopped(self._cause(end.exitcode), is_certain=end.exitcode == -signal.SIGALRM)
        self._restarts = 0
        return result

    def _cause(self, exitcode: int | None) -> str:
        if exitcode == -signal.SIGALRM:
            return f"took longer than {self.limits.seconds:g} s"
        if exitcode is not None and exitcode < 0:
            return f"killed its process ({signal.Signals(-exitcode).name})"
        return f"ended its process (exit code {exitcode})"


@contextlib.contextmanager
def row_limits(limits: RowLimits) -> Iterator[None]:
    """Within it, a row that runs past its time kills the process, even in the middle of a library's C code.

    Raises:
        RowStopped: the row needed more memory than it may have.
    """
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    try:
        yield
    except MemoryError as error:
        raise RowStopped(f"needed more than {limits.memory_gib:g} GiB of memory") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def available_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def in_order(workers: Workers, function: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R | RowStopped]]:
    """Calls `function` on every item and yields the items in order, each with its result or with what ended its worker.

    Calls run side by side; only a few wait, so that memory does not grow with their number. A call whose worker was
    ended, but not by the time limit, is made once more: its end may have nothing to do with the call.
    """
    waiting: deque[tuple[T, ProcessFuture[R]]] = deque()

    def result_of(item: T, future: ProcessFuture[R]) -> R | RowStopped:
        retries = 1
        while True:
            result = workers.result(future)
            if not isinstance(result, RowStopped) or result.is_certain:
                return result
            if not isinstance(result, PoolBroken):
                if not retries:
                    return result
                retries -= 1
            future = workers.submit(function, item)

    for item in items:
        waiting.append((item, workers.submit(function, item)))
        if len(waiting) > 2 * workers.count:
            first, future = waiting.popleft()
            yield first, result_of(first, future)
    for last, future in waiting:
        yield last, result_of(last, future)


def each_row(
    workers: Workers,
    work: Callable[[T], R],
    rows: Iterable[T],
    give_up: Callable[[T, str], R],
    *,
    rows_at_once: int,
) -> Iterator[tuple[T, R]]:
    """Yields the rows in order, each with what `work` makes of it, or `give_up` of one that had to be stopped."""
    source = iter(rows)
    batches = iter(lambda: list(itertools.islice(source, rows_at_once)), [])
    for batch, results in in_order(workers, partial(_work_through, work, give_up, workers.limits), batches):
        if isinstance(results, RowStopped):
            results = one_by_one(workers, work, batch, give_up)
        yield from zip(batch, results, strict=True)


def one_by_one(workers: Workers, work: Callable[[T], R], rows: Sequence[T], give_up: Callable[[T, str], R]) -> list[R]:
    """What `work` makes of each row, or `give_up` of one that ends its worker: no row costs another."""
    results = []
    for row, result in in_order(workers, partial(within_limits, work, give_up, workers.limits), rows):
        results.append(give_up(row, str(result)) if isinstance(result, RowStopped) else result)
    return results


def within_limits(work: Callable[[T], R], give_up: Callable[[T, str], R], limits: RowLimits, row: T) -> R:
    """What `work` makes of the row, or `give_up` when it needs too much memory; ends the process after the time."""
    try:
        with row_limits(limits):
            return work(row)
    except RowStopped as stop:
        return give_up(row, str(stop))


def _work_through(
    work: Callable[[T], R], give_up: Callable[[T, str], R], limits: RowLimits, rows: Sequence[T]
) -> list[R]:
    return [within_limits(work, give_up, limits, row) for row in rows]


def _start_worker(parent: int, limits: RowLimits) -> None:
    from pebble import CONSTS

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the run stops its workers itself
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    CONSTS.channel_lock_timeout = TURN_SECONDS
    _limit_memory(limits.memory_gib)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """Ends this process when the run is gone, however it went."""
    while True:
        time.sleep(PARENT_CHECK_SECONDS)
        try:
            os.kill(parent, 0)
        except OSError:
            os._exit(1)


def _limit_memory(gib: float) -> None:
    try:
        import resource

        data_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        bound = data_pages * resource.getpagesize() + int(gib * 2**30)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or bound <= hard:
            resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    except (ImportError, OSError, ValueError, IndexError):
        return  # no such limit on this system
