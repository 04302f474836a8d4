"""Training stops when the loss on rows set aside no longer falls, and keeps the best weights."""

from __future__ import annotations

import pytest
from tiny_training import LORA, PLAIN, Stop, assert_same, changed, cross_entropy, tiny_rows, train

from humpback.errors import NothingLeftError
from humpback.prompts import TokenRow
from humpback.stages.train import held_out_rows

# Trained on the first rows at a high rate, the loss on the others soon rises.
SETTINGS = {"early_stop": 2, "eval_steps": 2}


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


def overfit(base, rows, output, config, **options):
    options = {"steps": 60, "batch": 2, "micro": 2, "rate": 2e-2} | options
    return train(base, rows[:2], output, config, held_out=rows[4:], **options)


@pytest.mark.parametrize("config", [PLAIN, LORA, changed(PLAIN, packing=True, max_tokens=160)])
def test_it_stops_and_keeps_the_best(tiny_model, rows, tmp_path, config):
    result = overfit(tiny_model, rows, tmp_path / "out", changed(config, **SETTINGS))
    losses = [entry["eval_loss"] for entry in result.evaluations]
    assert len(result.history) < 60, "it stopped early"
    assert len(losses) == len(result.history) // 2
    best = losses.index(min(losses))
    assert len(losses) - 1 - best == 2, "two evaluations after the best one"
    assert cross_entropy(tmp_path / "out", rows[4:]) == pytest.approx(min(losses), abs=1e-3)
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_without_rows_or_setting_it_is_off(tiny_model, rows, tmp_path):
    config = changed(PLAIN, **SETTINGS)
    first = train(tiny_model, rows, tmp_path / "a", config, steps=8)
    second = train(tiny_model, rows, tmp_path / "b", steps=8, held_out=rows)
    assert [len(one.history) for one in (first, second)] == [8, 8]
    assert first.evaluations == second.evaluations == []
    assert_same(tmp_path / "a", tmp_path / "b", tolerance=0)


def test_looking_changes_nothing(tiny_model, rows, tmp_path):
    train(tiny_model, rows, tmp_path / "a", changed(PLAIN, dropout=0.2), steps=4)
    config = changed(PLAIN, dropout=0.2, early_stop=9, eval_steps=1)
    watched = train(tiny_model, rows, tmp_path / "b", config, steps=4, held_out=rows)
    losses = [entry["eval_loss"] for entry in watched.evaluations]
    assert losses == sorted(losses, reverse=True), "the last weights are the best here"
    assert_same(tmp_path / "a", tmp_path / "b", tolerance=0)


def test_a_stopped_training_remembers_the_best(tiny_model, rows, tmp_path):
    config = changed(PLAIN, checkpoint_minutes=1e-9, **SETTINGS)
    whole = overfit(tiny_model, rows, tmp_path / "whole", config)
    last = len(whole.history)
    with pytest.raises(KeyboardInterrupt):
        overfit(tiny_model, rows, tmp_path / "out", config, on_step=Stop(last - 1))
    resumed = overfit(tiny_model, rows, tmp_path / "out", config)
    assert len(resumed.history) == last
    assert_same(tmp_path / "whole", tmp_path / "out", tolerance=0)


def test_rows_are_set_aside_by_lot():
    rows = [TokenRow([1], [1], is_cut=False, row_id=str(number)) for number in range(1000)]
    kept, aside = held_out_rows(rows, 1)
    assert (len(kept), len(aside)) == (950, 50)
    assert {row.row_id for row in kept} | {row.row_id for row in aside} == {row.row_id for row in rows}
    assert aside == held_out_rows(rows, 1)[1] != held_out_rows(rows, 2)[1]
    assert len(held_out_rows(rows[:100], 1)[1]) == 16
    with pytest.raises(NothingLeftError, match=r"train\.early_stop sets 16 rows aside and there are only 31"):
        held_out_rows(rows[:31], 1)
