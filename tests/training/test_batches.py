"""Which rows are trained on together."""

from __future__ import annotations

import random

import pytest

from humpback.config import TrainConfig
from humpback.errors import ConfigError
from humpback.prompts import TokenRow
from humpback.training import Recipe
from humpback.training.batches import pack_rows, plan_batches, training_order


def rows_of(lengths, prefix="row"):
    return [TokenRow([0] * length, [0] * length, False, f"{prefix}-{n}") for n, length in enumerate(lengths)]


def test_the_order_holds_whole_epochs_and_batches_of_about_equal_length():
    generator = random.Random(0)
    lengths = [generator.randint(20, 400) for _ in range(400)]
    order = training_order(rows_of(lengths), Recipe(100, 8, 4, (1, 1)), seed=3)
    assert len(order) == 800
    assert {order.count(row) for row in range(400)} == {2}
    assert len(set(order[:384])) == 384
    assert order == training_order(rows_of(lengths), Recipe(100, 8, 4, (1, 1)), seed=3)
    assert order != training_order(rows_of(lengths), Recipe(100, 8, 4, (1, 1)), seed=4)
    batches = [[lengths[row] for row in order[start : start + 8]] for start in range(0, 800, 8)]
    padding = 1 - sum(map(sum, batches)) / sum(8 * max(batch) for batch in batches)
    assert padding < 0.15
    means = [sum(batch) / 8 for batch in batches[:12]]
    assert means not in (sorted(means), sorted(means, reverse=True)), "no walk from short to long"


@pytest.mark.parametrize(("rows", "steps", "batch"), [(3, 5, 8), (10, 7, 4), (1, 2, 2), (37, 30, 8)])
def test_the_order_uses_all_rows_equally_often(rows, steps, batch):
    order = training_order(rows_of([5] * rows), Recipe(steps, batch, 1, (1, 1)), seed=0)
    counts = [order.count(row) for row in range(rows)]
    assert len(order) == steps * batch
    assert max(counts) - min(counts) <= 1


def test_rows_that_two_trainings_share_come_in_the_same_order():
    shared, more = rows_of([5] * 60), rows_of([5] * 30, "more")
    recipe = Recipe(20, 4, 4, (1, 1))
    alone = [shared[number].row_id for number in training_order(shared, recipe, 1, by_length=False)]
    mixed = [*more, *shared]
    among = [mixed[number].row_id for number in training_order(mixed, recipe, 1, by_length=False)]
    first = [name for name in among[:90] if name.startswith("row")]
    assert first == alone[: len(first)]
    assert len(first) > 40
    assert alone[60:] != alone[:20], "another order in every epoch"


def test_rows_without_ids_are_drawn_by_lot():
    rows = [TokenRow([0] * 5, [0] * 5, False) for _ in range(50)]
    order = training_order(rows, Recipe(10, 5, 5, (1, 1)), 0, by_length=False)
    assert sorted(order) == list(range(50)) != order


def plan(lengths, recipe, **fields):
    return plan_batches(rows_of(lengths), recipe, TrainConfig(**fields), seed=0)


def test_every_micro_batch_size_and_number_of_processes_gives_a_step_the_same_rows():
    lengths = [20 + 7 * number % 90 for number in range(50)]
    wanted = [plan(lengths, Recipe(6, 8, 8, (1, 1))).rows_of(step) for step in range(1, 7)]
    for micro, processes in ((4, 1), (3, 1), (1, 1), (8, 2), (2, 4)):
        found = plan(lengths, Recipe(6, 8, micro, (1, 1)), processes=processes)
        assert [found.rows_of(step) for step in range(1, 7)] == wanted
        assert max(map(len, found.micro_batches)) <= min(micro, 8 // processes)
        assert found.per_step % processes == 0


def test_a_batch_that_cannot_be_dealt_out_is_refused():
    with pytest.raises(ConfigError, match=r"train\.processes: 3 does not divide train\.batch_size \(8\)"):
        plan([9] * 20, Recipe(2, 8, 4, (1, 1)), processes=3)


def test_packed_micro_batches_keep_to_the_budget_and_hold_every_row_once():
    generator = random.Random(1)
    lengths = [generator.randint(20, 400) for _ in range(200)]
    found = plan(lengths, Recipe(20, 16, 4, (1, 1)), packing=True, max_tokens=400)
    assert len(found.micro_batches) == 20 * found.per_step
    assert found.per_step < 16 // 4 + 1, "no more micro-batches than with padding"
    order = training_order(rows_of(lengths), Recipe(20, 16, 4, (1, 1)), 0, by_length=False)
    for step in range(20):
        assert sorted(found.rows_of(step + 1)) == sorted(order[16 * step : 16 * (step + 1)])
    sizes = [sum(lengths[row] for row in part) for part in found.micro_batches]
    assert max(sizes) <= 4 * 400
    assert plan(lengths, Recipe(20, 16, 4, (1, 1)), packing=True, max_tokens=400, processes=2).per_step % 2 == 0


def test_packing_evens_out():
    lengths = [100, 90, 10, 10, 80, 20, 30, 60]
    parts = pack_rows(lengths, list(range(8)), 2)
    assert sorted(row for part in parts for row in part) == list(range(8))
    assert [sum(lengths[row] for row in part) for part in parts] == [200, 200]
