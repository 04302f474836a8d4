"""One machine at a time on one store, which has nothing but files: a file for each that wants it, rewritten regularly.

Writing one's own file and then listing the others is safe wherever a listing shows what was written before it: of two
that begin at once, at least one sees the other, and steps back. No clocks are compared: who is watched for
`STALE_SECONDS` and does not rewrite his file is taken for gone. Whoever finds his own file removed has lost the store.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from humpback.errors import WorkspaceError
from humpback.workspace.store.files import StoreFiles

log = logging.getLogger(__name__)

LOCKS = ".locks"
BEAT_SECONDS = 20.0
"""How often the file is rewritten (ours: 4,300 small writes a day)."""

STALE_SECONDS = 120.0
"""A holder who says nothing for so long is gone (ours: six beats, and longer than a request is tried again)."""

LOOK_SECONDS = 5.0


class StoreLock:
    """Holds a store for this process until `release`. `place` names the run's local folder, which is locked already."""

    def __init__(self, files: StoreFiles, place: Mapping[str, object]) -> None:
        self._files = files
        self._name = f"{LOCKS}/{uuid.uuid4().hex}.json"
        self._said = {"holder": f"process {os.getpid()} on {os.uname().nodename}", "place": dict(place), "beat": 0}
        self._last = time.time()
        self._beating = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="store lock", daemon=True)
        self.is_lost = False

    def acquire(self) -> None:
        """Takes the store, after watching a holder who may be gone.

        Raises:
            WorkspaceError: somebody else holds it, or it cannot be written.
        """
        gone = self._outwait(self._others())
        self._files.write(self._name, self._text())
        others = {name: text for name, text in self._others().items() if name not in gone}
        if others:
            self._files.remove([self._name])
            raise self._in_use(next(iter(others.values())))
        self._files.remove(gone)
        self._last = time.time()
        self._files.is_patient = False  # the next beat is the next try
        self._thread.start()

    def is_held(self) -> bool:
        """Whether the store is still ours; asks it where the last beat is long ago, e.g. after the machine slept.

        Raises:
            WorkspaceError: it does not answer.
        """
        if not self.is_lost and time.time() - self._last > STALE_SECONDS / 2:
            self._beat()
        return not self.is_lost

    def release(self) -> None:
        """Lets go of it."""
        self._stop.set()
        self._thread.join()
        self._files.is_patient = True
        if not self.is_lost:
            try:
                self._files.remove([self._name])
            except WorkspaceError as error:
                log.warning("the lock stays for %d s: %s", STALE_SECONDS, error)

    def _outwait(self, seen: dict[str, bytes]) -> dict[str, bytes]:
        """The files of those who are gone; raises where one of them is not."""
        watched = {name: text for name, text in seen.items() if not self._is_of_this_folder(text)}
        if not watched:
            return seen
        holder = _holder(next(iter(watched.values())))
        log.warning(
            "%s: is held by %s; waiting up to %d s to see whether it is still at work",
            *(self._files.url, holder, STALE_SECONDS),
        )
        until = time.monotonic() + STALE_SECONDS
        while watched and time.monotonic() < until:
            time.sleep(min(LOOK_SECONDS, STALE_SECONDS / 4))
            now = self._others()
            for name, text in watched.items():
                if name in now and now[name] != text:
                    raise self._in_use(text)
            watched = {name: text for name, text in watched.items() if name in now}
        return seen

    def _is_of_this_folder(self, text: bytes) -> bool:
        """Whether an earlier process with this very folder left it, whose lock we have: it is gone."""
        return bool(self._said["place"]) and _parsed(text).get("place") == self._said["place"]

    def _others(self) -> dict[str, bytes]:
        found = {name: self._files.read(name) for name in sorted(self._files.names(LOCKS)) if name != self._name}
        return {name: text for name, text in found.items() if text is not None}

    def _beat_on(self) -> None:
        while not self._stop.wait(BEAT_SECONDS) and not self.is_lost:
            try:
                self._beat()
            except WorkspaceError as error:
                log.debug("no beat: %s", error)  # copying fails, too, and says so

    def _beat(self) -> None:
        with self._beating:
            if self._files.read(self._name) is None:
                self.is_lost = True
                return
            self._said["beat"] = int(str(self._said["beat"])) + 1
            self._files.write(self._name, self._text())
            self._last = time.time()

    def _text(self) -> bytes:
        return json.dumps(self._said).encode()

    def _in_use(self, text: bytes) -> WorkspaceError:
        return WorkspaceError(
            f"{self._files.url}: is in use by {_holder(text)}; wait for it, or use another `name`. A machine that has "
            f"gone lets go of it after {STALE_SECONDS:.0f} s"
        )


def _holder(text: bytes) -> str:
    return str(_parsed(text).get("holder") or "another process")[:200]


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
