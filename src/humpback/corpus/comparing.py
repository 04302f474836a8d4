"""Texts that agree in a band of their signatures, compared bucket by bucket, by any process that sees their files.

A bucket's answer depends on the signatures and on which texts have gone by then. What one process holds in memory grows
with its bucket, not with the corpus.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from humpback.corpus.signature_table import SignatureFiles, SignatureTable
from humpback.corpus.signatures import LONGER, PERMUTATIONS
from humpback.workspace import disk_errors_explained

if TYPE_CHECKING:
    import numpy as np

MIN_SHARE = 0.88
"""Least share of the smaller text that must have its like in the other. Ours, from reading 120 pairs: below, pages of
one template about different things stand (two illnesses and the same clinics; two talks of a series), from .9 on nearly
all are copies, and between both kinds are as frequent. Of texts with a fifth of their words replaced, the worst edit,
.89 have more."""

LEAST_INTACT = 0.25
"""Fewer short runs than this cannot be left in a text that is similar at all (ours; keeps a count of 0 from ruling)."""

WINDOW = 8
"""Of more texts than this that agree in a band, each is compared with the longest one and, if it stays, with the next
`WINDOW` - 1 (ours). A page repeated 100,000 times costs 100,000 comparisons instead of 5,000 million. What it loses:
two similar texts that in every band that they share stand farther apart in the order of length and are unlike the
longest one, in the second pass too, when others have gone."""

PAIRS_AT_ONCE = 2048
"""Pairs that are compared at once. Ours: they touch up to 4,096 places of the file of positions, and the system maps
between 64 KiB and 1 MiB around each. Such pages count as this process's memory, but are its cache's."""

NO_RANK = 2**32 - 1  # of a row that is not looked at: a copy of another, or too short
ROWS_FILE, RANKS_FILE, GRAMS_FILE = "rows.bin", "ranks.bin", "grams.bin"

_CHANCE = 1 / 256  # two bytes are equal by chance


class Compared(StrEnum):
    """Which texts of those that agree in a band: the best one with all others, or those left with their neighbours."""

    BEST = "best"
    NEIGHBOURS = "neighbours"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of a band, and the file that its pairs are written to."""

    band: int
    number: int
    kind: Compared
    file: Path

    def taken(self) -> np.ndarray:
        """The pairs that were left in the file, which goes."""
        import numpy as np

        found: np.ndarray = np.load(self.file)
        self.file.unlink(missing_ok=True)
        return found


