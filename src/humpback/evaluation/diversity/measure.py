"""The diversity of several sets of instructions, side by side."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from humpback.corpus.latent import LatentSpace
from humpback.corpus.words import words
from humpback.errors import InputError
from humpback.evaluation.diversity.parsing import Asked, asked_by, load_parser
from humpback.evaluation.diversity.sets import InstructionSet
from humpback.evaluation.diversity.spread import Nearest, mean_distance, nearest_distances
from humpback.evaluation.diversity.topic_map import POINTS, TopicMap, topic_map
from humpback.evaluation.diversity.wording import VerbCount, distinct_ngrams, verb_counts, verb_entropy
from humpback.progress import Progress, SilentProgress
from humpback.randomness import derived_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language

SPACE = "latent semantic analysis of the TF-IDF weights of words that are no stop words, fitted on these instructions"
AXES = 256
"""Axes of the space (ours: with the 64 that tell topics apart, many short requests about different things are one)."""

LEAST = 2


@dataclass(frozen=True, slots=True)
class SetDiversity:
    """One set. `instructions` were measured, of `read` in `source`.

    `with_verb` and `parsed` are shares of instructions: with a root verb, and with one that has a direct object, which
    `verbs` counts. `distinct` (by n) and `verb_entropy_bits` depend on a set's size and are taken on `Diversity.lot`
    instructions of each. `spread` is the mean cosine distance of two instructions, `nearest_seed` that to the nearest
    one of the seed (for the seed itself: the nearest other one).
    """

    name: str
    source: str
    read: int
    instructions: int
    with_verb: float
    parsed: float
    verbs: list[VerbCount]
    distinct: dict[str, float]
    verb_entropy_bits: float
    spread: float | None
    nearest_seed: Nearest | None


@dataclass(frozen=True, slots=True)
class Diversity:
    """All sets, what they were parsed with, the space that distances are taken in, and the map of topics."""

    parser: str
    space: str
    seed: str | None
    lot: int
    sets: list[SetDiversity]
    map: TopicMap | None


def measure_diversity(
    sets: Sequence[InstructionSet],
    seed: str | None,
    *,
    limit: int,
    random_seed: int,
    progress: Progress | None = None,
) -> Diversity:
    """Measures `sets`, each cut to `limit` instructions by lot; `seed` is the name of the one that is the seed.

    Raises:
        MissingDependencyError: spaCy is not installed.
        InputError: a set holds fewer than two instructions.
    """
    parser, parser_name = load_parser()
    for part in sets:
        if len(part.instructions) < LEAST:
            raise InputError(f"{part.source}: holds {len(part.instructions)} instructions; {LEAST} are the least")
    texts = {part.name: by_lot(part.instructions, limit, random_seed) for part in sets}
    lot = min(map(len, texts.values()))
    asked = {name: _parsed(parser, found, name, progress or SilentProgress()) for name, found in texts.items()}
    directions = _directions(texts, parser.Defaults.stop_words, random_seed)
    measured = [_measured(part, texts[part.name], asked[part.name], directions, seed=seed, lot=lot) for part in sets]
    drawn = {name: found[:POINTS] for name, found in texts.items()}
    places = {name: found[:POINTS] for name, found in directions.items()}
    map_seed = derived_seed(random_seed, "topic map") % 2**32
    found_map = topic_map(drawn, places, parser.Defaults.stop_words, map_seed)
    return Diversity(parser_name, SPACE, seed, lot, measured, found_map)


def by_lot(instructions: Sequence[str], limit: int, random_seed: int) -> list[str]:
    """At most `limit` instructions in a random order; of equal ones each has its own place."""
    numbered = enumerate(instructions)
    order = sorted(numbered, key=lambda item: derived_seed(random_seed, "diversity", item[0], item[1]))
    return [text for _, text in order[:limit]]


def _parsed(parser: Language, texts: Sequence[str], name: str, progress: Progress) -> list[Asked | None]:
    found = []
    with progress.task(f"parsing {name}", len(texts), "instructions") as task:
        for asked in asked_by(parser, texts):
            found.append(asked)
            task.advance()
    return found


def _directions(texts: dict[str, list[str]], stop_words: Set[str], random_seed: int) -> dict[str, NDArray[Any]]:
    """The direction of each instruction; without stop words, which else make all questions neighbours."""
    from threadpoolctl import threadpool_limits

    telling = {name: [telling_words(text, stop_words) for text in found] for name, found in texts.items()}
    with threadpool_limits(1):  # sums of several threads come in any order; a thread's own do not
        everything = [text for found in telling.values() for text in found]
        space = LatentSpace(everything, derived_seed(random_seed, "diversity") % 2**32, AXES)
        return {name: space.directions(found) for name, found in telling.items()}


def telling_words(text: str, stop_words: Set[str]) -> str:
    """The words of a text that are no stop words, in order."""
    return " ".join(word for word in words(text.lower()) if word not in stop_words)


def _measured(
    part: InstructionSet,
    texts: Sequence[str],
    asked: Sequence[Asked | None],
    directions: dict[str, NDArray[Any]],
    *,
    seed: str | None,
    lot: int,
) -> SetDiversity:
    own = directions[part.name]
    return SetDiversity(
        name=part.name,
        source=part.source,
        read=len(part.instructions),
        instructions=len(texts),
        with_verb=float(np.mean([one is not None for one in asked])),
        parsed=float(np.mean([one is not None and one.object is not None for one in asked])),
        verbs=verb_counts(asked),
        distinct=distinct_ngrams(texts[:lot]),
        verb_entropy_bits=verb_entropy(asked[:lot]),
        spread=mean_distance(own),
        nearest_seed=None if seed is None else nearest_distances(own, directions[seed], is_seed=part.name == seed),
    )
