"""The paper's settings, and what stands in for them."""

from __future__ import annotations

import pytest

from humpback.config import LoraConfig, TrainConfig
from humpback.training import recipe_for
from humpback.training.recipe import paper_steps

SMALL, LARGE = 135_000_000, 7_000_000_000


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(100, 30), (800, 300), (1600, 600), (3200, 500), (6400, 600), (12800, 600), (25600, 1200), (51200, 1600)],
)
def test_table_18_is_met_exactly(examples, steps):
    assert paper_steps(examples) == steps


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(1, 1), (10, 3), (50, 15), (450, 165), (1200, 450), (2400, 550), (9600, 600), (38400, 1400), (102400, 3200)],
)
def test_between_and_outside_its_rows_steps_are_in_proportion(examples, steps):
    assert paper_steps(examples) == steps


def test_the_batch_grows_with_the_data():
    assert recipe_for(2999, LARGE, TrainConfig()).batch_size == 8
    assert recipe_for(3000, LARGE, TrainConfig()).batch_size == 32


def test_the_rate_depends_on_size_and_method():
    assert recipe_for(100, LARGE, TrainConfig()).rates == (1e-5, pytest.approx(9e-6))
    assert recipe_for(100, SMALL, TrainConfig()).rates[0] == 1e-4
    assert recipe_for(100, LARGE, TrainConfig(method="lora", lora=LoraConfig())).rates[0] == 2e-4
    chosen = TrainConfig(learning_rate=1e-3, final_learning_rate_ratio=0.5)
    assert recipe_for(100, SMALL, chosen).rates == (1e-3, 5e-4)


@pytest.mark.parametrize(
    ("batch", "micro", "found"), [(8, 4, 4), (8, 3, 2), (8, 16, 8), (7, 4, 1), (9, 4, 3), (6, 4, 3), (1, 4, 1)]
)
def test_a_micro_batch_that_does_not_divide_becomes_smaller(batch, micro, found):
    recipe = recipe_for(100, SMALL, TrainConfig(batch_size=batch, micro_batch_size=micro))
    assert (recipe.batch_size, recipe.micro_batch_size) == (batch, found)
    assert recipe.accumulation * recipe.micro_batch_size == batch


def test_given_steps_are_taken():
    assert recipe_for(100, SMALL, TrainConfig(steps=7)).steps == 7