@dataclass(frozen=True, slots=True)
class Comparing:
    """Finds the near-duplicates in a bucket. Rows go by their rank, the better ones first."""

    files: SignatureFiles
    similarity: float
    ranks: int

    @classmethod
    def of(cls, table: SignatureTable, ranked: np.ndarray, similarity: float) -> Self:
        """What compares the rows `ranked`, in this order; lays out in the files' folder what it takes."""
        import numpy as np

        ranks = np.full(table.files.rows, NO_RANK, np.uint32)
        ranks[ranked] = np.arange(len(ranked), dtype=np.uint32)
        folder = table.files.folder
        with disk_errors_explained(folder):
            ranked.astype(np.uint32).tofile(folder / ROWS_FILE)
            ranks.tofile(folder / RANKS_FILE)
            table.grams.tofile(folder / GRAMS_FILE)
        return cls(table.files, similarity, len(ranked))

    def buckets(self, band: int, kind: Compared) -> Iterator[Bucket]:
        """The buckets of a band that hold anything to compare."""
        sizes = self.files.starts[band, 1:] - self.files.starts[band, :-1]
        for number, size in enumerate(sizes.tolist()):
            if size > 1:
                yield Bucket(band, number, kind, self.files.folder / f"pairs-{band}-{number}-{kind}.npy")

    def tell(self, kind: Compared, gone: np.ndarray) -> None:
        """Leaves word for all who compare of which ranks have gone when work of this kind begins."""
        import numpy as np

        file = self.files.folder / _gone_file(kind)
        with disk_errors_explained(file):
            np.packbits(gone).tofile(file)

    @contextmanager
    def open(self) -> Iterator[Callable[[Bucket], None]]:
        """As `Work.open`: leaves a bucket's pairs in its file."""
        there = {kind: self._told(kind) for kind in Compared if (self.files.folder / _gone_file(kind)).exists()}

        def compare(bucket: Bucket) -> None:
            import numpy as np

            temporary = bucket.file.with_suffix(f".{uuid.uuid4().hex}.tmp")
            with disk_errors_explained(bucket.file):
                with temporary.open("wb") as file:
                    np.save(file, self.pairs(bucket, there), allow_pickle=False)
                temporary.replace(bucket.file)

        yield compare

    def pairs(self, bucket: Bucket, there: Mapping[Compared, np.ndarray]) -> np.ndarray:
        """The near-duplicates in a bucket, as `worse << 32 | better`; `there` says which ranks have not gone."""
        import numpy as np

        found = [self._alike(better, worse) for better, worse in self._candidates(bucket, there)]
        return np.concatenate([np.empty(0, np.uint64), *found])

    def similarities(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The estimated Jaccard similarities of ranks' short runs, pair by pair."""
        return self._equal_positions(left, right, slice(None, PERMUTATIONS))

    def _told(self, kind: Compared) -> np.ndarray:
        import numpy as np

        bits = np.fromfile(self.files.folder / _gone_file(kind), np.uint8)
        there: np.ndarray = np.unpackbits(bits, count=self.ranks) == 0
        return there

    def _candidates(
        self, bucket: Bucket, there: Mapping[Compared, np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Ranks that share a key, in pairs."""
        import numpy as np

        keys, rows = self.files.bucket(bucket.band, bucket.number)
        ranks = self._column(RANKS_FILE)[rows]
        looked_at = ranks != NO_RANK
        looked_at[looked_at] = there[Compared.BEST][ranks[looked_at]]
        packed = (keys[looked_at].astype(np.uint64) << np.uint64(32)) | ranks[looked_at].astype(np.uint64)
        packed.sort()
        groups, ranks = _in_groups(packed)
        heads = ranks[np.searchsorted(groups, groups)]
        others = heads != ranks
        if bucket.kind is Compared.BEST:
            yield heads[others], ranks[others]
            return
        left = others & there[Compared.NEIGHBOURS][ranks]
        groups, ranks = groups[left], ranks[left]
        for step in range(1, WINDOW):
            together = groups[step:] == groups[:-step]
            yield ranks[:-step][together], ranks[step:][together]

    def _alike(self, better: np.ndarray, worse: np.ndarray) -> np.ndarray:
        """Those of the pairs that are near-duplicates."""
        import numpy as np

        similarities = self.similarities(better, worse)
        alike = np.flatnonzero(similarities >= self.similarity)
        better, worse, similarities = better[alike], worse[alike], similarities[alike]
        alike = np.flatnonzero(self._shares(better, worse, similarities) >= MIN_SHARE)
        return (worse[alike].astype(np.uint64) << np.uint64(32)) | better[alike].astype(np.uint64)

    def _shares(self, better: np.ndarray, worse: np.ndarray, similarities: np.ndarray) -> np.ndarray:
        """Which share of the smaller text has its like in the other, pair by pair (`near_duplicates` says how)."""
        import numpy as np

        common = similarities / (1 + similarities)  # |A & B| / (|A| + |B|)
        long = self._equal_positions(better, worse, slice(PERMUTATIONS, None))
        long_common = long / (1 + long)
        intact = np.minimum(long_common / common, 1) ** (1 / (LONGER - 1))
        rows, grams = self._column(ROWS_FILE), self._column(GRAMS_FILE)
        one, other = (grams[rows[ranks]].astype(float) for ranks in (better, worse))
        shares: np.ndarray = common * (one + other) / np.minimum(one, other) / np.maximum(intact, LEAST_INTACT)
        return shares

    def _equal_positions(self, left: np.ndarray, right: np.ndarray, columns: slice) -> np.ndarray:
        """The share of positions in which ranks agree, pair by pair; what agrees by chance is taken off."""
        import numpy as np

        share = np.empty(len(left), np.float32)
        if len(left):  # an empty file cannot be mapped
            rows = self._column(ROWS_FILE)
            left, right = rows[left], rows[right]
        for start in range(0, len(left), PAIRS_AT_ONCE):
            block = slice(start, start + PAIRS_AT_ONCE)
            share[block] = self.files.equal_positions(left[block], right[block], columns)
        estimates: np.ndarray = np.maximum((share - _CHANCE) / (1 - _CHANCE), 0)
        return estimates

    def _column(self, name: str) -> np.ndarray:
        """A number for each row, or for each rank, of which only what is asked for is read."""
        import numpy as np

        return np.memmap(self.files.folder / name, np.uint32, "r")


def _gone_file(kind: Compared) -> str:
    return f"gone-{kind}.bin"


def _in_groups(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keys and ranks of sorted `key << 32 | rank`, without those whose key nothing else has."""
    import numpy as np

    keys = (packed >> np.uint64(32)).astype(np.uint32)
    ranks = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    same = keys[1:] == keys[:-1]
    shared = np.zeros(len(keys), bool)
    shared[1:] = same
    shared[:-1] |= same
    return keys[shared], ranks[shared]
