"""Near-duplicates: recall by share of edited words, precision, speed and memory, beside word 5-grams at .7."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from humpback.config import NearDuplicateConfig
from humpback.corpus.near_duplicates import find_duplicates
from humpback.corpus.signatures import fold
from humpback.corpus.words import words

MIN_CHARS, MOST_WANTED, MAX_CHARS = 600, 1500, 3000  # a text ends with the paragraph that reaches its length


def paragraphs(path: Path) -> list[str]:
    """The paragraphs of a Markdown or CNXML file, without front matter."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".cnxml":
        root = ElementTree.fromstring(text)
        found = ["".join(one.itertext()) for one in root.iter() if one.tag.endswith(("}para", "}title", "}item"))]
        return [" ".join(one.split()) for one in found if one.strip()]
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return [one.strip() for one in re.split(r"\n\s*\n", body) if one.strip()]


def pieces(paths: Sequence[Path], generator: random.Random) -> Iterator[str]:
    """Texts of 600 to 3,000 characters: consecutive paragraphs of one file up to a random length."""
    for path in paths:
        held: list[str] = []
        goal = generator.randint(MIN_CHARS, MOST_WANTED)
        for one in paragraphs(path):
            held.append(one)
            text = "\n\n".join(held)
            if len(text) >= goal:
                if len(text) <= MAX_CHARS:
                    yield text
                held, goal = [], generator.randint(MIN_CHARS, MOST_WANTED)


def corpus_texts(most: int, folder: Path) -> list[str]:
    """Up to `most` texts of the Markdown pages and the textbooks, in an order that is always the same."""
    paths = sorted([*(folder / "usgov").rglob("*.md"), *(folder / "openstax").rglob("*.cnxml")])
    random.Random(0).shuffle(paths)
    return [text for _, text in zip(range(most), pieces(paths, random.Random(1)), strict=False)]


def gram_sets(texts: Sequence[str], size: int = 2) -> list[np.ndarray]:
    """For each text the numbers of its different word n-grams; a number stands for the same n-gram in all."""
    numbers: dict[tuple[str, ...], int] = {}
    found = []
    for text in texts:
        tokens = words(fold(text))
        grams = {numbers.setdefault(one, len(numbers)) for one in zip(*(tokens[i:] for i in range(size)), strict=False)}
        found.append(np.array(sorted(grams), np.int64))
    return found


def similar_pairs(sets: Sequence[np.ndarray], least: float) -> Iterator[tuple[int, int, float]]:
    """All pairs (earlier, later) with an exact Jaccard similarity of at least `least`, from an inverted index."""
    sizes = np.array([len(one) for one in sets])
    flat = np.concatenate(sets)
    owners = np.repeat(np.arange(len(sets)), sizes)
    order = np.argsort(flat, kind="stable")
    postings = owners[order].astype(np.int32)
    stops = np.cumsum(np.bincount(flat))
    starts = stops - np.bincount(flat)
    for later, grams in enumerate(sets):
        if len(grams) == 0:
            continue
        shared = np.bincount(np.concatenate([postings[starts[g] : stops[g]] for g in grams]), minlength=later)[:later]
        jaccard = shared / np.maximum(sizes[:later] + sizes[later] - shared, 1)
        for earlier in np.flatnonzero(jaccard >= least).tolist():
            yield earlier, later, float(jaccard[earlier])


def without_natural(texts: Sequence[str], least: float) -> list[str]:
    """The texts without those that are, by an exact comparison of all pairs, `least` similar to one before."""
    gone: set[int] = set()
    for earlier, later, _ in similar_pairs(gram_sets(texts), least):
        if earlier not in gone:
            gone.add(later)
    return [text for number, text in enumerate(texts) if number not in gone]


def edited(text: str, share: float, kinds: Sequence[str], vocabulary: Sequence[str], generator: random.Random) -> str:
    """The text with a share of its words, drawn without replacement, replaced, deleted or followed by another."""
    tokens = text.split(" ")
    for place in generator.sample(range(len(tokens)), round(share * len(tokens))):
        kind = generator.choice(kinds)
        new = generator.choice(vocabulary)
        tokens[place] = {"replace": new, "delete": "", "insert": f"{tokens[place]} {new}"}[kind]
    return " ".join(token for token in tokens if token)


