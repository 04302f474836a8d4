"""The worker processes of one kind, and what each of them is doing."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from humpback.cluster.elsewhere import Packed
from humpback.cluster.figures import Figures, Told
from humpback.cluster.tasks import MOST_LOST, Task, Tasks
from humpback.cluster.worker import Surroundings, Worker
from humpback.errors import EngineError, HumpbackError
from humpback.workspace import Work
from humpback.workspace.store import Copying

log = logging.getLogger(__name__)

I = TypeVar("I")  # noqa: E741

LOOK_SECONDS = 1.0
"""How often slow items are looked for while nothing else happens (ours)."""

PATIENCE_SECONDS = 30.0
"""After so long without any worker the user is told what the workers wait for (ours)."""

CLOSING_SECONDS = 60.0
"""How long a worker may take to let go of a model before its process is ended (ours)."""

ENDING_SECONDS = 10.0
"""How long a worker's end is waited for (ours: its process is killed, which takes no time where its node answers)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many workers of a kind there are, and what each reserves."""

    count: int
    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class _Call:
    """What an answer will be about: a task, or, without one, that the worker is ready."""

    worker: Any
    task: Task[Any] | None


class Pool:
    """Workers that stay from one piece of work to the next, so that a process is started once."""

    def __init__(self, shape: Shape, surroundings: Surroundings, copy: Copying, told: Told) -> None:
        self.shape = shape
        self._copy = copy
        self._told = told
        self._actor = ray.remote(Worker).options(num_cpus=shape.cpus, num_gpus=shape.gpus, max_restarts=0)
        self._surroundings = surroundings
        self._rested: list[Any] = []

    def run(self, work: Work[I], items: Iterable[I], done: Callable[[I], None], *, light: bool = False) -> None:
        """As `Executor.run`.

        Raises:
            EngineError: workers ended again and again on one item, or while they made ready.
        """
        tasks: Tasks[I] = Tasks(items)
        if tasks.is_empty:
            return
        self._copy.flush()  # before anybody reads what was made so far, or writes beside it
        sent = work if self._copy.url is None else Packed.of(work)
        told = (self._told, self.shape.gpus)
        shift = _Shift(self._actor, self._surroundings, ray.put(sent), tasks, done, self._copy, *told)
        try:
            shift.begin(self._rested, self.shape)
            shift.work_off()
            still_opening = shift.let_open() if light else []
        except BaseException:
            self._rested = []
            shift.end_all()
            raise
        self._rested = [*shift.end_busy(), *still_opening]
        log.log(logging.DEBUG if light else logging.INFO, "%s", shift.figures())

    def close(self) -> None:
        """Ends all processes."""
        for worker in self._rested:
            _end(worker)
        self._rested = []


