"""One step's folder and its copy in the store: what is there, what is missing on either side.

The copy obeys the rules of the folder. It is finished when it has a manifest, which is written last; until then its
`started.json` names the files that are there with their checksums, and what does not have its checksum is not there.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from humpback.errors import WorkspaceError
from humpback.workspace.atomic import write_bytes, write_with
from humpback.workspace.step import CHECKPOINTS, StepFolder
from humpback.workspace.store.files import StoreFiles
from humpback.workspace.sums import (
    MANIFEST_FILE,
    STARTED_FILE,
    file_sum,
    noted_sums,
    parsed_started,
    started_text,
)

log = logging.getLogger(__name__)

COMPLETE_FILE = "complete"  # a training writes it into a checkpoint last
_NOTE_SECONDS = 20.0  # between two notes of what was copied, while much is copied


@dataclass(slots=True)
class Kept:
    """What the store has of a step: checksums by file name; of one that is not finished, files may have others."""

    fingerprint: str
    is_finished: bool
    sums: dict[str, str] = field(default_factory=dict)


def read_kept(files: StoreFiles, step: str, names: set[str]) -> Kept | None:
    """What the store has of `step`, where `names` are all its files; None where that is nothing that can be used.

    Raises:
        WorkspaceError: it cannot be read, or names a file outside of the step's folder.
    """
    for file, parse in ((MANIFEST_FILE, _of_manifest), (STARTED_FILE, _of_started)):
        kept = parse(files.read(f"{step}/{file}") or b"") if f"{step}/{file}" in names else None
        if kept is not None:
            files.require_inside(f"{step}/{name}" for name in kept.sums)
            return kept
    return None


def kept_at(files: StoreFiles, step: str) -> Kept | None:
    """As `read_kept`, for one step that may be none."""
    return read_kept(files, step, {f"{step}/{MANIFEST_FILE}", f"{step}/{STARTED_FILE}"})


def _of_started(data: bytes) -> Kept | None:
    fingerprint, sums = parsed_started(data)
    if fingerprint is None:
        return None
    return Kept(fingerprint, False, {name: found[-1] for name, found in sums.items() if name != STARTED_FILE})


def _of_manifest(data: bytes) -> Kept | None:
    try:
        said = json.loads(data)
        sums = {str(name): str(digest) for name, digest in said["sums"].items()}
        return Kept(str(said["fingerprint"]), True, sums) if sums.keys() == said["files"].keys() else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def sums_here(step: StepFolder, fingerprint: str) -> Kept | None:
    """What the local folder has of the output that `fingerprint` names; None where that is nothing."""
    manifest = step.manifest()
    if manifest is not None and manifest.fingerprint == fingerprint:
        sums = manifest.sums or {name: file_sum(step.path / name) for name in manifest.files}
        return Kept(fingerprint, True, sums)
    if step.is_started(fingerprint):
        return Kept(fingerprint, False, {name: found[-1] for name, found in noted_sums(step.path).items()})
    return None


def push(
    files: StoreFiles, step: StepFolder, fingerprint: str, there: Kept | None, taken: Mapping[str, str] | None = None
) -> Kept | None:
    """Copies to the store what it lacks of the step; what it has now. `there` is what it had, `taken` what others have
    put there since then.

    A file that goes while it is copied is left out: then the step is just being finished, or another file takes its
    place, and both are seen next time.
    """
    here = sums_here(step, fingerprint)
    changed = bool(taken) and there is not None and there.fingerprint == fingerprint and not there.is_finished
    if there is not None and changed:
        there.sums.update(taken or {})
    if here is None or (here == there and here.is_finished):
        return there
    if there is None or there.fingerprint != fingerprint or (there.is_finished and here != there):
        clear(files, step.name, keep=here.sums if there and there.fingerprint == fingerprint else {})
        there = Kept(fingerprint, False, dict(there.sums) if there and there.fingerprint == fingerprint else {})
    noted = time.monotonic()
    for name, digest in _to_copy(step, here, there):
        if _put(files, step, name, digest, is_settled=here.is_finished):
            there.sums[name] = digest
            changed = True
        if changed and not here.is_finished and time.monotonic() - noted > _NOTE_SECONDS:
            _note(files, step.name, there)
            changed, noted = False, time.monotonic()
    if here.is_finished:
        return _push_manifest(files, step, here, there)
    if changed:
        _note(files, step.name, there)
        _drop_old_checkpoints(files, step.name, there)
    return there


def clear(files: StoreFiles, step: str, keep: Mapping[str, str] | None = None) -> None:
    """Removes a step's copy but for the files to `keep`; first what says that it is there."""
    names = files.names(step)
    first = [f"{step}/{MANIFEST_FILE}", f"{step}/{STARTED_FILE}"]
    kept = {f"{step}/{name}" for name in keep or {}}
    files.remove([name for name in first if name in names])
    files.remove(sorted(names - kept - set(first)))


