"""The runs of words by which prompts are looked for: how long they are, and which of them count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from humpback.corpus.contamination.normal import FUNCTION_WORDS

if TYPE_CHECKING:
    import numpy as np

MIN_WORDS = 8
"""Words from which a prompt is looked for within a text (ours: "What is love?" stands everywhere, and "The Voting
Rights Act of 1965", a prompt of MMLU, in every text on the subject)."""

MIN_TELLING = 2
"""Words other than function words that it must have (ours: "What is it that you like about chess?" has one)."""

RUN_LENGTHS = ((20, 4), (40, 5), (100, 6))
"""Words that must meet in a row in prompts shorter than so many words; in longer ones `ngram` of the configuration.

Ours: the longest with which a simulated prompt of that length keeps half of its words covered in 95 of 100 cases when
one word in ten is replaced, followed by a new one, or left out, at random (8 words in a row: 43 of 100 at 10 words)."""

PHRASE_WORDS = 4
"""Words of a phrase that is counted over all prompts (ours: the shortest run that is looked for)."""

MAX_SHARING_PROMPTS = 10
"""Prompts beyond which a phrase that they share is a common one (ours: variants of one prompt are fewer, in MMLU and
CrowS-Pairs two to five)."""

UNSPACED_SCALE = 2
"""Characters that a word counts as in scripts without spaces (ours: most Chinese words have two)."""

BITS_PER_RUN = 8
"""Size of the table that rules most runs of a text out at once (ours: one in eight or fewer pass by chance)."""

MAX_TABLE_BITS = 25
"""Logarithm of the largest such table (ours: 32 MiB, which serves 4 million runs; more only slow it down)."""

COUNTED = 1
"""Mark of a word that stands in a run that is looked for."""

TELLING = 2
"""Mark of a word that is no function word."""

SHARED = 4
"""Mark of a word that stands in a phrase that many prompts share."""

_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, its bits well mixed: 2^64 over the golden ratio (Knuth, vol. 3, 6.4)


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of all prompts. `hashes` are sorted; those from `starts[i]` to `starts[i + 1]` of `owner` and
    `position` say in which prompts the i-th stands, and at which word. A prompt's words begin at its `offsets`
    in `words` and `kinds`."""

    vocabulary: dict[str, int]
    lengths: list[int]
    table: np.ndarray  # (2 ** bits,) bool
    hashes: np.ndarray  # (runs,) uint64
    starts: np.ndarray  # (runs + 1,) int64
    owner: np.ndarray  # (places,) int32
    position: np.ndarray  # (places,) int32
    offsets: np.ndarray  # (prompts + 1,) int64
    words: np.ndarray  # (words,) uint64: what `vocabulary` has for each
    kinds: np.ndarray  # (words,) uint8: the sum of its marks
    counted: np.ndarray  # (prompts,) int64: how many of its words are COUNTED
    run_length: np.ndarray  # (prompts,) int32


def run_length(words: int, ngram: int) -> int:
    """How many words in a row must meet for a prompt of so many `words`: never more than `ngram`."""
    return min(next((length for below, length in RUN_LENGTHS if words < below), ngram), ngram, words)


def build_runs(prompts: list[list[str]], unspaced: list[bool], ngram: int) -> tuple[Runs | None, list[bool]]:
    """The runs of the prompts, given as words, and for each prompt whether it is looked for by runs."""
    import numpy as np

    vocabulary = _vocabulary(prompts)
    sizes = np.array([len(words) for words in prompts], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    scale = np.where(unspaced, UNSPACED_SCALE, 1)
    spaced = sizes // scale
    length = np.array([run_length(int(size), ngram) for size in spaced], dtype=np.int32) * scale
    flat = np.array([vocabulary[word] for words in prompts for word in words], dtype=np.uint64)
    telling = np.array([word not in FUNCTION_WORDS for words in prompts for word in words], dtype=bool)
    hashes, owner, position = [], [], []
    for number in np.flatnonzero(spaced >= MIN_WORDS):
        begin, end, n = offsets[number], offsets[number + 1], int(length[number])
        told = np.concatenate([[0], np.cumsum(telling[begin:end])])
        first = np.flatnonzero(told[n:] > told[:-n])
        hashes.append(run_hashes(flat[begin:end], [n])[0][first])
        owner.append(np.full(len(first), number, dtype=np.int32))
        position.append(first.astype(np.int32))
    if not hashes:
        return None, [False] * len(prompts)
    places = _Places(np.concatenate(hashes), np.concatenate(owner), np.concatenate(position))
    k = min(PHRASE_WORDS, ngram)
    common = _common(flat, offsets, k)
    places = places.where(~_all_common(common, places, offsets, length, k))
    counted = _standing_in(offsets[places.owner] + places.position, length[places.owner], len(flat))
    shared = _standing_in(np.flatnonzero(common), k, len(flat))
    searchable = np.add.reduceat(counted & telling, offsets[:-1], dtype=np.int64) >= MIN_TELLING
    places = places.where(searchable[places.owner])
    kinds = (counted * COUNTED + telling * TELLING + shared * SHARED).astype(np.uint8)
    return _sorted(vocabulary, places, offsets, flat, kinds, length), searchable.tolist()


@dataclass(frozen=True, slots=True)
class _Places:
    """Where runs stand: the hash of each, the prompt, and its first word there."""

    hashes: np.ndarray  # (places,) uint64
    owner: np.ndarray  # (places,) int32
    position: np.ndarray  # (places,) int32

    def where(self, kept: np.ndarray) -> _Places:
        """Those places that `kept`, a mask or an order, picks."""
        return _Places(self.hashes[kept], self.owner[kept], self.position[kept])


def _vocabulary(prompts: Iterable[list[str]]) -> dict[str, int]:
    """For each word 62 bits that depend on it alone, so that they fit into what numpy reads fast."""
    distinct = dict.fromkeys(word for words in prompts for word in words)
    return {
        word: int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        >> 2
        for word in distinct
    }


def run_hashes(words: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    """The hashes of all runs of each length in `lengths` (ascending) among the word values `words`, in order."""
    import numpy as np

    multiplier = np.uint64(_MULTIPLIER)
    found: list[np.ndarray] = []
    current = words
    for n in range(1, lengths[-1] + 1):
        if n > len(words):
            found.extend(words[:0] for length in lengths if length >= n)
            break
        if n > 1:
            current = current[:-1] * multiplier + words[n - 1 :]
        if n in lengths:
            found.append(current ^ (current >> np.uint64(29)))  # products leave low bits badly mixed
    return found


def _common(words: np.ndarray, offsets: np.ndarray, k: int) -> np.ndarray:
    """For each of all prompts' words, whether it begins `k` that stand in more than `MAX_SHARING_PROMPTS` prompts."""
    import numpy as np

    common = np.zeros(len(words), dtype=bool)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    begin = np.flatnonzero(owner[: len(words) - k + 1] == owner[k - 1 :])
    hashes, owner = run_hashes(words, [k])[0][begin], owner[begin]
    order = np.lexsort((owner, hashes))
    hashes, owner = hashes[order], owner[order]
    new_run = np.ones(len(order), dtype=bool)
    new_run[1:] = hashes[1:] != hashes[:-1]
    new_prompt = new_run.copy()
    new_prompt[1:] |= owner[1:] != owner[:-1]
    run = np.cumsum(new_run) - 1
    common[begin[order]] = np.bincount(run, weights=new_prompt)[run] > MAX_SHARING_PROMPTS
    return common


def _all_common(common: np.ndarray, places: _Places, offsets: np.ndarray, length: np.ndarray, k: int) -> np.ndarray:
    """Which of the runs at `places` consist of common phrases of `k` words only."""
    import numpy as np

    before = np.concatenate([[0], np.cumsum(common)])
    begin = offsets[places.owner] + places.position
    phrases = length[places.owner] - k + 1
    return np.asarray(before[begin + phrases] - before[begin] == phrases)


def _standing_in(begin: np.ndarray, length: np.ndarray | int, words: int) -> np.ndarray:
    """Which of all `words` stand in one of the runs that begin at `begin`, of such length."""
    import numpy as np

    change = np.zeros(words + 1, dtype=np.int64)
    np.add.at(change, begin, 1)
    np.add.at(change, begin + length, -1)
    return np.asarray(np.cumsum(change[:-1]) > 0)


def _sorted(
    vocabulary: dict[str, int],
    places: _Places,
    offsets: np.ndarray,
    words: np.ndarray,
    kinds: np.ndarray,
    length: np.ndarray,
) -> Runs | None:
    import numpy as np

    if not len(places.hashes):
        return None
    places = places.where(np.argsort(places.hashes, kind="stable"))
    hashes, first = np.unique(places.hashes, return_index=True)
    bits = min(max((BITS_PER_RUN * len(hashes)).bit_length(), 10), MAX_TABLE_BITS)
    table = np.zeros(1 << bits, dtype=bool)
    table[hashes & np.uint64(len(table) - 1)] = True
    return Runs(
        vocabulary=vocabulary,
        lengths=sorted({int(n) for n in length[np.unique(places.owner)]}),
        table=table,
        hashes=hashes,
        starts=np.append(first, len(places.hashes)),
        owner=places.owner,
        position=places.position,
        offsets=offsets,
        words=words,
        kinds=kinds,
        counted=np.add.reduceat(kinds & COUNTED, offsets[:-1], dtype=np.int64),
        run_length=length,
    )