class _Shift:
    """One piece of work in the hands of a pool."""

    def __init__(
        self,
        actor: Any,
        surroundings: Surroundings,
        work: Any,
        tasks: Tasks[Any],
        done: Callable[[Any], None],
        copy: Copying,
        told: Told,
        gpus: float,
    ) -> None:
        self._copy = copy
        self._actor = actor
        self._surroundings = surroundings
        self._work = work
        self._tasks = tasks
        self._done = done
        self._told = told
        self._gpus = gpus
        self._calls: dict[Any, _Call] = {}
        self._idle: list[Any] = []
        self._machines: set[str] = set()
        self._opened = 0
        self._failed_to_open = 0
        self._places = 0
        self._seconds = 0.0
        self._began = self._alone_since = time.monotonic()

    def begin(self, rested: Iterable[Any], shape: Shape) -> None:
        """Lets the workers that are there, and new ones up to the shape's number, make ready."""
        there = list(rested)
        self._places = max(shape.count, len(there))
        for worker in [*there, *(self._new_worker() for _ in range(shape.count - len(there)))]:
            self._calls[worker.open.remote(self._work)] = _Call(worker, None)

    def work_off(self) -> None:
        """Hands out tasks until all are done."""
        while not self._tasks.is_empty:
            self._hand_out()
            self._tasks.fetch_ahead()
            answered, _ = ray.wait(list(self._calls), num_returns=1, timeout=LOOK_SECONDS)
            for answer in answered:
                self._take_answer(answer)
            if not answered:
                self._tell_when_alone()

    def let_open(self) -> list[Any]:
        """The workers that still make ready, which are left to it: light work is over before a process has begun."""
        opening = [answer for answer, call in self._calls.items() if call.task is None]
        return [self._calls.pop(answer).worker for answer in opening]

    def end_busy(self) -> list[Any]:
        """Ends workers that still make ready, or do what another has done; the others, closed and at rest."""
        self._end_calls()
        closing = {worker.close.remote(): worker for worker in self._idle}
        closed, open_still = ray.wait(list(closing), num_returns=len(closing), timeout=CLOSING_SECONDS)
        rested = []
        for answer in closed:
            try:
                ray.get(answer)
                rested.append(closing[answer])
            except RayError as error:
                log.warning("a worker did not close: %s", reason(error))
                _end(closing[answer])
        for answer in open_still:
            _end(closing[answer])
        return rested

    def end_all(self) -> None:
        """Ends every worker in the middle of what it does."""
        for worker in self._idle:
            _end(worker)
        self._end_calls()

    def _end_calls(self) -> None:
        """Ends the workers that are not at rest, and waits until they write no more."""
        for call in self._calls.values():
            _end(call.worker)
        if self._calls:
            ray.wait(list(self._calls), num_returns=len(self._calls), timeout=ENDING_SECONDS)

    def figures(self) -> Figures:
        """What has been done by now."""
        return Figures(
            shards=self._tasks.finished,
            workers=self._opened,
            nodes=len(self._machines),
            work_seconds=self._seconds,
            repeated=self._tasks.repeated,
            seconds=time.monotonic() - self._began,
            gpus=self._gpus * self._places,
            began=self._began,
        )

    def _hand_out(self) -> None:
        while self._idle and (task := self._tasks.take()) is not None:
            worker = self._idle.pop()
            sent = task.item if self._copy.url is None else Packed.of(task.item)
            self._calls[worker.run.remote(sent)] = _Call(worker, task)

    def _take_answer(self, answer: Any) -> None:
        call = self._calls.pop(answer)
        try:
            found, written = ray.get(answer)
        except RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, HumpbackError) else error) from None
        except RayError as error:
            self._replace(call, reason(error))
            return
        self._idle.append(call.worker)
        self._copy.take(written)
        if call.task is None:
            self._opened += 1
            self._machines.add(found)
            return
        self._failed_to_open = 0
        self._seconds += found
        if self._tasks.finish(call.task):
            self._done(call.task.item)
            self._told(self.figures())

    def _replace(self, call: _Call, why: str) -> None:
        """Starts another worker in the place of one that has gone."""
        _end(call.worker)
        if call.task is None:
            self._failed_to_open += 1
            log.warning("a worker ended while it made ready: %s", why)
            if self._failed_to_open >= MOST_LOST * self._places:  # nodes take the workers that are on them along
                raise EngineError(
                    f"{self._failed_to_open} workers of the cluster ended one after another while they made ready: "
                    f"{why}. What is finished is kept"
                )
        else:
            log.warning("a worker ended while it had %s, which goes to another: %s", call.task.item, why)
            if not self._tasks.lose(call.task):
                raise EngineError(
                    f"{call.task.item} ended {call.task.lost} workers one after another: {why}. Give workers more "
                    "memory (cluster.cpus), or make shards smaller; what is finished is kept"
                )
        worker = self._new_worker()
        self._calls[worker.open.remote(self._work)] = _Call(worker, None)

    def _new_worker(self) -> Any:
        return self._actor.remote(self._surroundings)

    def _tell_when_alone(self) -> None:
        """Warns when no worker has got its place for a while."""
        if self._idle or any(call.task is not None for call in self._calls.values()):
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > PATIENCE_SECONDS:
            self._alone_since = time.monotonic()
            log.warning("still waiting for the first worker: it loads, or the cluster has no room (`ray status`)")


def reason(error: Exception) -> str:
    """The line of Ray's message that says most, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line.lower() for word in ("node", "memory", "exit", "died"))]
    return (telling or lines or [type(error).__name__])[-1].rstrip(".")


def _end(worker: Any) -> None:
    with contextlib.suppress(RayError, ValueError):
        ray.kill(worker)
