"""What is kept of a text to find its near-duplicates: some 700 bytes, whatever its length."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.corpus.words import words

if TYPE_CHECKING:
    import numpy as np

BANDS = 64
"""Groups of positions; texts that agree in a whole group are compared (ours, see `BAND_ROWS`)."""

BAND_ROWS = 4
"""Positions in a band. Two texts of Jaccard similarity s meet in a band with probability 1 - (1 - s**4)**64
(Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4): .96 at .47, where edits of a fifth of the
words leave them, and .006 at .1, which unrelated texts hardly reach. Half as many bands give .80 and .003."""

PERMUTATIONS = BANDS * BAND_ROWS

LONG_PERMUTATIONS = 128
"""Of the long runs, which are only looked at where the short ones agree. Ours, measured: of copies with a fifth of
their words replaced 64 find .915, 128 .933 and 256 .945."""

SEED = 1
"""Of the permutations; any number does, but all signatures of a run need the same."""

GRAM = 2
"""Words in a short run. Ours, measured: they survive many small edits; for languages without spaces, where a character
counts as a word, two find more than three and confuse no more."""

LONGER = 4
"""So many times as long are long runs. Ours: runs of eight words tell small edits from a passage in common."""

MIN_WORDS = 20
"""Shorter texts have no near-duplicates (ours: one word moves their similarity by a tenth)."""

TEXTS_AT_ONCE = 64
"""Measured: 100 kB of text and its hashes stay in the processor's cache."""

_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, whose bits are well mixed (Knuth, section 6.4)
_BASE = 0xD1342543DE82EF95  # of the words' polynomials: a multiplier tested by Steele and Vigna (2022) for 64 bits

_TYPOGRAPHY = {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " "}
"""Signs that differ between copies of a text, and that keep most English texts from being ASCII."""

_ASCII_WORDS = bytes(byte if byte < 128 and (chr(byte).isalnum() or byte == ord("_")) else 32 for byte in range(256))
"""Every byte that is no part of a word becomes a space."""


def row_type(*, near: bool = True) -> np.dtype[np.void]:
    """The layout of a signature: `digest` of the folded text, its `length`, and with `near` what finds others like it.

    `grams` is the number of different short runs, 0 for a text that is too short to be compared. `keys` has a number
    a band. `positions` has the lowest byte of each minimum, first of the short runs, then of the long ones: as good as
    the whole of it (b-bit minwise hashing; Li and König, WWW 2010), since the chance of equal bytes is known and is
    taken off.
    """
    import numpy as np

    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [("digest", "<u8", (2,)), ("length", "<u4")]
    if near:
        positions = PERMUTATIONS + LONG_PERMUTATIONS
        fields += [("grams", "<u4"), ("keys", "<u4", (BANDS,)), ("positions", "u1", (positions,))]
    return np.dtype(fields)


def signatures_of_part(part: Path, *, near: bool = True) -> np.ndarray:
    """The signatures of a Parquet file's column `text`, row by row."""
    import numpy as np
    import pyarrow.parquet as pq

    with pq.ParquetFile(part) as file:
        batches = file.iter_batches(batch_size=TEXTS_AT_ONCE, columns=["text"])
        found = [signatures(batch.column("text").to_pylist(), near=near) for batch in batches]
    return np.concatenate(found) if found else np.empty(0, row_type(near=near))


def signatures(texts: Sequence[str], *, near: bool = True) -> np.ndarray:
    """The signatures of some texts, `(texts,)` of `row_type`; each depends on its own text alone."""
    import numpy as np

    rows = np.zeros(len(texts), row_type(near=near))
    folded = [fold(text) for text in texts]
    encoded = [text.encode("utf-8", "surrogatepass") for text in folded]
    digests = b"".join(hashlib.blake2b(data, digest_size=16).digest() for data in encoded)
    rows["digest"] = np.frombuffer(digests, "<u8").reshape(-1, 2)
    rows["length"] = [len(text) for text in folded]
    if near:
        _sketch(folded, rows)
    return rows


