"""What runs in a worker's process on some machine of the cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from humpback.cluster.elsewhere import WORKER_FOLDER, Elsewhere, Packed, Written
from humpback.errors import WorkspaceError
from humpback.version import __version__
from humpback.workspace import RowLimits, Work, Workers
from humpback.workspace.executor import Rescue
from humpback.workspace.pool import RowStopped, in_order

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every worker must find: the run's folder, and the version of Humpback that sends the work.

    `directory` is where the command runs, so that relative paths mean the same. A machine without the run's folder, in
    which a file is named by `mark`, reads and writes its copy in the `store`.
    """

    folder: Path
    directory: Path
    version: str
    store: str | None = None
    mark: str = ""


class Worker:
    """Opens one piece of work at a time and does it to the items that it is sent."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._stack = ExitStack()
        self._call: Callable[[object], None] | None = None
        self._elsewhere: Elsewhere | None = None

    def open(self, work: Work[object] | Packed) -> tuple[str, Written]:
        """Makes ready for items of `work`; the name of this machine, and what was put into the store.

        Raises:
            WorkspaceError: the run's folder cannot be seen from here, or another version of Humpback is installed.
        """
        self.close()
        name = check_surroundings(self._surroundings)
        store = self._surroundings.store
        if store is not None and self._elsewhere is None and not sees_folder(self._surroundings):
            self._elsewhere = Elsewhere(store, self._surroundings.folder, self._surroundings.directory)
        opened: Work[object] = self._unpacked(work, is_new=True)
        self._call = self._stack.enter_context(opened.open())
        return name, self._put()

    def run(self, item: object) -> tuple[float, Written]:
        """Works on the item; the seconds it took, and what was put into the store."""
        assert self._call is not None
        started = time.monotonic()
        self._call(self._unpacked(item, is_new=False))
        written = self._put()
        return time.monotonic() - started, written

    def _unpacked(self, value: Any, *, is_new: bool) -> Any:
        if not isinstance(value, Packed):
            return value
        return value.value() if self._elsewhere is None else self._elsewhere.unpack(value, is_new=is_new)

    def _put(self) -> Written:
        return {} if self._elsewhere is None else self._elsewhere.put()

    def close(self) -> None:
        """Lets go of what the work holds, e.g. a model."""
        self._call = None
        self._stack.close()
        if self._elsewhere is not None:
            self._elsewhere.close()
            self._elsewhere = None


def check_surroundings(wanted: Surroundings) -> str:
    """Goes to the directory that relative paths begin at; the name of this machine.

    Raises:
        WorkspaceError: the run's folder cannot be seen from here, or another version of Humpback is installed.
    """
    here = os.uname().nodename
    if wanted.version != __version__:
        raise WorkspaceError(
            f"{here}: Humpback {__version__} is installed there and {wanted.version} here; install one version on all "
            "machines of the cluster"
        )
    if wanted.directory.is_dir():
        os.chdir(wanted.directory)
    if wanted.store is None and not wanted.folder.is_dir():
        raise WorkspaceError(
            f"{here}: cannot see the run's folder {wanted.folder}; choose a runs_dir on storage that all machines of "
            "the cluster mount at the same place, or set `store` (for all but training on several machines)"
        )
    return here


def sees_folder(wanted: Surroundings) -> bool:
    """Whether the run's folder is here, and not another one in its place."""
    return WORKER_FOLDER not in os.environ and (wanted.folder / wanted.mark).is_file()


@dataclass(frozen=True, slots=True)
class GuardedWork(Generic[T]):
    """A call for each item in a child process of the worker, under limits; see `Executor.run_guarded`."""

    call: Callable[[T], None]
    rescue: Rescue[T]
    limits: RowLimits

    @contextmanager
    def open(self) -> Iterator[Callable[[T], None]]:
        with Workers(1, self.limits) as workers:

            def guarded(item: T) -> None:
                for _, result in in_order(workers, self.call, [item]):
                    if isinstance(result, RowStopped):
                        self.rescue(workers, item, str(result))

            yield guarded
