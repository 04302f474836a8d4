"""Equal texts and near-duplicates over the whole corpus: one of each kind stays.

Which one stays is a rule of its own: the longer text (white space does not count), of equally long ones the one that
comes first in the corpus. A text goes when it is a near-duplicate of one that stays; that it resembles one that went
is no reason, so that a chain of small changes does not take two different texts for the same.

Two texts are near-duplicates when they have enough short runs of words in common, and when that is not for a passage
that both quote while the rest of them differs: most of the smaller one must have its like in the other. Where a share
f of it is like the other, and a short run there was left alone with probability q, f * q of the short runs are in
common and f * q**4 of those four times as long: both are counted, and f follows.

Signatures are worked out part by part and written to disk; texts that agree in a band of theirs are compared.
In memory stand some 120 bytes a text, beside the pages of a mapped file that are in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.config import NearDuplicateConfig
from humpback.corpus.signature_table import MapParts, SignatureTable, gather, sign_parts
from humpback.corpus.signatures import BANDS, LONGER, PERMUTATIONS
from humpback.records import DropReason

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

PASSES = 2
"""The bands are gone through so often: the second time without all that went, which makes the groups smaller (ours,
measured: of 105,204 pairs among a million texts the first pass found 105,115, the second all others but two)."""

PAIRS_AT_ONCE = 2048
"""Pairs that are compared at once. Ours: they touch up to 4,096 places of the file of positions, and the system maps
between 64 KiB and 1 MiB around each. Such pages count as this process's memory, but are its cache's."""

PAIRS_SETTLED_AT_ONCE = 100_000  # ours: as Python's numbers they take 4 MB

_CHANCE = 1 / 256  # two bytes are equal by chance


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Why a row goes: DUPLICATE or NEAR_DUPLICATE, the number of the row that stays for it, how alike they are."""

    reason: DropReason
    kept: int
    similarity: float


class DuplicateMap:
    """For every row of the corpus whether it stays."""

    def __init__(self, kept: np.ndarray, similarity: np.ndarray, equal: np.ndarray) -> None:
        """`kept` has -1 for a row that stays; `equal` says of the others whether their text is that of `kept`."""
        self._kept = kept
        self._similarity = similarity
        self._equal = equal

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, row: int) -> Duplicate | None:
        """None for a row that stays."""
        kept = int(self._kept[row])
        if kept < 0:
            return None
        reason = DropReason.DUPLICATE if self._equal[row] else DropReason.NEAR_DUPLICATE
        return Duplicate(reason, kept, float(self._similarity[row]))


def find_duplicates(
    folder: Path, parts: Sequence[Path], config: NearDuplicateConfig, map_parts: MapParts = map
) -> DuplicateMap:
    """Which rows of Parquet files are duplicates of which, by their column `text`.

    A row's number is its place in the parts, taken in their order. The answer depends on the rows and their order
    alone, not on where one part ends.

    Args:
        folder: where signatures are put, some 1.1 kB a row. Those that an interrupted run left are used again, so it
            must belong to these parts; it may be removed afterwards.
        parts: Parquet files with different names.
        config: how alike near-duplicates are, and whether they are looked for.
        map_parts: calls a picklable function on every part, in whatever order and process.

    Raises:
        ValueError: two parts have the same name.
    """
    import numpy as np

    signed = sign_parts(folder, parts, config.enabled, map_parts)
    table = gather(folder, signed, config.enabled)
    first = equal_rows(table.digests)
    kept = np.where(first == np.arange(len(first)), -1, first)
    similarity = np.ones(len(kept), np.float32)
    equal = np.ones(len(kept), bool)
    if config.enabled:
        unique = np.flatnonzero((kept < 0) & (table.grams > 0))
        ranked = unique[np.argsort(-table.lengths[unique].astype(np.int64), kind="stable")]
        search = _Search(table, ranked, config.similarity)
        near = search.keepers()
        gone = np.flatnonzero(near >= 0)
        rows = ranked[gone]
        kept[rows] = ranked[near[gone]]
        equal[rows] = False
        similarity[rows] = search.similarities(near[gone], gone)
        _follow(first, kept, similarity, equal)
    return DuplicateMap(kept, similarity, equal)


def equal_rows(digests: np.ndarray) -> np.ndarray:
    """For each row of `digests`, `(rows, 2)`, the first row that equals it: itself where there is none before it."""
    import numpy as np

    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(order), np.int64)
    first[order] = order[starts][np.cumsum(starts) - 1]
    return first


def _follow(first: np.ndarray, kept: np.ndarray, similarity: np.ndarray, equal: np.ndarray) -> None:
    """Copies of a text that went as a near-duplicate go for the same reason: the row that they name must stay."""
    import numpy as np

    copies = np.flatnonzero(first != np.arange(len(first)))
    copies = copies[kept[first[copies]] >= 0]
    for column in (kept, similarity, equal):
        column[copies] = column[first[copies]]


