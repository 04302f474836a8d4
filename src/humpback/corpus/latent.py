"""Texts as directions of a latent semantic space: TF-IDF weights of hashed words, and the axes that say most of them.

This is latent semantic analysis (Deerwester et al. 1990). Texts are near where they use the same words, or words that
other texts use together; nothing is learnt but from the texts that the space is fitted on, and no model is loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from humpback.corpus.words import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = 64
"""Axes of the space, at most, unless told otherwise (ours: what tells topics from one another)."""

_WORD_BITS = 16


class LatentSpace:
    """The space of a sample of texts. Equal sample and seed, equal space, in one thread (`threadpool_limits`)."""

    def __init__(self, sample: Sequence[str], seed: int, axes: int = AXES) -> None:
        """Fits the space on `sample`, of two texts at least, with at most `axes` axes."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

        self._counter = HashingVectorizer(
            analyzer=_words, n_features=2**_WORD_BITS, alternate_sign=False, norm=None, dtype=np.float64
        )
        self._weights = TfidfTransformer(sublinear_tf=True)
        self._axes = TruncatedSVD(min(axes, len(sample) - 1), random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # equal texts: fewer directions than asked for
            self._axes.fit(self._weights.fit_transform(self._counter.transform(sample)))

    def directions(self, texts: Sequence[str]) -> NDArray[Any]:
        """One unit vector a text, (texts, axes); zero where a text has no word that the space knows."""
        found = np.asarray(self._axes.transform(self._weights.transform(self._counter.transform(texts))))
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(lengths > 0, lengths, 1))


def _words(text: str) -> list[str]:
    return words(text.lower())
