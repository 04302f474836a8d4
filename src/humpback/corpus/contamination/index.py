"""Finds evaluation prompts in a text by runs of words that both have.

A prompt is hit where runs of n words that stand in the text too cover at least the share `overlap` of its words, at
about the same distances from one another, and where most of its words (`MIN_IN_ORDER`) stand there in its order.
The longer the prompt, the longer the runs (`run_length`). Runs that many prompts share (`MAX_SHARING_PROMPTS`), such as
"please choose the correct answer to the question", and runs of function words say nothing of a prompt: they are not
looked for, and words that stand only in such runs are not among those to be covered. A prompt with fewer than
`MIN_WORDS` words, or with hardly more than function words, is hit by a text, a line or a sentence that equals it.
Besides, any prompt is hit by a text whose first line (the instruction of a seed pair) asks the same with other function
words: "How many days until Christmas?" for "How many days is it until Christmas?".
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from humpback.config import DecontaminateConfig
from humpback.corpus.contamination.normal import FUNCTION_WORDS, SENTENCE_END, compact_lines, plain_text, plain_words
from humpback.corpus.contamination.runs import (
    COUNTED,
    MIN_TELLING,
    MIN_WORDS,
    SHARED,
    TELLING,
    UNSPACED_SCALE,
    Runs,
    build_runs,
    run_hashes,
)
from humpback.corpus.contamination.sets import EvaluationSet
from humpback.corpus.words import is_unspaced

if TYPE_CHECKING:
    import numpy as np

DRIFT_WORDS = 4
"""Words, beside one in ten of the prompt's, by which runs of one prompt may be moved against each other in the text."""

CERTAIN_WORDS = 20
"""Covered words that are a hit by themselves, such as half of a long prompt (ours: they meet by no chance)."""

MIN_IN_ORDER = 0.8
"""Share of a prompt's words that must stand in order where its runs do (ours: of a prompt of 8 words one of which is
edited, 7 do; of one that shares a phrase with the text by chance, hardly more than the phrase)."""

MIN_TELLING_IN_ORDER = 0.6
"""The same for its words other than function words (ours: two of three, three of five; both of two)."""

TERM_WORDS = 5
"""Words below which a prompt without a function word is a term rather than a request, such as "Real GDP": as a heading
it stands everywhere, so a text's first line must equal it, as must a prompt of function words only (ours; a seed pair
begins with its instruction)."""

MIN_TERM_WORDS = 2
"""Words below which a prompt is not looked for at all (ours: a line "table" is no sign of one)."""

MIN_ALIKE = 0.8
"""Share of the words of a prompt and a first line with the same telling words that must stand in both in order (ours:
"Why the sky is blue" has .8 with "Why is the sky blue", a heading "The sky, blue" less)."""

_UNKNOWN = 0x2545F491  # what a word of no prompt counts as; not 0, with which a run would equal a shorter one


@dataclass(frozen=True, slots=True)
class Hit:
    """A prompt that stands in a text: its set, its id there, and the share of its words that are covered."""

    set: str
    prompt: str
    overlap: float


class EvaluationIndex:
    """Evaluation prompts, ready to be found in texts. Plain data: it can be pickled for worker processes."""

    def __init__(
        self,
        names: list[tuple[tuple[str, str], ...]],
        runs: Runs | None,
        whole: dict[str, int],
        terms: dict[str, int],
        alike: dict[str, list[int]],
        keys: list[str],
        overlap: float,
    ) -> None:
        self._names = names  # for each distinct prompt, the sets that have it and its id there
        self._runs = runs
        self._whole = whole  # words, without spaces, of a prompt that only an equal piece hits -> its number
        self._terms = terms  # the same for those that only an equal first line hits
        self._alike = alike  # telling words of a prompt -> the numbers of all that have the same
        self._keys = keys  # the words of each prompt
        self._overlap = overlap

    def __len__(self) -> int:
        """How many different prompts are looked for."""
        return len(self._names)

    def hits(self, text: str) -> list[Hit]:
        """The prompts that stand in `text`, in the order of the sets; each once, however often it stands there."""
        found: dict[int, float] = {}
        plain = plain_text(text)
        if self._runs is not None:
            found.update(_covered(self._runs, plain_words(plain), self._overlap))
        found.update(self._asking_alike(plain_words(plain.partition("\n")[0])))
        if self._whole or self._terms:
            found.update((number, 1.0) for number in self._equal(compact_lines(plain)))
        return [Hit(name, prompt, found[number]) for number in sorted(found) for name, prompt in self._names[number]]

    def _equal(self, lines: list[str]) -> Iterator[int]:
        """Yields the numbers of the prompts that equal a text of such lines, one of them, or a sentence of one."""
        unbroken = [line.replace(SENTENCE_END, "") for line in lines]
        if unbroken[0] in self._terms:
            yield self._terms[unbroken[0]]
        sentences = [sentence for line in lines for sentence in line.split(SENTENCE_END)]
        for piece in (*sentences, *unbroken, "".join(unbroken)):
            if piece in self._whole:
                yield self._whole[piece]

    def _asking_alike(self, words: list[str]) -> Iterator[tuple[int, float]]:
        """Yields the number of each prompt that says what a first line does but for function words, and how much."""
        for number in self._alike.get(_telling(words), ()):
            prompt = self._keys[number].split()
            common = _longest_common(prompt, words)
            if 2 * common >= MIN_ALIKE * (len(prompt) + len(words)):
                yield number, common / len(prompt)


