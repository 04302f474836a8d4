"""The signatures of a corpus on disk: made part by part, then laid out so that a search reads only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.corpus.signatures import BANDS, row_type, signatures_of_part
from humpback.workspace.atomic import disk_errors_explained, write_with

if TYPE_CHECKING:
    import numpy as np

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
class SignatureTable:
    """Signatures of all rows: columns in memory, and files of which only what is needed is read.

    `keys_file` holds the keys of all rows for one band after another, `positions_file` the positions row by row.
    """

    digests: np.ndarray
    lengths: np.ndarray
    grams: np.ndarray
    keys_file: Path
    positions_file: Path

    def band(self, number: int) -> np.ndarray:
        """The keys of one band, `(rows,)`."""
        import numpy as np

        count = len(self.lengths)
        return np.fromfile(self.keys_file, "<u4", count, offset=4 * count * number)

    def equal_positions(self, left: np.ndarray, right: np.ndarray, columns: slice) -> np.ndarray:
        """The share of positions in which rows agree, pair by pair.

        The file is mapped anew each time, so that the pages touched before are let go.
        """
        import numpy as np

        shape = (len(self.lengths), *row_type()["positions"].shape)
        positions = np.memmap(self.positions_file, np.uint8, "r", shape=shape)[:, columns]
        equal: np.ndarray = np.count_nonzero(positions[left] == positions[right], axis=1) / positions.shape[1]
        return equal


def gather(folder: Path, signed: Sequence[Path], near: bool) -> SignatureTable:
    """The signatures of all parts, laid out anew in `folder`, in the parts' order."""
    import numpy as np

    count = sum(len(np.load(file, mmap_mode="r")) for file in signed)
    table = SignatureTable(
        digests=np.empty((count, 2), np.uint64),
        lengths=np.empty(count, np.uint32),
        grams=np.zeros(count, np.uint32),
        keys_file=folder / "keys.bin",
        positions_file=folder / "positions.bin",
    )
    with disk_errors_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with table.keys_file.open("wb") as keys, table.positions_file.open("wb") as positions:
            start = 0
            for file in signed:
                rows = np.load(file)
                stop = start + len(rows)
                table.digests[start:stop] = rows["digest"]
                table.lengths[start:stop] = rows["length"]
                if near:
                    table.grams[start:stop] = rows["grams"]
                    positions.write(rows["positions"].tobytes())
                    for band in range(BANDS):
                        keys.seek(4 * (band * count + start))
                        keys.write(rows["keys"][:, band].tobytes())
                start = stop
    return table
