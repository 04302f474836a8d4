"""Disks that are full, read-only or slow, and folders that come from elsewhere: what is said, and how it goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from faults_driver import End, Order, drive
from faults_kills import NAME, Reference, boot_again, content

Row = tuple[str, str, str]
"""What was done, what came of it, and what was said (or the time that it took)."""

SMALL = (
    ("full after 200 KiB", "size=200k", "size=64m"),
    ("full after 600 KiB", "size=600k", "size=64m"),
    ("40 inodes", "nr_inodes=40", "nr_inodes=10000"),
    ("120 inodes", "nr_inodes=120", "nr_inodes=10000"),
)
"""Disks that are too small, and the options with which they are not."""


def can_mount() -> bool:
    """Whether this process may mount a disk in memory."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
        if made.returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextmanager
def small_disk(options: str) -> Iterator[Path]:
    """A disk in memory, mounted with `options`."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def remount(disk: Path, options: str) -> None:
    """Changes the options of a mounted disk."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def disk_rows(reference: Reference, scratch: Path, too_small: Sequence[tuple[str, str, str]] = SMALL) -> Iterator[Row]:
    """Full, out of inodes, and read-only; afterwards the disk is well again."""
    middle = reference.moments["candidates"][len(reference.moments["candidates"]) // 2]
    for what, small, large in too_small:
        with small_disk(small) as disk:
            folder = disk / NAME
            (first,) = drive([reference.order(folder)], scratch)
            remount(disk, large)
            yield what, went_on(reference, folder, first, scratch), message(first)
    with small_disk("size=64m") as disk:
        folder = disk / NAME
        drive([reference.order(folder, middle)], scratch)
        remount(disk, "ro")
        (first,) = drive([reference.order(folder)], scratch)
        remount(disk, "rw")
        yield "read-only after half a run", went_on(reference, folder, first, scratch), message(first)


def went_on(reference: Reference, folder: Path, first: End, scratch: Path) -> str:
    """Runs the same command again after one that must have failed."""
    if first.code == 0:
        return "no fault: it ended by itself"
    (end,) = drive([reference.order(folder)], scratch)
    return outcome(reference, folder, end)


def outcome(reference: Reference, folder: Path, end: End) -> str:
    """Whether a run ended as the one to which nothing happened."""
    if end.code:
        return f"FAILED with exit code {end.code}"
    return "same bytes" if content(folder) == reference.wanted else "OTHER BYTES"


def message(end: End) -> str:
    """What the command said at its end: one line, or that there was a traceback."""
    said = " ".join(end.said.split())
    if "Traceback" in said:
        return f"TRACEBACK: {said[-200:]}"
    _, found, error = said.rpartition("error: ")
    return error if found else "nothing"


def slow_row(reference: Reference, scratch: Path) -> Row:
    """Every flush takes a fifth of a second."""
    folder = scratch / "slow" / NAME
    (end,) = drive([Order(reference.config, str(folder), flush_s=0.2, changes=reference.changes)], scratch)
    return "slow: 0.2 s a flush", outcome(reference, folder, end), f"{end.seconds:.0f} s"


def clock_rows(reference: Reference, scratch: Path, jumps: Sequence[int] = (-400, 400)) -> Iterator[Row]:
    """A clock that jumps by so many days in the middle of a run."""
    for days in jumps:
        folder = scratch / f"clock{days}" / NAME
        moment = reference.moments["candidates"][0]
        order = Order(reference.config, str(folder), moment, clock_s=days * 86_400.0, changes=reference.changes)
        (end,) = drive([order], scratch)
        yield f"clock jumps by {days:+} days", outcome(reference, folder, end), f"{end.seconds:.1f} s"


def copy_rows(
    reference: Reference, scratch: Path, changes: Mapping[str, Callable[[Path], object]] | None = None
) -> Iterator[Row]:
    """Copies of a finished run, each changed in one way: what is made again there."""
    whole = scratch / "whole" / NAME
    for what, change in (changes or COPIES).items():
        folder = scratch / what.replace(" ", "-") / NAME
        shutil.copytree(whole, folder)
        change(folder)
        (end,) = drive([reference.order(folder)], scratch)
        made = end.said.count(" s\n") if "Nothing to do" not in end.said else 0
        yield what, outcome(reference, folder, end), message(end) if end.code else f"{made} steps made again"


def two_at_once(reference: Reference, scratch: Path) -> Row:
    """A second run while the first holds the folder."""
    folder = scratch / "two" / NAME
    folder.mkdir(parents=True)
    from humpback.workspace import RunFolder

    with RunFolder(folder).locked():
        (second,) = drive([reference.order(folder)], scratch)
    (end,) = drive([reference.order(folder)], scratch)
    refused = "refused; " if second.code == 1 else "NOT REFUSED; "
    return "two runs in one folder", refused + outcome(reference, folder, end), message(second)


def without_sums(run: Path) -> None:
    """Makes the manifests what they were before they held checksums."""
    for file in run.rglob("stage.json"):
        said = json.loads(file.read_text(encoding="utf-8"))
        del said["sums"]
        file.write_text(json.dumps(said), encoding="utf-8")


def change_a_byte(run: Path) -> None:
    """Spoils the middle of a file, whose size stays."""
    file = run / "candidates" / "part-00000.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def other_layout(run: Path) -> None:
    """Says that another version made the folder."""
    (run / "run.json").write_text(json.dumps({"workspace_version": 99}), encoding="utf-8")


COPIES: dict[str, Callable[[Path], object]] = {
    "copied to another place": lambda run: None,
    "moved to another machine": boot_again,
    "made before there were checksums": without_sums,
    "a byte changed in a copy": change_a_byte,
    "of another layout": other_layout,
}
"""What can have happened to a run's folder on its way."""
