"""Which rated candidates are kept: a rule, a bound for each source, and a share for each topic.

Topics get their places by proportional allocation, as strata of a sample do (Cochran, Sampling Techniques, 3rd edition
1977, section 5.3). Clustering first and ranking within clusters is how Ge et al. 2024 (arXiv 2402.18191) keep a
selection diverse; unlike pairwise novelty it costs one sort, whatever the number of candidates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from humpback.config import CurateConfig
from humpback.randomness import derived_seed
from humpback.records import DropReason

DEFAULT_FRACTION = 0.4  # ours, after A_4's 38.8 % in table 2: an expected score has no fixed level, a share has

_ROUNDING = 1e-9  # sums of probabilities are no more exact than this


@dataclass(frozen=True, slots=True)
class Entrant:
    """A rated candidate: `score` is what the rule ranks by, `source` and `topic` what it shares with others."""

    id: str
    score: float
    source: str
    topic: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What is kept, and why each of the others is not. `source_cap` is the most that one source could give."""

    kept: frozenset[str]
    lost: dict[str, DropReason]
    source_cap: int | None


def choose(entrants: Iterable[Entrant], config: CurateConfig, random_seed: int) -> Choice:
    """The kept entrants, the same in whatever order they come; equal scores fall by lot.

    1. The rule wants the N best: the share, those that reach the threshold, or the most whose mean is at least the
       target.
    2. With `max_share_per_source` a source gives ceil(share * N) at most. Going down the ranks, rows of a full source
       are passed over and the next best take their places, as far as the rule admits them: rows below the threshold,
       or that would bring the mean below the target, do not, and then fewer than N are kept.
    3. With `diversity` d topic c gets (1 - d) * r_c + d * N * n_c / n places, n_c being its rows among all n and r_c
       those among the rows kept so far; places that its sources cannot fill go to the best of the others.

    Time O(n log n), memory O(n).
    """
    order = sorted(entrants, key=lambda one: (-one.score, derived_seed(random_seed, "tie", one.id), one.id))
    wanted = wanted_count([one.score for one in order], config)
    share = config.max_share_per_source
    cap = None if share is None else max(1, math.ceil(share * wanted - _ROUNDING))
    open_, full = _by_source(order, cap)
    admitted = wanted_count([order[rank].score for rank in open_], config, of=len(order))
    best = open_[:admitted]
    kept = _spread(order, best, cap, config.diversity) if config.diversity else set(best)
    last = max([wanted - 1, *best[-1:]])
    passed = {rank for rank in full if rank <= last}
    missed = DropReason.NOT_AMONG_BEST if config.threshold is None else DropReason.BELOW_THRESHOLD
    lost = {order[rank].id: missed for rank in range(len(order)) if rank not in kept}
    lost |= {order[rank].id: DropReason.SOURCE_FULL for rank in passed - kept}
    lost |= {order[rank].id: DropReason.TOO_SIMILAR for rank in set(best) - kept}
    return Choice(frozenset(order[rank].id for rank in kept), lost, cap)


def wanted_count(scores: Sequence[float], config: CurateConfig, of: int | None = None) -> int:
    """How many of the best the rule wants; `scores` fall. A share is one of `of` rows, by default of all these."""
    if config.threshold is not None:
        return sum(score >= config.threshold for score in scores)
    if config.target_precision is not None:
        means = (total / count for count, total in enumerate(accumulate(scores), 1))
        return sum(mean >= config.target_precision - _ROUNDING for mean in means)
    fraction = config.keep_fraction or DEFAULT_FRACTION
    total = len(scores) if of is None else of
    return min(len(scores), max(1, round(fraction * total)))


def allot(kept: Counter[int], everything: Counter[int], diversity: float) -> dict[int, int]:
    """Places for each topic: between its rows in `kept` (0) and its share of `everything` (1), as many in all as
    `kept` has. Rounding is by the largest remainder, so that no topic gets more places than it has rows."""
    share = kept.total() / max(1, everything.total())
    exact = {topic: (1 - diversity) * kept[topic] + diversity * share * everything[topic] for topic in everything}
    places = {topic: math.floor(value + _ROUNDING) for topic, value in exact.items()}
    left = kept.total() - sum(places.values())
    by_remainder = sorted(exact, key=lambda topic: (round(places[topic] - exact[topic], 9), topic))
    return places | {topic: places[topic] + 1 for topic in by_remainder[:left]}


def _by_source(order: Sequence[Entrant], cap: int | None) -> tuple[list[int], list[int]]:
    """The ranks whose source is not full when their turn comes, and the others."""
    open_: list[int] = []
    full: list[int] = []
    given: Counter[str] = Counter()
    for rank, one in enumerate(order):
        if cap is not None and given[one.source] >= cap:
            full.append(rank)
        else:
            given[one.source] += 1
            open_.append(rank)
    return open_, full


def _spread(order: Sequence[Entrant], best: Collection[int], cap: int | None, diversity: float) -> set[int]:
    """As many ranks as `best` has, spread over the topics; no source gives more than `cap`."""
    chosen = Counter(order[rank].topic for rank in best)
    places = Counter(allot(chosen, Counter(one.topic for one in order), diversity))
    kept: set[int] = set()
    given: Counter[str] = Counter()
    for spare in (False, True):  # first the topics' own places, then those left over
        for rank, one in enumerate(order):
            if len(kept) == len(best):
                return kept
            free = cap is None or given[one.source] < cap
            if rank not in kept and free and (spare or places[one.topic] > 0):
                kept.add(rank)
                given[one.source] += 1
                places[one.topic] -= 1
    return kept
