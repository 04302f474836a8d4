"""Follows a run as it works, and writes its page of progress every few seconds. Nothing here may stop the run."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from humpback.cluster import Figures
from humpback.config import Config
from humpback.pipeline.progress import (
    PAGE_FILE,
    RECORD_FILE,
    Record,
    Spent,
    gather,
    read_planned,
    read_record,
    spent_in,
)
from humpback.pipeline.state import StepState
from humpback.progress import Progress, Task
from humpback.report.progress_page import Bar, Message, progress_page
from humpback.workspace import Manifest, RunFolder
from humpback.workspace.atomic import TEMPORARY_SUFFIX

log = logging.getLogger(__name__)

WRITE_SECONDS = 4.0
"""How often the page is written between the starts and ends of steps (ours: the page is read anew every five)."""

MESSAGES = 8  # the last few; ours
RATE_POINTS = 60  # moments, a second or more apart, that a rate is taken over; ours: a minute where rows are fast


class Tracker:
    """Of one start of a run: a `Progress` that hands on to another and remembers. Use as a context manager."""

    def __init__(self, config: Config, folder: RunFolder, states: Sequence[StepState], shown: Progress) -> None:
        self._config = config
        self._folder = folder.path
        self._shown = shown
        self._statuses = {state.step.name: state.status for state in states}
        found = {state.step.name: folder.step(state.step.name).manifest() for state in states if state.status == "done"}
        self._manifests = {name: manifest for name, manifest in found.items() if manifest is not None}
        self._planned = read_planned(folder.path)
        earlier = read_record(folder.path) or Record(state="done")
        self._record = Record(started=time.time(), spent=earlier.spent, before=earlier.before)
        is_up_to_date = all(status == "done" for status in self._statuses.values())
        self._is_silent = is_up_to_date and earlier.state == "done"  # what is there says all there is to say
        self._step: _Stretch | None = None
        self._meter: _Meter | None = None
        self._messages: deque[Message] = deque(maxlen=MESSAGES)
        self._handler = _Handler(self._messages)
        self._lock = threading.Lock()  # of what the page is made from, and of its file
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write_now_and_then, name="progress page", daemon=True)

    def __enter__(self) -> Self:
        logging.getLogger("humpback").addHandler(self._handler)
        if not self._is_silent:
            self._write()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger("humpback").removeHandler(self._handler)
        if self._is_silent:
            return
        self._ended.set()
        self._thread.join()
        if error is None:
            self._record.state = "done"
        elif isinstance(error, Exception):
            self._record.state = "failed"
            self._record.error = str(error) or type(error).__name__
        else:
            self._record.state = "stopped"
        self._write()

    @contextmanager
    def step(self, state: StepState) -> Iterator[None]:
        """While the step runs."""
        name, record = state.step.name, self._record
        with self._lock:
            earlier = record.spent.get(name, Spent())
            if state.status != "started":  # what is there is another output, or none
                record.before = replace(record.before + earlier, cluster=None)
                earlier = Spent()
            self._step = _Stretch(name, earlier, self._config)
            record.step = name
            self._statuses[name] = "started"
        self._write()
        try:
            yield
        finally:
            with self._lock:
                record.spent = {**record.spent, name: self._step.spent()}
                self._step = None

    def finished(self, manifest: Manifest) -> None:
        """Hears that a step is done."""
        with self._lock:
            self._manifests[manifest.step] = manifest
            self._statuses[manifest.step] = "done"
            self._record.step = None
        self._write()

    def worked(self, figures: Figures) -> None:
        """Hears how far a piece of work on a cluster is."""
        if self._step is not None:
            self._step.worked(figures)

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """As `Progress.task`."""
        with self._shown.task(label, total, unit) as task:
            outer, meter = self._meter, _Meter(task, label, total, unit)
            self._meter = meter
            try:
                yield meter
            finally:
                self._meter = outer

    def _write_now_and_then(self) -> None:
        while not self._ended.wait(WRITE_SECONDS):
            self._write()

    def _write(self) -> None:
        try:
            with self._lock:
                self._take_stock()
                is_running = self._record.state == "running"
                found = gather(
                    self._config,
                    self._statuses,
                    self._manifests,
                    self._record,
                    self._planned,
                    is_running=is_running,
                )
                _replace(self._folder / RECORD_FILE, json.dumps(asdict(self._record), ensure_ascii=False))
                _replace(self._folder / PAGE_FILE, progress_page(found))
        except Exception as error:  # the run's own message counts, and it comes where the disk is full
            log.debug("%s was not written: %s", PAGE_FILE, error)

    def _take_stock(self) -> None:
        record, step, meter = self._record, self._step, self._meter
        record.updated = time.time()
        record.messages = list(self._messages)
        record.bar = meter.bar() if meter is not None else None
        if step is not None:
            record.spent = {**record.spent, step.name: step.spent()}


class _Stretch:
    """A step for as long as it runs."""

    def __init__(self, name: str, earlier: Spent, config: Config) -> None:
        self.name = name
        self._earlier = earlier
        self._config = config
        self._began = time.monotonic()
        self._work: list[Figures] = []

    def worked(self, figures: Figures) -> None:
        if self._work and self._work[-1].began == figures.began:
            self._work[-1] = figures
        else:
            self._work.append(figures)

    def spent(self) -> Spent:
        return self._earlier + spent_in(self.name, time.monotonic() - self._began, list(self._work), self._config)


class _Meter:
    """A bar that hands on to another."""

    def __init__(self, shown: Task, label: str, total: int | None, unit: str) -> None:
        self._shown = shown
        self._bar = Bar(label, unit, 0, total)
        self._done = 0
        self._note = ""
        # What is found finished comes at once, and belongs to the first moment: a rate does not count it.
        self._points = deque([(time.monotonic(), 0)], maxlen=RATE_POINTS)

    def advance(self, amount: int = 1) -> None:
        self._shown.advance(amount)
        self._done += amount
        now = time.monotonic()
        if now - self._points[-1][0] < 1:
            self._points[-1] = (self._points[-1][0], self._done)
        else:
            self._points.append((now, self._done))

    def note(self, text: str) -> None:
        self._shown.note(text)
        self._note = text

    def bar(self) -> Bar:
        points = list(self._points)
        # The first stretch holds the start of workers and the loading of models; it counts while there is no other.
        (began, first), (last, done) = points[1] if len(points) > 2 else points[0], points[-1]
        rate = (done - first) / (last - began) if done > first else None
        left = None
        if rate and self._bar.total is not None:
            left = max(0.0, (self._bar.total - done) / rate - (time.monotonic() - last))
        return replace(self._bar, done=self._done, rate=rate, left=left, note=self._note)


class _Handler(logging.Handler):
    """Keeps the last warnings and errors."""

    def __init__(self, messages: deque[Message]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._messages.append(Message(record.created, record.levelname.lower(), record.getMessage()))
        except Exception:  # a message that cannot be put together
            self.handleError(record)


def _replace(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all; not flushed, since a power cut may take it."""
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    temporary.write_text(text, encoding="utf-8", errors="replace")
    os.replace(temporary, path)  # noqa: PTH105 - of no weight for the run, and not counted among its files
