"""Packed rows do not see one another, and train as padded ones do."""

from __future__ import annotations

import pytest
import torch
from tiny_training import PLAIN, assert_same, changed, cross_entropy, tiny_rows, train

from humpback.errors import ModelError
from humpback.models import load_model
from humpback.prompts import TokenRow
from humpback.training.collate import Collator, check_packing

PACKED = changed(PLAIN, packing=True, max_tokens=160)


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


@pytest.fixture
def model(tiny_model):
    return load_model(tiny_model, dtype=torch.float32, device="cpu").eval()


def hidden_states(model, batch):
    names = [name for name in ("input_ids", "position_ids", "attention_mask") if name in batch]
    return model.base_model(**{name: batch[name] for name in names}, use_cache=False).last_hidden_state


def test_a_batch_spelt_out():
    first = TokenRow([5, 6, 7], [-100, 6, 7], is_cut=False)
    second = TokenRow([8, 9, 10, 11], [-100, -100, 10, 11], is_cut=False)
    padded = Collator([first, second], 0, packing=False).batch([0, 1])
    assert padded["input_ids"].tolist() == [[5, 6, 7, 0], [8, 9, 10, 11]]
    assert padded["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert (padded["learnt"].tolist(), padded["targets"].tolist()) == ([0, 1, 5, 6], [6, 7, 10, 11])
    packed = Collator([first, second], 0, packing=True).batch([1, 0])
    assert packed["input_ids"].tolist() == [[8, 9, 10, 11, 5, 6, 7]]
    assert packed["position_ids"].tolist() == [[0, 1, 2, 3, 0, 1, 2]]
    assert (packed["learnt"].tolist(), packed["targets"].tolist()) == ([1, 2, 4, 5], [10, 11, 6, 7])
    assert packed["rows"] == [1, 0]


def test_a_first_token_that_is_learnt_is_learnt_from_nothing_and_so_left_out():
    row = TokenRow([5, 6], [5, 6], is_cut=False)
    packed = Collator([row, row], 0, packing=True).batch([0, 1])
    assert (packed["learnt"].tolist(), packed["targets"].tolist()) == ([0, 2], [6, 6])


@torch.no_grad()
def test_the_logits_of_a_row_do_not_depend_on_its_neighbours(model, rows):
    row = rows[4]
    others = [TokenRow([n % 400 + 5 for n in range(start, start + 30)], [-100] * 30, is_cut=False) for start in (0, 99)]
    size = len(row.input_ids)
    found = []
    for before, after in ((0, 1), (1, 0)):
        batch = Collator([others[before], row, others[after]], 0, packing=True).batch([0, 1, 2])
        found.append(model.lm_head(hidden_states(model, batch))[0, 30 : 30 + size])
    alone = model(torch.tensor([row.input_ids])).logits[0]
    assert torch.allclose(found[0], found[1], atol=1e-5)
    assert torch.allclose(found[0], alone, atol=1e-4)
    # The same tokens with positions that run on do see their neighbours: the comparison can tell.
    batch = Collator([others[0], row], 0, packing=True).batch([0, 1])
    batch["position_ids"] = torch.arange(30 + size)[None]
    assert not torch.allclose(model.lm_head(hidden_states(model, batch))[0, 30:], alone, atol=1e-2)


def test_the_gradient_of_a_packed_batch_is_that_of_the_padded_one(model, rows):
    gradients = []
    for packing in (False, True):
        batch = Collator(rows, 0, packing).batch([0, 3, 4, 6])
        logits = model.lm_head(hidden_states(model, batch)).flatten(0, 1)[batch["learnt"]]
        torch.nn.functional.cross_entropy(logits, batch["targets"]).backward()
        gradients.append({name: weight.grad.clone() for name, weight in model.named_parameters()})
        model.zero_grad()
    padded, packed = gradients
    for name, gradient in padded.items():
        assert gradient.abs().max() > 0, name
        assert torch.allclose(gradient, packed[name], atol=1e-5), name


def test_packed_training_is_padded_training(tiny_model, rows, tmp_path):
    """One step on all rows, so that both plans hold the same."""
    results = [
        train(tiny_model, rows, tmp_path / name, config, steps=1, batch=8, micro=micro)
        for name, config, micro in (("padded", PLAIN, 8), ("packed", PACKED, 8), ("parts", PACKED, 1))
    ]
    for result in results:
        assert result.history[0]["loss"] == pytest.approx(cross_entropy(tiny_model, rows), abs=2e-4)
    # The first step of Adam moves every weight by the rate times the sign of its gradient, so tiny ones may flip.
    assert_same(tmp_path / "padded", tmp_path / "packed", tolerance=2.1e-3)


def test_an_architecture_whose_packed_rows_see_one_another_is_refused(model, monkeypatch):
    check_packing(model)
    usual = model.base_model.forward

    def forward(input_ids, position_ids, **rest):
        return usual(input_ids=input_ids, position_ids=torch.arange(input_ids.shape[1])[None], **rest)

    monkeypatch.setattr(model.base_model, "forward", forward)
    with pytest.raises(ModelError, match=r"train\.packing: in LlamaForCausalLM packed rows see their neighbours; set"):
        check_packing(model)
