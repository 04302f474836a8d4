"""A map of what instructions are about: neighbours in the latent space are drawn as neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from humpback.corpus.words import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 400
"""Instructions of each set that are drawn, by lot (ours: more are one blot)."""

TOPICS = 12
"""Regions of the map that are named, at most (ours: more labels cover one another)."""

LEAST = 8
"""Fewest points that make a map (ours: fewer have no neighbourhood)."""

METHOD = "t-SNE (van der Maaten and Hinton 2008) of the latent space; only near neighbours mean anything"
_PERPLEXITY = 30.0  # the authors advise 5 to 50
_LETTERS = 4  # of a word that may name a region
_NAMED = 2  # words that name it


@dataclass(frozen=True, slots=True)
class Place:
    """One instruction on the map, both coordinates from 0 to 1."""

    set: str
    x: float
    y: float
    instruction: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A region by the words that are most its own, the middle of its points, and how many of each set are in it."""

    label: str
    x: float
    y: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class TopicMap:
    """The points of all sets, the regions that they fall into, and how the map was made."""

    method: str
    points: list[Place]
    topics: list[Topic]


def topic_map(
    texts: Mapping[str, Sequence[str]], directions: Mapping[str, NDArray[Any]], stop_words: Set[str], seed: int
) -> TopicMap | None:
    """The map of some instructions of each set, whose `directions` (texts, axes) are given; None of too few.

    No topic is named after one of `stop_words`.
    """
    from sklearn.cluster import KMeans
    from sklearn.manifold import TSNE

    names = [name for name, found in texts.items() for _ in found]
    flat = [text for found in texts.values() for text in found]
    if len(flat) < LEAST:
        return None
    rows = np.concatenate([directions[name] for name in texts])
    perplexity = min(_PERPLEXITY, (len(flat) - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(rows)
    low, span = places.min(axis=0), np.ptp(places, axis=0)
    places = (places - low) / np.where(span > 0, span, 1)
    # Regions of the map, not of the space: their names then stand where their points are.
    clusters = KMeans(min(TOPICS, len(flat) // 4), n_init=3, random_state=seed).fit_predict(places)
    points = [Place(name, *_rounded(place), text) for name, place, text in zip(names, places, flat, strict=True)]
    return TopicMap(METHOD, points, _topics(points, clusters.tolist(), list(texts), stop_words))


def _topics(points: Sequence[Place], clusters: Sequence[int], sets: Sequence[str], stop_words: Set[str]) -> list[Topic]:
    everywhere = _documents(points, stop_words)
    found = []
    for cluster in sorted(set(clusters)):
        members = [point for point, other in zip(points, clusters, strict=True) if other == cluster]
        label = _label(_documents(members, stop_words), everywhere, len(members), len(points))
        if label is not None:
            middle = np.median([(point.x, point.y) for point in members], axis=0)
            counts = Counter(point.set for point in members)
            found.append(Topic(label, *_rounded(middle), {name: counts[name] for name in sets}))
    return found


def _documents(points: Sequence[Place], stop_words: Set[str]) -> Counter[str]:
    """In how many instructions each longer word stands that is no stop word."""
    found = (word for point in points for word in set(words(point.instruction.lower())) if len(word) >= _LETTERS)
    return Counter(word for word in found if word not in stop_words)


def _label(inside: Counter[str], everywhere: Counter[str], members: int, points: int) -> str | None:
    """The words whose shares inside exceed those outside most; None where no word stands in two instructions."""

    def excess(word: str) -> float:
        outside = (everywhere[word] - inside[word]) / max(1, points - members)
        return inside[word] / members - outside

    common = sorted(word for word, count in inside.items() if count > 1)
    return ", ".join(sorted(common, key=excess, reverse=True)[:_NAMED]) or None


def _rounded(place: NDArray[Any]) -> tuple[float, float]:
    return round(float(place[0]), 4), round(float(place[1]), 4)
