"""Equal texts and near-duplicates over the whole corpus: one of each kind stays.

Which one stays is a rule of its own: the longer text (white space does not count), of equally long ones the one that
comes first in the corpus. A text goes when it is a near-duplicate of one that stays; that it resembles one that went
is no reason, so that a chain of small changes does not take two different texts for the same.

Two texts are near-duplicates when they have enough short runs of words in common, and when that is not for a passage
that both quote while the rest of them differs: most of the smaller one must have its like in the other. Where a share
f of it is like the other, and a short run there was left alone with probability q, f * q of the short runs are in
common and f * q**4 of those four times as long: both are counted, and f follows.

Signatures are worked out part by part and written to disk; texts that agree in a band of theirs are compared, bucket by
bucket (`comparing`). Who stays is settled by one process, in whose memory stand some 120 bytes a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.config import NearDuplicateConfig
from humpback.corpus.comparing import Compared, Comparing
from humpback.corpus.signature_table import MapParts, SignatureTable, gather, sign_parts
from humpback.corpus.signatures import BANDS
from humpback.records import DropReason
from humpback.workspace import Executor

if TYPE_CHECKING:
    import numpy as np

PASSES = 2
"""The bands are gone through so often: the second time without all that went, which makes the groups smaller (ours,
measured: of 105,204 pairs among a million texts the first pass found 105,115, the second all others but two)."""

PAIRS_SETTLED_AT_ONCE = 100_000  # ours: as Python's numbers they take 4 MB


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
    folder: Path,
    parts: Sequence[Path],
    config: NearDuplicateConfig,
    map_parts: MapParts = map,
    executor: Executor | None = None,
) -> DuplicateMap:
    """Which rows of Parquet files are duplicates of which, by their column `text`.

    A row's number is its place in the parts, taken in their order. The answer depends on the rows and their order
    alone, not on where one part ends, nor on who compares them.

    Args:
        folder: where signatures are put, some 1.4 kB a row. Those that an interrupted run left are used again, so it
            must belong to these parts; it may be removed afterwards.
        parts: Parquet files with different names.
        config: how alike near-duplicates are, and whether they are looked for.
        map_parts: calls a picklable function on every part, in whatever order and process.
        executor: where texts are compared, by processes that all see `folder`; None for this one.

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
        search = _Search(table, ranked, config.similarity, executor)
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

    def __init__(self, table: SignatureTable, ranked: np.ndarray, similarity: float, executor: Executor | None) -> None:
        import numpy as np

        self._comparing = Comparing.of(table, ranked, similarity)
        # One bucket is compared sooner than it is handed out.
        self._executor = executor if table.files.buckets > 1 else None
        self._there: dict[Compared, np.ndarray] = {}
        self._pairs = np.empty(0, np.uint64)
        self._found: list[np.ndarray] = []  # since the last time that `_pairs` was sorted
        self._keepers = np.full(len(ranked), -1, np.int64)

    def keepers(self) -> np.ndarray:
        """For every rank the best one that stays and is similar to it; -1 for those that stay."""
        for _ in range(PASSES if len(self._keepers) else 0):
            known = len(self._pairs)
            for band in range(BANDS):
                # A rank that has gone in the meantime is not compared again: only what stays is a reason to go.
                for kind in Compared:
                    self._settle()
                    self._compare(band, kind)
            self._settle()
            if len(self._pairs) == known:
                break
        return self._keepers

    def similarities(self, better: np.ndarray, worse: np.ndarray) -> np.ndarray:
        """The estimated Jaccard similarities of ranks' short runs, pair by pair."""
        return self._comparing.similarities(better, worse)

    def _compare(self, band: int, kind: Compared) -> None:
        """Adds the near-duplicates in a band."""
        buckets = self._comparing.buckets(band, kind)
        if self._executor is None:
            self._there[kind] = self._keepers < 0
            self._found += (self._comparing.pairs(bucket, self._there) for bucket in buckets)
        else:
            self._comparing.tell(kind, self._keepers >= 0)
            self._executor.run(self._comparing, buckets, lambda bucket: self._found.append(bucket.taken()), light=True)

    def _settle(self) -> None:
        """Works out who stays by the pairs found so far: the best of all does, then each that none before rules out."""
        import numpy as np

        found = [pairs for pairs in self._found if len(pairs)]
        self._found.clear()
        if not found:
            return
        self._pairs = np.unique(np.concatenate([self._pairs, *found]))
        gone = bytearray(len(self._keepers))
        self._keepers.fill(-1)
        for start in range(0, len(self._pairs), PAIRS_SETTLED_AT_ONCE):
            for pair in self._pairs[start : start + PAIRS_SETTLED_AT_ONCE].tolist():
                worse, better = pair >> 32, pair & 0xFFFFFFFF
                if not (gone[worse] or gone[better]):
                    gone[worse] = True
                    self._keepers[worse] = better
