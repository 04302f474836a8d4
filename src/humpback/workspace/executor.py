"""Where work is done: in this process, or wherever another executor takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol, TypeVar

from humpback.workspace.pool import RowStopped, Workers, in_order

I = TypeVar("I")  # noqa: E741
I_contra = TypeVar("I_contra", contravariant=True)

Rescue = Callable[[Workers, I_contra, str], None]
"""Does what can still be done with an item that ended its child process; it is told how."""


class Work(Protocol[I_contra]):
    """What is done to items one by one, after something was opened where it is done, e.g. a model was loaded.

    It is picklable, and what it does to an item depends on that item alone and is left in files: an item may be worked
    on twice, in two places at once.
    """

    def open(self) -> AbstractContextManager[Callable[[I_contra], None]]:
        """What works on an item, until the end of the block."""


class Executor(Protocol):
    """Brings items to work."""

    @property
    def sees_folder(self) -> bool:
        """Whether whoever works sees the run's folder itself, and not only a copy of what was finished before."""

    def run(self, work: Work[I], items: Iterable[I], done: Callable[[I], None], *, light: bool = False) -> None:
        """Opens `work` if there is an item; `done` hears of each item, in whatever order.

        `light` work asks no model and comes in many pieces, which are not reported one by one. Raises what the work
        raises; items that are finished by then stay finished.
        """

    def run_guarded(
        self,
        call: Callable[[I], None],
        items: Iterable[I],
        done: Callable[[I], None],
        workers: Workers,
        rescue: Rescue[I],
    ) -> None:
        """As `run`, each call in a child process under the limits of `workers`, which must not be started yet."""

    def release(self) -> None:
        """Lets go of what is kept from one piece of work to the next, for something else that needs the room."""


class ThisProcess:
    """Does everything in this process and its children, in order."""

    sees_folder = True

    def run(self, work: Work[I], items: Iterable[I], done: Callable[[I], None], *, light: bool = False) -> None:
        with ExitStack() as stack:
            call: Callable[[I], None] | None = None
            for item in items:
                if call is None:
                    call = stack.enter_context(work.open())
                call(item)
                done(item)

    def run_guarded(
        self,
        call: Callable[[I], None],
        items: Iterable[I],
        done: Callable[[I], None],
        workers: Workers,
        rescue: Rescue[I],
    ) -> None:
        with workers:
            for item, result in in_order(workers, call, items):
                if isinstance(result, RowStopped):
                    rescue(workers, item, str(result))
                done(item)

    def release(self) -> None:
        pass