@dataclass(frozen=True, slots=True)
class Planted:
    """Texts in random order; `copy_of[i]` is the base of a copy, or -1, and `share[i]` how much of it was edited."""

    texts: list[str]
    copy_of: list[int]
    share: list[float]


def planted(bases: Sequence[str], shares: Sequence[float], kinds: Sequence[str], seed: int) -> Planted:
    """Every base with one edited copy; the edited shares take turns."""
    generator = random.Random(seed)
    vocabulary = [word for base in bases[::20] for word in base.split()]
    rows: list[tuple[str, int, float]] = [(base, -1, 0.0) for base in bases]
    for number, base in enumerate(bases):
        share = shares[number % len(shares)]
        rows.append((edited(base, share, kinds, vocabulary, generator), number, share))
    order = list(range(len(rows)))
    generator.shuffle(order)
    place = {row: number for number, row in enumerate(order)}
    return Planted(
        [rows[row][0] for row in order],
        [place[rows[row][1]] if rows[row][1] >= 0 else -1 for row in order],
        [rows[row][2] for row in order],
    )


Reported = list[tuple[int, int]]
"""Pairs (row that goes, row that stays for it)."""


def write_part(path: Path, texts: Sequence[str]) -> None:
    """One Parquet file with a column `text`."""
    pq.write_table(pa.table({"text": list(texts)}), path, compression="zstd")


def humpback_pairs(texts: Sequence[str], config: NearDuplicateConfig) -> Reported:
    """What `find_duplicates` reports."""
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / f"part-{start:08d}.parquet" for start in range(0, len(texts), 5000)]
        for number, part in enumerate(parts):
            write_part(part, texts[5000 * number : 5000 * (number + 1)])
        found = find_duplicates(Path(folder) / "signatures", parts, config)
    return [(row, double.kept) for row in range(len(texts)) if (double := found.of(row)) is not None]


def five_gram_pairs(texts: Sequence[str], threshold: float = 0.7) -> Reported:
    """What the usual recipe reports: word 5-grams, 128 permutations in 16 bands of 8, an estimate of at least .7.

    The first of the corpus stays, and a text goes for the one it is most similar to.
    """
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold, 128, 16)
    kept: dict[int, RMinHash] = {}
    reported = []
    for row, text in enumerate(texts):
        tokens = words(fold(text))
        sketch = RMinHash(128, 1)
        sketch.update([" ".join(tokens[start : start + 5]) for start in range(max(len(tokens) - 4, 1))])
        similar = [(sketch.jaccard(kept[other]), -other) for other in index.query(sketch)]
        best, other = max(similar, default=(0.0, 0))
        if best >= threshold:
            reported.append((row, -other))
        else:
            index.insert(row, sketch)
            kept[row] = sketch
    return reported


def score(corpus: Planted, reported: Reported) -> tuple[dict[float, float], float]:
    """Recall by edited share, and precision: the share of reported pairs that are planted ones."""
    found = {frozenset(pair) for pair in reported}
    hits: dict[float, list[bool]] = {}
    for row, (base, share) in enumerate(zip(corpus.copy_of, corpus.share, strict=True)):
        if base >= 0:
            hits.setdefault(share, []).append(frozenset((row, base)) in found)
    good = sum(corpus.copy_of[gone] == kept or corpus.copy_of[kept] == gone for gone, kept in reported)
    return {share: sum(one) / len(one) for share, one in sorted(hits.items())}, good / max(len(reported), 1)


SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)
ALL_KINDS = ("replace", "delete", "insert")


def quality(bases: Sequence[str], seeds: Sequence[int]) -> None:
    """Prints recall and precision of both, for mixed edits and for replaced words only."""
    finders: dict[str, Callable[[list[str]], Reported]] = {
        "Humpback": lambda texts: humpback_pairs(texts, NearDuplicateConfig()),
        "word 5-grams at .7": five_gram_pairs,
    }
    print("| near-duplicates | edits | " + " | ".join(f"recall {share:.0%}" for share in SHARES), end="")
    print(" | precision | texts/s |\n|" + "---|" * (len(SHARES) + 4))
    for kinds in (ALL_KINDS, ("replace",)):
        for name, find in finders.items():
            recalls, precisions, seconds = [], [], 0.0
            for seed in seeds:
                corpus = planted(bases, SHARES, kinds, seed)
                began = time.process_time()
                reported = find(corpus.texts)
                seconds += time.process_time() - began
                recall, precision = score(corpus, reported)
                recalls.append(recall)
                precisions.append(precision)
            shown = " | ".join(f"{sum(one[share] for one in recalls) / len(recalls):.3f}" for share in SHARES)
            speed = 2 * len(bases) * len(seeds) / seconds
            mean = sum(precisions) / len(precisions)
            print(f"| {name} | {'/'.join(kinds)} | {shown} | {mean:.3f} | {speed:,.0f} |")
    print()