def build_index(sets: Sequence[EvaluationSet], config: DecontaminateConfig) -> EvaluationIndex:
    """The index of all prompts of `sets`; equal ones are looked for once and reported for each set."""
    names: dict[str, dict[str, str]] = {}
    unspaced: dict[str, bool] = {}
    for found in sets:
        for prompt in found.prompts:
            key = " ".join(plain_words(plain_text(prompt.text)))
            if key:
                names.setdefault(key, {}).setdefault(found.name, prompt.id)
                unspaced[key] = is_unspaced(prompt.text)
    keys = list(names)
    runs, searchable = build_runs([key.split() for key in keys], [unspaced[key] for key in keys], config.ngram)
    whole: dict[str, int] = {}
    terms: dict[str, int] = {}
    alike: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        telling = _telling(key.split())
        if telling.count(" ") + 1 >= MIN_TELLING:
            alike.setdefault(telling, []).append(number)
        if not searchable[number]:
            words = key.split()
            size = len(words) // (UNSPACED_SCALE if unspaced[key] else 1)
            function_words = sum(word in FUNCTION_WORDS for word in words)
            if function_words < len(words) and (size >= TERM_WORDS or function_words or unspaced[key]):
                whole.setdefault("".join(words), number)
            elif size >= MIN_TERM_WORDS:
                terms.setdefault("".join(words), number)
    return EvaluationIndex([tuple(names[key].items()) for key in keys], runs, whole, terms, alike, keys, config.overlap)


def _telling(words: list[str]) -> str:
    return " ".join(word for word in words if word not in FUNCTION_WORDS)


def _covered(runs: Runs, words: list[str], needed: float) -> Iterator[tuple[int, float]]:
    """Yields the number of each prompt of which the share `needed` stands among `words`, with the share that does."""
    import numpy as np

    if len(words) < runs.lengths[0]:
        return
    text = np.fromiter(map(runs.vocabulary.get, words, repeat(_UNKNOWN)), dtype=np.uint64, count=len(words))
    by_length = run_hashes(text, runs.lengths)
    hashes = np.concatenate(by_length)
    maybe = runs.table.take((hashes & np.uint64(len(runs.table) - 1)).view(np.int64)).nonzero()[0]
    run = np.searchsorted(runs.hashes, hashes[maybe])
    run[run == len(runs.hashes)] = 0
    equal = runs.hashes[run] == hashes[maybe]
    run, at = run[equal], maybe[equal]
    if not len(run):
        return
    begins = np.cumsum([0, *(len(found) for found in by_length[:-1])])
    at -= begins[np.searchsorted(begins, at, side="right") - 1]  # the run's first word in the text
    meetings: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for word, first, end in zip(at.tolist(), runs.starts[run].tolist(), runs.starts[run + 1].tolist(), strict=True):
        for number, position in zip(runs.owner[first:end].tolist(), runs.position[first:end].tolist(), strict=True):
            meetings[number].append((word, position))
    for number, places in meetings.items():
        overlap = _overlap(runs, number, places, text, needed)
        if overlap is not None:
            yield number, overlap


def _overlap(runs: Runs, number: int, meetings: list[tuple[int, int]], text: np.ndarray, needed: float) -> float | None:
    """The share of a prompt that is covered where most of it stands in the text, None where that is too little.

    Each of `meetings` is the first word of a run in the text, and in the prompt.
    """
    n, counted = int(runs.run_length[number]), int(runs.counted[number])
    if len(meetings) * n < needed * counted:
        return None
    begin, end = int(runs.offsets[number]), int(runs.offsets[number + 1])
    kinds = runs.kinds[begin:end].tolist()
    drift = DRIFT_WORDS + len(kinds) // 10
    by_shift: dict[int, set[int]] = defaultdict(set)
    for at, position in meetings:
        by_shift[(at - position) // drift].add(position)
    best = 0
    for shift, positions in by_shift.items():
        starts = positions | by_shift.get(shift + 1, set())
        words = {word for start in starts for word in range(start, start + n)}
        covered = sum(kinds[word] & COUNTED for word in words)
        if covered >= needed * counted and covered > best:
            window = text[max((shift - 1) * drift, 0) : max((shift + 3) * drift + len(kinds), 0)]
            if covered >= CERTAIN_WORDS or _in_order(runs.words[begin:end].tolist(), kinds, window.tolist()):
                best = covered
    return best / counted if best else None


def _in_order(prompt: list[int], kinds: list[int], window: list[int]) -> bool:
    """Whether most words of a prompt stand in the window in its order, and most of those that tell of a subject."""
    own = [at for at, kind in enumerate(kinds) if kind & COUNTED and not kind & SHARED]
    # Too few words of its own say nothing: then the phrases that it shares with others must be there as well.
    chosen = own if len(own) >= MIN_WORDS else range(len(prompt))
    words = [prompt[at] for at in chosen]
    telling = [prompt[at] for at in chosen if kinds[at] & TELLING]
    return _longest_common(words, window) >= MIN_IN_ORDER * len(words) and _longest_common(
        telling, window
    ) >= MIN_TELLING_IN_ORDER * len(telling)


def _longest_common(words: Sequence[Hashable], window: Sequence[Hashable]) -> int:
    """Length of the longest subsequence that both have (Hunt and Szymanski 1977)."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at in range(len(window) - 1, -1, -1):
        places[window[at]].append(at)
    ends: list[int] = []  # ends[k]: where in the window a common subsequence of k + 1 words can end at the earliest
    for word in words:
        for at in places.get(word, ()):
            k = bisect_left(ends, at)
            ends[k : k + 1] = [at]
    return len(ends)
