"""The signatures of a corpus on disk: made part by part, then laid out so that a search reads only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.corpus.signatures import BANDS, row_type, signatures_of_part
from humpback.workspace.atomic import disk_errors_explained, write_with

if TYPE_CHECKING:
    import numpy as np

BUCKET_ROWS = 2_000_000
"""Rows of a band that are compared at once, by one process (ours: some 200 MB of memory)."""

KEYS_FILE, POSITIONS_FILE = "keys.bin", "positions.bin"

MapParts = Callable[[Callable[[Path], None], Iterable[Path]], Iterable[None]]
"""Calls a picklable function on every part, in whatever order and process, as the built-in `map` does."""


def sign_parts(folder: Path, parts: Sequence[Path], near: bool, map_parts: MapParts) -> list[Path]:
    """The files with the parts' signatures; those that are missing are made."""
    files = [folder / f"{part.stem}.npy" for part in parts]
    if len(set(files)) < len(files):
        raise ValueError("parts must have different names")
    missing = [part for part, file in zip(parts, files, strict=True) if not _is_signed(part, file, near)]
    for _ in map_parts(partial(_sign_part, folder, near), missing):
        pass
    return files


def _sign_part(folder: Path, near: bool, part: Path) -> None:
    import numpy as np

    rows = signatures_of_part(part, near=near)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, rows, allow_pickle=False)

    write_with(folder / f"{part.stem}.npy", write, by_several=True)


def _is_signed(part: Path, file: Path, near: bool) -> bool:
    import numpy as np
    import pyarrow.parquet as pq

    if not file.exists():
        return False
    rows = np.load(file, mmap_mode="r")
    return bool(rows.dtype == row_type(near=near) and len(rows) == pq.read_metadata(part).num_rows)


@dataclass(frozen=True, slots=True)
class SignatureFiles:
    """The signatures as a search reads them, by any process that sees `folder`.

    The rows of each band stand bucket by bucket, those with equal keys in the same one; `starts` are the places where
    the buckets begin and the last one ends, `(bands, buckets + 1)`.
    """

    folder: Path
    rows: int
    starts: np.ndarray

    @property
    def buckets(self) -> int:
        """Of each band."""
        return int(self.starts.shape[1]) - 1

    def bucket(self, band: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Keys and row numbers of a bucket."""
        import numpy as np

        first, last = self.starts[band, number : number + 2].tolist()
        entry = _entry_type()
        place = entry.itemsize * (band * self.rows + first)
        entries = np.fromfile(self.folder / KEYS_FILE, entry, last - first, offset=place)
        return entries["key"], entries["row"]

    def equal_positions(self, left: np.ndarray, right: np.ndarray, columns: slice) -> np.ndarray:
        """The share of positions in which rows agree, pair by pair.

        The file is mapped anew each time, so that the pages touched before are let go.
        """
        import numpy as np

        shape = (self.rows, *row_type()["positions"].shape)
        positions = np.memmap(self.folder / POSITIONS_FILE, np.uint8, "r", shape=shape)[:, columns]
        equal: np.ndarray = np.count_nonzero(positions[left] == positions[right], axis=1) / positions.shape[1]
        return equal


@dataclass(frozen=True, slots=True)
class SignatureTable:
    """Signatures of all rows: columns in memory, and files of which only what is needed is read."""

    digests: np.ndarray
    lengths: np.ndarray
    grams: np.ndarray
    files: SignatureFiles


def gather(folder: Path, signed: Sequence[Path], near: bool) -> SignatureTable:
    """The signatures of all parts, laid out anew in `folder`, in the parts' order."""
    import numpy as np

    count = sum(len(np.load(file, mmap_mode="r")) for file in signed)
    buckets = -(-count // BUCKET_ROWS) or 1
    sizes = np.zeros((BANDS, buckets), np.int64)
    digests, lengths, grams = np.empty((count, 2), np.uint64), np.empty(count, np.uint32), np.zeros(count, np.uint32)
    start = 0
    for file in signed:
        rows = np.load(file, mmap_mode="r")
        part = slice(start, start + len(rows))
        digests[part], lengths[part] = rows["digest"], rows["length"]
        if near:
            grams[part] = rows["grams"]
            for band, numbers in enumerate(_bucket_of(rows["keys"], buckets).T):
                sizes[band] += np.bincount(numbers, minlength=buckets)
        start += len(rows)
    starts = np.concatenate([np.zeros((BANDS, 1), np.int64), sizes.cumsum(axis=1)], axis=1)
    files = SignatureFiles(folder, count, starts)
    if near:
        with disk_errors_explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _lay_out(files, signed)
    return SignatureTable(digests, lengths, grams, files)


def _lay_out(files: SignatureFiles, signed: Sequence[Path]) -> None:
    """Writes keys, by band and bucket, and positions, by row."""
    import numpy as np

    ends = files.starts[:, :-1].copy()  # of what is written of each bucket
    start = 0
    with (files.folder / KEYS_FILE).open("wb") as keys, (files.folder / POSITIONS_FILE).open("wb") as positions:
        for file in signed:
            rows = np.load(file)
            positions.write(rows["positions"].tobytes())
            entries = np.empty(len(rows), _entry_type())
            for band in range(BANDS):
                entries["key"], entries["row"] = rows["keys"][:, band], np.arange(start, start + len(rows))
                numbers = _bucket_of(entries["key"], files.buckets)
                order = np.argsort(numbers, kind="stable")
                for number, part in _runs(entries[order], numbers[order]):
                    keys.seek(entries.itemsize * (band * files.rows + int(ends[band, number])))
                    keys.write(part.tobytes())
                    ends[band, number] += len(part)
            start += len(rows)


def _runs(entries: np.ndarray, numbers: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The entries of each of the sorted `numbers`."""
    import numpy as np

    found, firsts = np.unique(numbers, return_index=True)
    yield from zip(found.tolist(), np.split(entries, firsts[1:]), strict=False)


def _bucket_of(keys: np.ndarray, buckets: int) -> np.ndarray:
    """The bucket of each key; keys are as good as random over their 32 bits."""
    import numpy as np

    return ((keys.astype(np.uint64) * np.uint64(buckets)) >> np.uint64(32)).astype(np.int64)


def _entry_type() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("key", "<u4"), ("row", "<u4")])
