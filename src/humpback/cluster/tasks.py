"""What is still to be done, what is being done, and what must be done once more."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741

AHEAD = 4
"""Items that are fetched before a worker is free for them (ours: they may hold 32 MB of documents each)."""

MOST_LOST = 4
"""Workers that one item may cost before the run stops (Ray's default for a task: three repetitions)."""

SLOW_FACTOR, SLOW_SECONDS = 3.0, 10.0
"""An item that takes so many times the median of the others, and at least so long, is given to an idle worker too
(ours: the end of a step then waits for no single machine; the second copy costs nothing that was in use)."""


@dataclass(eq=False, slots=True)
class Task(Generic[I]):
    """An item on its way."""

    item: I
    lost: int = 0
    running: int = 0
    started: float = field(default_factory=time.monotonic)
    is_done: bool = False


class Tasks(Generic[I]):
    """The items of one piece of work."""

    def __init__(self, items: Iterable[I]) -> None:
        self._source = iter(items)
        self._waiting: deque[Task[I]] = deque()
        self._running: dict[Task[I], None] = {}
        self._seconds: deque[float] = deque(maxlen=100)
        self._is_read = False
        self.repeated = 0
        self.finished = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do, nor being done."""
        self._fetch(1)
        return not self._waiting and not self._running

    def take(self) -> Task[I] | None:
        """The next one for an idle worker, if it is to do something."""
        self._fetch(1)
        task = self._waiting.popleft() if self._waiting else self._slow()
        if task is not None:
            if task.running == 0:
                task.started = time.monotonic()
            task.running += 1
            self._running[task] = None
        return task

    def fetch_ahead(self) -> None:
        """Reads some items before they are needed."""
        self._fetch(AHEAD)

    def finish(self, task: Task[I]) -> bool:
        """Notes that a worker has done it; whether it is the first."""
        task.running -= 1
        if task.is_done:
            return False
        task.is_done = True
        self._running.pop(task)
        self._seconds.append(time.monotonic() - task.started)
        self.finished += 1
        return True

    def lose(self, task: Task[I]) -> bool:
        """Notes that its worker has gone; whether it may be tried once more."""
        task.running -= 1
        task.lost += 1
        if not task.is_done and task.running == 0:
            self._running.pop(task)
            self._waiting.appendleft(task)
            self.repeated += 1
        return task.is_done or task.lost < MOST_LOST

    def _slow(self) -> Task[I] | None:
        """One that others would have finished long ago, and that nobody else has been given."""
        if not self._seconds:
            return None
        bound = max(SLOW_FACTOR * median(self._seconds), SLOW_SECONDS)
        now = time.monotonic()
        alone = [task for task in self._running if task.running == 1 and now - task.started > bound]
        if not alone:
            return None
        self.repeated += 1
        return min(alone, key=lambda task: task.started)

    def _fetch(self, count: int) -> None:
        while not self._is_read and len(self._waiting) < count:
            try:
                self._waiting.append(Task(next(self._source)))
            except StopIteration:
                self._is_read = True
