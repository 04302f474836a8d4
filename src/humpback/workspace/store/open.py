"""Opening the copy of a run's folder, if there is to be one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from humpback.errors import WorkspaceError
from humpback.version import WORKSPACE_VERSION, __version__
from humpback.workspace.folder import VERSION_FILE, RunFolder
from humpback.workspace.store.copy import KeptCopy
from humpback.workspace.store.copying import Copying
from humpback.workspace.store.files import StoreFiles
from humpback.workspace.store.lock import LOCKS, StoreLock

log = logging.getLogger(__name__)


@contextmanager
def open_copy(url: str | None, folder: RunFolder) -> Iterator[Copying]:
    """Keeps the copy of `folder`, which must be locked, at `url`, until the end of the block.

    Raises:
        WorkspaceError: the store cannot be used, somebody else does, or at the end it lacks something.
        MissingDependencyError: its kind of address needs a package that is not installed.
    """
    if url is None:
        yield Copying()
        return
    files = StoreFiles(url)
    check_store(files)
    lock = StoreLock(StoreFiles(url), folder.place())
    lock.acquire()
    copy = KeptCopy(files, folder, lock)
    try:
        try:
            yield copy
        except Exception:
            trouble = copy.finish()
            if trouble:
                log.warning("%s", trouble)
            raise
        except BaseException:
            copy.stop()
            raise
        trouble = copy.finish()
        if trouble:
            raise WorkspaceError(trouble)
    finally:
        lock.release()


def check_store(files: StoreFiles) -> None:
    """Passes where there is nothing yet, or a copy of a run of this version.

    Raises:
        WorkspaceError: it is none of these, or cannot be read.
    """
    files.require()
    data = files.read(VERSION_FILE)
    if data is None:
        if any(not name.startswith(f"{LOCKS}/") for name in files.names()):
            raise WorkspaceError(
                f"store: {files.url!r} is not empty and no copy of a run (no {VERSION_FILE}); use another `name`"
            )
        return
    try:
        found = json.loads(data)["workspace_version"]
    except (ValueError, KeyError, TypeError):
        raise WorkspaceError(f"store: {files.url}/{VERSION_FILE} is damaged; use another `name`") from None
    if found != WORKSPACE_VERSION:
        raise WorkspaceError(
            f"store: {files.url!r} was made with another version of Humpback (folder layout {found}; this is "
            f"{__version__}, layout {WORKSPACE_VERSION}); use another `name`, or that version"
        )