def _to_copy(step: StepFolder, here: Kept, there: Kept) -> Iterator[tuple[str, str]]:
    yield from ((name, digest) for name, digest in here.sums.items() if there.sums.get(name) != digest)
    if not here.is_finished:
        yield from _checkpoint_files(step, there)


def _checkpoint_files(step: StepFolder, there: Kept) -> Iterator[tuple[str, str]]:
    """The files of the newest complete checkpoint of a training, unless it is there; what says that it is, last."""
    complete = [file.parent for file in step.path.rglob(f"{CHECKPOINTS}/{COMPLETE_FILE}")]
    if not complete:
        return
    newest = max(complete, key=lambda folder: _number(folder.name))
    mark = newest / COMPLETE_FILE
    if str(mark.relative_to(step.path)) in there.sums:
        return
    for file in [*sorted(file for file in newest.rglob("*") if file.is_file() and file != mark), mark]:
        try:
            yield str(file.relative_to(step.path)), file_sum(file)
        except FileNotFoundError:  # a newer one has taken its place
            return


def _drop_old_checkpoints(files: StoreFiles, step: str, there: Kept) -> None:
    """Removes the checkpoints before the newest that is complete in the store."""
    complete = [_checkpoint_of(name) for name in there.sums if name.endswith(f"/{COMPLETE_FILE}")]
    newest = max(complete, key=_number, default="")
    old = [name for name in there.sums if newest and _number(_checkpoint_of(name)) < _number(newest)]
    old = [name for name in old if _checkpoint_of(name)]
    if old:
        for name in old:
            del there.sums[name]
        _note(files, step, there)
        files.remove(f"{step}/{name}" for name in old)


def _checkpoint_of(name: str) -> str:
    """The folder of the checkpoint that a file is part of, if it is."""
    return next((str(folder) for folder in Path(name).parents if folder.match(CHECKPOINTS)), "")


def _number(checkpoint: str) -> int:
    number = checkpoint.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _put(files: StoreFiles, step: StepFolder, name: str, digest: str, *, is_settled: bool) -> bool:
    """Copies one file; whether it was there to be copied. One that is noted may not have its name yet."""
    file = step.path / name
    try:
        if not is_settled and file_sum(file) != digest:
            return False
        files.put(f"{step.name}/{name}", file)
    except FileNotFoundError:
        return False
    except WorkspaceError:
        if file.exists():
            raise
        return False
    return True


def _note(files: StoreFiles, step: str, there: Kept) -> None:
    files.write(f"{step}/{STARTED_FILE}", started_text(there.fingerprint, there.sums).encode())


def _push_manifest(files: StoreFiles, step: StepFolder, here: Kept, there: Kept) -> Kept:
    if any(there.sums.get(name) != digest for name, digest in here.sums.items()):
        return there  # a file has gone, e.g. since the step is begun anew
    files.write(f"{step.name}/{MANIFEST_FILE}", (step.path / MANIFEST_FILE).read_bytes())
    tidy(files, step.name, here, files.names(step.name))
    return here


def tidy(files: StoreFiles, step: str, there: Kept, names: set[str]) -> None:
    """Removes what a finished copy needs no more; a machine that is lost right after it was finished leaves it."""
    if there.is_finished:
        wanted = {f"{step}/{name}" for name in (*there.sums, MANIFEST_FILE)}
        files.remove(sorted(name for name in names - wanted if name.startswith(f"{step}/")))


def fetch(files: StoreFiles, step: StepFolder, there: Kept) -> bool:
    """Brings what the store has of a step into its folder; whether that is all that was promised.

    What is whole in a folder that was begun for the same output stays. What has not its checksum stays in the store,
    and `there` forgets it.
    """
    manifest = files.read(f"{step.name}/{MANIFEST_FILE}") if there.is_finished else None
    step.begin(there.fingerprint)
    here = {name: found[-1] for name, found in noted_sums(step.path).items()}
    torn: list[str] = []
    for name, digest in there.sums.items():
        lost = any(name.startswith(f"{folder}/") for folder in map(_checkpoint_of, torn) if folder)
        if lost or (here.get(name) != digest and not get_whole(files, f"{step.name}/{name}", digest, step.path / name)):
            torn.append(name)
    if torn:
        log.warning("%s/%s: not what was written: %s", files.url, step.name, ", ".join(torn[:5]))
        for name in torn:
            del there.sums[name]
    if manifest is None or torn:
        return not torn
    write_bytes(step.path / MANIFEST_FILE, manifest)
    step.tidy()
    return True


def get_whole(files: StoreFiles, name: str, digest: str, target: Path) -> bool:
    """Copies a file of the store to `target`; whether it is there, with that checksum."""
    try:
        write_with(target, partial(_get_whole, files, name, digest), by_several=True)
    except _TornError:
        return False
    return True


class _TornError(Exception):
    """A file is not there, or not what was written."""


def _get_whole(files: StoreFiles, name: str, digest: str, temporary: Path) -> None:
    if not files.get(name, temporary) or file_sum(temporary) != digest:
        temporary.unlink(missing_ok=True)
        raise _TornError
