"""Keeps a run's folder and its copy in the store alike: fetches what is missing here, then copies what is made."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Mapping, Sequence

from humpback.errors import WorkspaceError
from humpback.workspace.atomic import write_bytes, write_json
from humpback.workspace.folder import CONFIG_FILE, METRICS_FILE, TAKEDOWN_FILE, VERSION_FILE, RunFolder
from humpback.workspace.step import WORK_FOLDER
from humpback.workspace.store.copying import Copying, WantedStep
from humpback.workspace.store.files import StoreFiles
from humpback.workspace.store.kept import Kept, clear, fetch, get_whole, push, read_kept, sums_here, tidy
from humpback.workspace.store.lock import StoreLock
from humpback.workspace.sums import MANIFEST_FILE, STARTED_FILE, file_sum

log = logging.getLogger(__name__)

_SAYING = (MANIFEST_FILE, STARTED_FILE)

POLL_SECONDS = 2.0
"""How often new files are looked for (ours: what a lost machine had not copied is made again)."""

AGAIN_SECONDS = 60.0
"""After so long a store that failed is tried again (ours)."""


class KeptCopy(Copying):
    """A copy that is kept."""

    def __init__(self, files: StoreFiles, folder: RunFolder, lock: StoreLock) -> None:
        self._files = files
        self._folder = folder
        self._lock = lock
        self._there: dict[str, Kept | None] = {}
        self._wanted: dict[str, WantedStep] = {}
        self._pending: list[str] = []  # steps of which the store may lack something
        self._texts: dict[str, bytes] = {}  # what it has of the files beside the steps
        self._taken: dict[str, str] = {}  # what others have put there
        self._passing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._copy_on, name="store copy", daemon=True)
        self._trouble = ""

    def fetch(self, wanted: Sequence[WantedStep]) -> None:
        self._agree_on_takedowns()
        self._join_metrics()
        names = self._files.names()
        replaced: set[str] = set()
        for step in wanted:
            there = read_kept(self._files, step.name, names)
            if self._is_superseded(step, there, replaced):
                self._remove_here(step.name)
                replaced.add(step.name)
            if there is not None:
                tidy(self._files, step.name, there, names)
            self._there[step.name] = self._fetched(step, there)
        self._wanted = {step.name: step for step in wanted}
        self._pending = [step.name for step in wanted if sums_here(self._folder.step(step.name), step.fingerprint)]
        self._copy_texts()
        self._thread.start()

    def require_latest(self) -> None:
        names = self._files.names()
        behind = [step for step in _steps_in(names) if not self._is_alike(step, read_kept(self._files, step, names))]
        if behind:
            raise WorkspaceError(
                f"{self._folder.path}: is not what its copy {self._files.url} holds ({', '.join(behind[:5])}); "
                "`humpback run` with the run's configuration makes them alike"
            )

    def publish(self) -> None:
        names = self._files.names()
        for step in _steps_in(names):
            there = read_kept(self._files, step, names)
            folder = self._folder.step(step)
            if there is None or sums_here(folder, there.fingerprint) is None:
                clear(self._files, step)
            else:
                push(self._files, folder, there.fingerprint, there)
        self._copy_texts()

    def begins(self, step: str) -> None:
        self._require(is_held=not self._lock.is_lost)
        if step not in self._pending:
            self._pending.append(step)

    def _require(self, *, is_held: bool) -> None:
        if not is_held:
            raise WorkspaceError(
                f"{self._files.url}: another machine has taken over, since nothing was heard of this one for too long. "
                f"What is finished stays in {self._folder.path}; the same command goes on when the other has ended"
            )

    @property
    def url(self) -> str:
        return self._files.url

    def flush(self) -> None:
        self._require(is_held=self._lock.is_held())
        self._pass()

    def take(self, written: Mapping[str, str]) -> None:
        for name, digest in written.items():
            file = self._folder.path / name
            if file.is_file() and file_sum(file) == digest:
                continue  # of another worker, or of a shard that was given out twice
            if not get_whole(self._files, name, digest, file):
                raise WorkspaceError(
                    f"{self._files.url}/{name}: is not what a worker has put there; run the same command again: what "
                    "is finished is kept"
                )
        self._taken.update(written)

    def stop(self) -> None:
        """Copies no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(POLL_SECONDS)

    def finish(self) -> str:
        """Copies what is left; what is wrong if that cannot be."""
        if self._thread.ident is None:
            return ""  # nothing was to be copied yet
        self._stop.set()
        self._thread.join()
        self._files.is_patient = True
        try:
            if self._lock.is_held():
                self._pass()
                self._copy_texts()
                left = [name for name in self._pending if self._is_finished(name)]
                if not left:
                    return ""
                why = f"files of {', '.join(left)} went while they were copied"
            else:
                why = "another machine has taken it over"
        except WorkspaceError as error:
            why = str(error)
        return (
            f"{self._files.url}: the copy is behind {self._folder.path}, which has all that is finished: {why}. "
            "Run the same command again, which copies what is missing"
        )

    def _is_finished(self, step: str) -> bool:
        return self._folder.step(step).is_finished(self._wanted[step].fingerprint)

    def _is_superseded(self, step: WantedStep, there: Kept | None, replaced: set[str]) -> bool:
        """Whether the store's output takes the place of the one that is here.

        Both were made for one fingerprint; they differ where a machine's arithmetic does. The store's goes with what
        the store has of later steps; what was made here from the one that goes, goes with it.
        """
        here = sums_here(self._folder.step(step.name), step.fingerprint)
        if here is None or here == there:
            return False
        has_other = there is not None and there.is_finished and there.fingerprint == step.fingerprint
        return bool(replaced.intersection(step.needs)) or (has_other and here.is_finished)

    def _fetched(self, step: WantedStep, there: Kept | None) -> Kept | None:
        """Brings a step here; what the store has of it after all."""
        folder = self._folder.step(step.name)
        here = sums_here(folder, step.fingerprint)
        is_needed = here is None or not here.is_finished
        if there is None or there.fingerprint != step.fingerprint or not is_needed:
            return there
        count = len(there.sums)
        if fetch(self._files, folder, there):
            log.info("%s: fetched from %s (%d files)", step.name, self._files.url, count)
        elif there.is_finished:
            return None  # is copied again, whole
        return there

    def _agree_on_takedowns(self) -> None:
        """Removes, here and there, the steps that may hold what the other side was asked to take out."""
        file = self._folder.path / TAKEDOWN_FILE
        ours = _requests(file.read_bytes()) if file.is_file() else {}
        theirs = _requests(self._files.read(TAKEDOWN_FILE) or b"")
        if theirs.keys() - ours.keys():
            names = self._files.names()
            for step in self._steps_here():
                if not self._is_alike(step, read_kept(self._files, step, names)):
                    self._remove_here(step)
            both = sorted((theirs | ours).values(), key=lambda request: str(request.get("asked")))
            write_json(file, {"requests": both})
        if ours.keys() - theirs.keys():
            self.publish()

    def _steps_here(self) -> list[str]:
        folder = self._folder.path
        return _steps_in({str(file.relative_to(folder)) for file in folder.rglob("*.json")})

    def _is_alike(self, step: str, there: Kept | None) -> bool:
        """Whether a step is here as it is there."""
        return there is not None and sums_here(self._folder.step(step), there.fingerprint) == there

    def _remove_here(self, step: str) -> None:
        self._folder.step(step).distrust()
        shutil.rmtree(self._folder.path / step, ignore_errors=True)

    def _join_metrics(self) -> None:
        """Adds the lines that are only here to those in the store."""
        file = self._folder.path / METRICS_FILE
        theirs = (self._files.read(METRICS_FILE) or b"").splitlines(keepends=True)
        ours = file.read_bytes().splitlines(keepends=True) if file.is_file() else []
        if theirs and theirs != ours:
            known = set(theirs)
            write_bytes(file, b"".join([*theirs, *(line for line in ours if line not in known)]))

    def _copy_on(self) -> None:
        while not self._stop.wait(AGAIN_SECONDS if self._trouble else POLL_SECONDS):
            self._files.is_patient = not self._trouble
            try:
                if not self._lock.is_held():
                    log.warning("%s: another machine has taken over; nothing is copied any more", self._files.url)
                    return
                self._pass()
            except WorkspaceError as error:
                if not self._trouble:
                    log.warning(
                        "the run goes on in %s, but its copy is behind; copying is tried again every %.0f s: %s",
                        *(self._folder.path, AGAIN_SECONDS, error),
                    )
                self._trouble = str(error)
            else:
                if self._trouble:
                    log.warning("%s: answers again; the copy is as far as the run", self._files.url)
                self._trouble = ""

    def _pass(self) -> None:
        """Copies what the store lacks."""
        with self._passing:
            for name in list(self._pending):
                folder, fingerprint = self._folder.step(name), self._wanted[name].fingerprint
                taken = self._taken_of(name)
                try:
                    there = push(self._files, folder, fingerprint, self._there.get(name), taken)
                except FileNotFoundError:
                    continue  # it changes just now; next time
                self._there[name] = there
                if there is not None and there.is_finished and there.fingerprint == fingerprint:
                    self._pending.remove(name)
                    self._copy_texts()

    def _taken_of(self, step: str) -> dict[str, str]:
        """What others have put there of a step, told once."""
        names = [name for name in list(self._taken) if name.startswith(f"{step}/")]
        return {name.removeprefix(f"{step}/"): self._taken.pop(name) for name in names}

    def _copy_texts(self) -> None:
        """Copies the files beside the steps; the request to take something out once that is done."""
        for name in (VERSION_FILE, CONFIG_FILE, METRICS_FILE, TAKEDOWN_FILE):
            self._copy_text(name)

    def _copy_text(self, name: str) -> None:
        file = self._folder.path / name
        data = file.read_bytes() if file.is_file() else None
        if data is not None and self._texts.get(name) != data:
            self._files.write(name, data)
            self._texts[name] = data


def _steps_in(names: set[str]) -> list[str]:
    """The steps among whose files `names` are."""
    folders = {folder for folder, _, file in (name.rpartition("/") for name in names) if file in _SAYING}
    return sorted(folder for folder in folders if folder and WORK_FOLDER not in folder.split("/"))


def _requests(data: bytes) -> dict[str, dict[str, object]]:
    """What was asked to be taken down, by site."""
    try:
        return {str(request["domain"]): request for request in json.loads(data)["requests"]}
    except (ValueError, KeyError, TypeError):
        return {}