def _sketch(folded: Sequence[str], rows: np.ndarray) -> None:
    """Fills in what finds near-duplicates."""
    import numpy as np

    hashes, counts = _word_hashes([_spaced(text) for text in folded])
    runs = hashes
    for shift in range(1, GRAM):
        runs = _joined(runs, hashes, shift)
    short = _by_text(runs, counts, GRAM)
    long_runs = runs
    for shift in range(1, LONGER):
        long_runs = _joined(long_runs, runs, shift * GRAM)
    long = _by_text(long_runs, counts, LONGER * GRAM)
    minima = _minima(short, PERMUTATIONS)
    rows["grams"] = np.where(counts < MIN_WORDS, 0, [_different(one) for one in short])
    rows["keys"] = _band_keys(minima)
    rows["positions"] = np.concatenate([minima, _minima(long, LONG_PERMUTATIONS)], axis=1) & 0xFF


def fold(text: str) -> str:
    """The text without what makes no difference: case, the form of quotation marks and dashes, white space."""
    if not text.isascii():
        for sign, plain in _TYPOGRAPHY.items():
            text = text.replace(sign, plain)
    return " ".join(text.casefold().split())


def _spaced(folded: str) -> bytes:
    """The `words` of a text with spaces between them."""
    if folded.isascii():
        return folded.encode().translate(_ASCII_WORDS)
    return " ".join(words(folded)).encode("utf-8", "surrogatepass")


def _word_hashes(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """A 64-bit hash of every word of all texts, and how many words each text has.

    A word's hash is a polynomial in its bytes, had for all words at once from running sums (Karp and Rabin 1987),
    which takes a fifth of the time of hashing them one by one.
    """
    import numpy as np

    data = np.frombuffer(b" " + b" ".join(texts) + b" ", np.uint8)
    borders = np.flatnonzero(np.diff(data == ord(" "))) + 1
    starts, stops = borders[::2], borders[1::2]
    sums = np.cumsum(data * np.cumprod(np.full(len(data), _BASE, np.uint64)))
    inverse = np.cumprod(np.full(len(data), pow(_BASE, -1, 2**64), np.uint64))
    hashes = _mixed((sums[stops - 1] - sums[starts - 1]) * inverse[starts])
    ends = np.searchsorted(starts, np.cumsum([1 + len(text) for text in texts]))
    return hashes, np.diff(ends, prepend=0)


def _joined(left: np.ndarray, right: np.ndarray, shift: int) -> np.ndarray:
    """One hash for each of `left` with the one of `right` that stands `shift` places later."""
    count = max(len(right) - shift, 0)
    joined: np.ndarray = _mixed(left[:count]) + right[shift:]
    return joined


def _by_text(runs: np.ndarray, counts: np.ndarray, length: int) -> list[np.ndarray]:
    """For each text of so many words its runs of `length` words, without those that reach into the next text."""
    stops = counts.cumsum().tolist()
    return [
        runs[stop - count : max(stop - length + 1, stop - count)]
        for stop, count in zip(stops, counts.tolist(), strict=True)
    ]


def _different(hashes: np.ndarray) -> int:
    """How many there are, equal ones counted once (`np.unique` takes five times as long for so few)."""
    import numpy as np

    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(ordered), 1)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """The numbers with all bits stirred, one to one, so that what is added next does not cancel out."""
    import numpy as np

    mixed: np.ndarray = (numbers ^ (numbers >> np.uint64(32))) * np.uint64(_MULTIPLIER)
    return mixed


def _minima(texts: Sequence[np.ndarray], permutations: int) -> np.ndarray:
    """The smallest hash of every text under each permutation, `(texts, permutations)` of 32 bits."""
    import numpy as np
    from rensa import RMinHash

    ends = np.cumsum([0, *map(len, texts)], dtype=np.uint64)
    flat = np.concatenate([np.empty(0, np.uint64), *texts])
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, ends, permutations, SEED)
    minima = itertools.chain.from_iterable(matrix.to_rows())
    return np.fromiter(minima, np.uint32, len(texts) * permutations).reshape(len(texts), permutations)


def _band_keys(minima: np.ndarray) -> np.ndarray:
    """One number for each band of every text, `(texts, BANDS)`, equal where all the band's minima are."""
    import numpy as np

    bands = minima.reshape(len(minima), BANDS, BAND_ROWS).astype(np.uint64)
    mixed = bands[:, :, 0]
    for row in range(1, BAND_ROWS):
        mixed = _mixed(mixed) + bands[:, :, row]
    return (_mixed(mixed) >> np.uint64(32)).astype(np.uint32)
