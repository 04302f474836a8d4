"""Made-up sentences."""

from __future__ import annotations

import json
import random
from pathlib import Path

_WORDS = (
    "anchor basket candle drawer engine fabric garden hammer island jacket kettle ladder mirror needle orchard paper "
    "quarry ribbon saddle table umbrella valley window yellow zipper bridge copper donkey elbow feather gravel honey "
    "insect jungle kitchen lemon meadow nickel oven pencil quilt river silver timber uncle velvet wagon yard amber "
    "barley cedar dune ember fossil glacier harbor ivory juniper kelp lagoon marble nectar opal pebble reef sand tide"
)
WORDS = _WORDS.split()
_SMALL_WORDS = "the of and to that have with be is in for you it this are your not on from at which will when"
SMALL_WORDS = _SMALL_WORDS.split()


def sentence(generator: random.Random) -> str:
    """Random words with the small words of English between them, so that it passes for English."""
    words = []
    for word in generator.choices(WORDS, k=generator.randint(7, 12)):
        words += [generator.choice(SMALL_WORDS), word]
    return " ".join(words).capitalize() + "."


def prose(generator: random.Random, chars: int) -> str:
    """Sentences of random words, a little more than `chars` characters of them, which never repeat one another."""
    sentences = []
    while sum(map(len, sentences)) < chars:
        sentences.append(sentence(generator))
    return " ".join(sentences)


def write_pairs(path: Path, count: int) -> Path:
    """A seed file of `count` distinct pairs."""
    generator = random.Random(7)
    rows = [
        {"instruction": f"Tell me about the {WORDS[n]} number {n}.", "output": prose(generator, 120)}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
