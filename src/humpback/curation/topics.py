"""What candidates are about: clusters of their words, and how evenly a set is spread over them.

Texts become directions of a latent semantic space, and rows whose directions are close share a topic (k-means). All of
it is fitted on a sample drawn by lot; every row is then put to the nearest centre, a block at a time. So time is linear
in the rows, and memory is that of the sample, of one block, and one number a row.
"""

from __future__ import annotations

import heapq
import itertools
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from humpback.corpus.latent import LatentSpace
from humpback.randomness import derived_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEGINNING = 600
"""Characters of an output that are looked at, beside the whole instruction (ours: a hundred words tell a topic)."""

SAMPLE = 50_000
"""Most rows that the topics are fitted on (ours: fifty and more for each of the most topics)."""

FEWEST, MOST = 8, 1000
"""Bounds of the number of topics (ours)."""

_BLOCK = 4096
_DIGITS = 9  # distances that agree so far are equal, so that rounding in the sums cannot choose between two centres

Texts = Callable[[], Iterable[tuple[str, str]]]


def topic_count(rows: int) -> int:
    """How many topics so many rows get: sqrt(n / 2), as Ge et al. 2024 (arXiv 2402.18191), within bounds."""
    return min(rows, max(FEWEST, min(MOST, round(math.sqrt(rows / 2)))))


def topic_text(instruction: str, output: str) -> str:
    """What of a pair tells its topic."""
    return f"{instruction}\n{output[:BEGINNING]}"


def topics_of(texts: Texts, random_seed: int) -> dict[str, int]:
    """The topic of each row, by id; the same in whatever order the rows come.

    `texts` gives ids and texts and is called twice.
    """
    counted = _Counted(texts())
    lots = ((derived_seed(random_seed, "topics", row_id), row_id, text) for row_id, text in counted)
    sample = [text for _, _, text in heapq.nsmallest(SAMPLE, lots)]
    if counted.rows < 2:
        return {row_id: 0 for row_id, _ in texts()}
    from threadpoolctl import threadpool_limits

    found: dict[str, int] = {}
    # Sums of several threads come in any order; a thread's own do not.
    with threadpool_limits(1):
        model = _Model(sample, topic_count(counted.rows), derived_seed(random_seed, "topics") % 2**32)
        rows = iter(texts())
        while block := list(itertools.islice(rows, _BLOCK)):
            nearest = model.nearest([text for _, text in block])
            found.update(zip((row_id for row_id, _ in block), nearest.tolist(), strict=True))
    return found


def effective_topics(topics: Iterable[int]) -> float:
    """How many equally large topics would be as varied: e to the entropy of their shares; 0 of nothing."""
    counts = np.array(sorted(Counter(topics).values()), dtype=float)  # sorted: sums do not depend on the order of rows
    if not len(counts):
        return 0.0
    shares = counts / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def topic_shift(before: Iterable[int], now: Iterable[int]) -> float:
    """Jensen-Shannon divergence of two sets' shares of topics, in bits: 0 the same, 1 nothing in common (Lin 1991)."""
    counts = [Counter(before), Counter(now)]
    topics = sorted(counts[0] | counts[1])
    first, second = (np.array([count[topic] for topic in topics]) / max(1, count.total()) for count in counts)
    middle = (first + second) / 2
    return max(0.0, _relative_entropy(first, middle) / 2 + _relative_entropy(second, middle) / 2)


def _relative_entropy(shares: NDArray[Any], reference: NDArray[Any]) -> float:
    there = shares > 0
    return float((shares[there] * np.log2(shares[there] / reference[there])).sum())


class _Counted:
    """Counts what passes."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self._items = items
        self.rows = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for item in self._items:
            self.rows += 1
            yield item


class _Model:
    """Topics fitted on a sample of texts."""

    def __init__(self, sample: Sequence[str], topics: int, seed: int) -> None:
        from sklearn.cluster import MiniBatchKMeans

        self._space = LatentSpace(sample, seed)
        clusters = MiniBatchKMeans(topics, batch_size=_BLOCK, n_init=3, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # equal texts: fewer topics than asked for
            self._centres: NDArray[Any] = clusters.fit(self._space.directions(sample)).cluster_centers_

    def nearest(self, texts: Sequence[str]) -> NDArray[Any]:
        """The number of the nearest centre, a text each."""
        # The square of a text's own length is the same for all centres.
        distances = (self._centres**2).sum(axis=1) - 2 * self._space.directions(texts) @ self._centres.T
        return np.asarray(np.round(distances, _DIGITS).argmin(axis=1))