class _Search:
    """Near-duplicates among the rows of `ranked`, the better ones first. Ranks are places in it.

    Pairs are kept as `worse << 32 | better`, sorted, so that by the time a row's fate is asked its betters' are known.
    """

    def __init__(self, table: SignatureTable, ranked: np.ndarray, similarity: float) -> None:
        import numpy as np

        self._table = table
        self._ranked = ranked
        self._similarity = similarity
        self._pairs = np.empty(0, np.uint64)
        self._found: list[np.ndarray] = []  # since the last time that `_pairs` was sorted
        self._keepers = np.full(len(ranked), -1, np.int64)

    def keepers(self) -> np.ndarray:
        """For every rank the best one that stays and is similar to it; -1 for those that stay."""
        for _ in range(PASSES if len(self._ranked) else 0):
            known = len(self._pairs)
            for band in range(BANDS):
                for better, worse in self._candidates(self._table.band(band)[self._ranked]):
                    self._compare(better, worse)
            self._settle()
            if len(self._pairs) == known:
                break
        return self._keepers

    def _candidates(self, keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Ranks that share a key, in pairs: first the best one with all others, then those left with their neighbours.

        A rank that has gone in the meantime is not compared again: only what stays is a reason to go.
        """
        import numpy as np

        self._settle()
        ranks = np.flatnonzero(self._keepers < 0)
        packed = (keys[ranks].astype(np.uint64) << np.uint64(32)) | ranks.astype(np.uint64)
        packed.sort()
        groups, ranks = _in_groups(packed)
        heads = ranks[np.searchsorted(groups, groups)]
        others = heads != ranks
        yield heads[others], ranks[others]
        self._settle()
        left = others & (self._keepers[ranks] < 0)
        groups, ranks = groups[left], ranks[left]
        for step in range(1, WINDOW):
            together = groups[step:] == groups[:-step]
            yield ranks[:-step][together], ranks[step:][together]

    def _compare(self, better: np.ndarray, worse: np.ndarray) -> None:
        """Adds the pairs that are near-duplicates."""
        import numpy as np

        similarities = self.similarities(better, worse)
        alike = np.flatnonzero(similarities >= self._similarity)
        better, worse, similarities = better[alike], worse[alike], similarities[alike]
        alike = np.flatnonzero(self._shares(better, worse, similarities) >= MIN_SHARE)
        if len(alike):
            self._found.append((worse[alike].astype(np.uint64) << np.uint64(32)) | better[alike].astype(np.uint64))

    def _shares(self, better: np.ndarray, worse: np.ndarray, similarities: np.ndarray) -> np.ndarray:
        """Which share of the smaller text has its like in the other, pair by pair (the module says how it is had)."""
        import numpy as np

        common = similarities / (1 + similarities)  # |A & B| / (|A| + |B|)
        long = self._equal_positions(better, worse, slice(PERMUTATIONS, None))
        long_common = long / (1 + long)
        intact = np.minimum(long_common / common, 1) ** (1 / (LONGER - 1))
        one, other = (self._table.grams[self._ranked[ranks]].astype(float) for ranks in (better, worse))
        shares: np.ndarray = common * (one + other) / np.minimum(one, other) / np.maximum(intact, LEAST_INTACT)
        return shares

    def _settle(self) -> None:
        """Works out who stays by the pairs found so far: the best of all does, then each that none before rules out."""
        import numpy as np

        if not self._found:
            return
        self._pairs = np.unique(np.concatenate([self._pairs, *self._found]))
        self._found.clear()
        gone = bytearray(len(self._keepers))
        self._keepers.fill(-1)
        for start in range(0, len(self._pairs), PAIRS_SETTLED_AT_ONCE):
            for pair in self._pairs[start : start + PAIRS_SETTLED_AT_ONCE].tolist():
                worse, better = pair >> 32, pair & 0xFFFFFFFF
                if not (gone[worse] or gone[better]):
                    gone[worse] = True
                    self._keepers[worse] = better

    def similarities(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The estimated Jaccard similarities of ranks' short runs, pair by pair."""
        return self._equal_positions(left, right, slice(None, PERMUTATIONS))

    def _equal_positions(self, left: np.ndarray, right: np.ndarray, columns: slice) -> np.ndarray:
        """The share of positions in which ranks agree, pair by pair; what agrees by chance is taken off."""
        import numpy as np

        left, right = self._ranked[left], self._ranked[right]
        share = np.empty(len(left), np.float32)
        for start in range(0, len(left), PAIRS_AT_ONCE):
            block = slice(start, start + PAIRS_AT_ONCE)
            share[block] = self._table.equal_positions(left[block], right[block], columns)
        estimates: np.ndarray = np.maximum((share - _CHANCE) / (1 - _CHANCE), 0)
        return estimates


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