def synthetic_part(number: int, rows: int) -> list[str]:
    """`rows` texts of some 1,000 characters over a vocabulary with Zipf's frequencies.

    One row in ten is an edited copy of an earlier one of its part, one in fifty an exact copy, one in fifty stands in
    a frame of 60 words that all parts share.
    """
    generator = np.random.default_rng(number)
    shapes = np.random.default_rng(0)
    letters = shapes.integers(97, 123, (50_000, 9), np.uint8)
    lengths = shapes.integers(2, 10, 50_000)
    vocabulary = np.array([bytes(row[:length]).decode() for row, length in zip(letters, lengths, strict=True)])
    frame = vocabulary[shapes.integers(0, 50_000, 60)]
    texts: list[np.ndarray] = []
    for row in range(rows):
        draw = generator.random()
        ranks = np.minimum(generator.zipf(1.2, 160), 50_000) - 1
        tokens = vocabulary[ranks]
        if row and draw < 0.12:
            tokens = texts[int(generator.integers(row))].copy()
            if draw < 0.1:
                places = generator.random(len(tokens)) < 0.08
                tokens[places] = vocabulary[generator.integers(0, 50_000, int(places.sum()))]
        elif draw < 0.14:
            tokens = np.concatenate([frame, tokens[:100]])
        texts.append(tokens)
    return [" ".join(tokens) for tokens in texts]


def write_synthetic(folder: Path, rows: int, rows_per_part: int = 10_000) -> list[Path]:
    """Parquet parts with `rows` synthetic texts."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for number in range(-(-rows // rows_per_part)):
        part = folder / f"part-{number:05d}.parquet"
        if not part.exists():
            write_part(part, synthetic_part(number, min(rows_per_part, rows - number * rows_per_part)))
        parts.append(part)
    return parts


def memory(folder: Path) -> None:
    """Prints time and peak memory of the whole process (imports included) over the synthetic texts in `folder`.

    Run it in a process of its own that did nothing else: the peak is that of the process.
    """
    parts = sorted((folder / "parts").glob("part-*.parquet"))
    marks = [("start", time.perf_counter())]

    def timed(function: Callable[[Path], None], missing: Iterable[Path]) -> Iterator[None]:
        yield from map(function, missing)
        marks.append(("signatures", time.perf_counter()))

    found = find_duplicates(folder / "signatures", parts, NearDuplicateConfig(), timed)
    marks.append(("search", time.perf_counter()))
    gone = Counter(double.reason for row in range(len(found)) if (double := found.of(row)) is not None)
    steps = ", ".join(f"{name} {now - then:.0f} s" for (_, then), (name, now) in pairwise(marks))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(found)} rows: {steps}; peak {peak:.2f} GiB; {dict(gone)}")


def measure(shared: Path, rows: int = 1_000_000) -> None:
    """Prints recall, precision and speed on real texts, then time and peak memory over `rows` synthetic ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for archive in ("usgov", "openstax"):
            with tarfile.open(shared / "corpora" / f"{archive}.tar.gz") as packed:
                packed.extractall(folder, filter="data")
        bases = without_natural(corpus_texts(40_000, folder), 0.4)
        print(
            f"{len(bases):,} texts of {sum(map(len, bases)) / len(bases):,.0f} characters, each with an edited copy:\n"
        )
        quality(bases, (1, 2, 3))
    if rows:
        with tempfile.TemporaryDirectory() as name:
            write_synthetic(Path(name) / "parts", rows)
            # In a process of its own, whose peak is that of this work alone.
            subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    memory(Path(sys.argv[1]))
