"""Nucleus sampling draws what it should, from each row's own seed."""

from __future__ import annotations

import math

import pytest
import torch

from humpback.engines import Sampling
from humpback.engines.transformers.sampling import HEAD_TOKENS, SeededNucleus

PROBABILITIES = [0.05, 0.4, 0.1, 0.25, 0.15, 0.05]
ROWS = 4000


def draw(temperature: float, top_p: float, probabilities=PROBABILITIES, rows: int = ROWS) -> list[int]:
    """One token for each of the seeds 0, 1, 2, ..."""
    sampler = SeededNucleus(range(rows), Sampling(temperature, top_p, 1))
    scores = torch.tensor([[math.log(p) + 3.0 for p in probabilities]] * rows)
    return sampler.draw(scores, range(rows), 0).tolist()


def nucleus(temperature: float, top_p: float) -> list[float]:
    """The distribution by hand: temper, sort, keep the smallest set that reaches top_p, normalise."""
    tempered = [p ** (1 / temperature) for p in PROBABILITIES]
    tempered = [p / sum(tempered) for p in tempered]
    kept, mass = set(), 0.0
    for index in sorted(range(len(tempered)), key=lambda i: -tempered[i]):
        if mass >= top_p - 1e-9:
            break
        kept.add(index)
        mass += tempered[index]
    return [p / mass if index in kept else 0.0 for index, p in enumerate(tempered)]


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(1.0, 1.0), (1.0, 0.9), (1.0, 0.6), (0.7, 0.9), (0.3, 1.0), (2.0, 0.95)]
)
def test_draws_follow_the_nucleus(temperature, top_p):
    counts = [0] * len(PROBABILITIES)
    for token in draw(temperature, top_p):
        counts[token] += 1
    wanted = nucleus(temperature, top_p)
    assert all(count == 0 for count, p in zip(counts, wanted, strict=True) if p == 0)
    statistic = sum((count - ROWS * p) ** 2 / (ROWS * p) for count, p in zip(counts, wanted, strict=True) if p > 0)
    critical = {1: 10.8, 2: 13.8, 3: 16.3, 4: 18.5, 5: 20.5}  # chi-square at 0.001
    assert statistic < critical[sum(p > 0 for p in wanted) - 1]


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1e-6), (1.0, 0.39), (0.01, 1.0)])
def test_a_tiny_nucleus_or_temperature_is_greedy(temperature, top_p):
    assert set(draw(temperature, top_p, rows=200)) == {1}


def test_a_row_draws_the_same_wherever_it_stands():
    scores = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    together, alone = SeededNucleus([7, 8, 9], Sampling(1.0, 0.9, 5)), SeededNucleus([9], Sampling(1.0, 0.9, 5))
    for step in range(5):
        both = together.draw(scores, [0, 1, 2], step).tolist()
        assert alone.draw(scores[2:], [0], step).tolist() == both[2:]
        assert together.draw(scores[[2, 0]], [2, 0], step).tolist() == [both[2], both[0]]


def test_steps_and_seeds_draw_differently():
    scores = torch.zeros(2, 1000)
    sampler = SeededNucleus([1, 2], Sampling(1.0, 1.0, 20))
    draws = [sampler.draw(scores, [0, 1], step).tolist() for step in range(20)]
    assert len({first for first, _ in draws}) > 15
    assert all(first != second for first, second in draws[:5])


def test_impossible_tokens_are_never_drawn():
    scores = torch.full((500, 8), -math.inf)
    scores[:, [2, 5]] = 1.0
    sampler = SeededNucleus(range(500), Sampling(1.5, 1.0, 1))
    assert set(sampler.draw(scores, range(500), 0).tolist()) == {2, 5}


@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_a_large_vocabulary_draws_as_if_all_of_it_were_sorted(temperature):
    """Peaked rows find their nucleus among the likeliest tokens, flat ones do not; ties are in both."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(64, 4 * HEAD_TOKENS, generator=generator).mul(4).round()
    scores[::2] *= 0.1
    sampler = SeededNucleus(range(64), Sampling(temperature, 0.9, 1))
    wanted = []
    for row in range(64):
        probabilities = torch.softmax(scores[row] / temperature, -1)
        ordered, tokens = torch.sort(probabilities, descending=True, stable=True)
        cumulative = ordered.cumsum(-1)
        last = int((cumulative - ordered < 0.9).sum()) - 1
        place = torch.searchsorted(cumulative, sampler._uniforms[row, 0].float() * cumulative[last], right=True)
        wanted.append(tokens[min(int(place), last)].item())
    assert sampler.draw(scores, range(64), 0).tolist() == wanted
    assert [sampler.draw(scores[[row]], [row], 0).item() for row in range(64)] == wanted


def test_temperature_zero_takes_the_likeliest():
    scores = torch.randn(5, 50, generator=torch.Generator().manual_seed(0))
    assert torch.equal(SeededNucleus(range(5), Sampling(0, 0.5, 1)).draw(scores, range(5), 0), scores.argmax(-1))
