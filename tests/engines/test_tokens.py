"""What is sent to a model, the same for every engine."""

from __future__ import annotations

import pytest

from humpback.engines.tokens import common_prefix, end_ids, split_choices, tokenise
from humpback.models import load_tokenizer


@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        ([[1, 2, 3]], 2),
        ([[1, 2, 3], [1, 2, 4]], 2),
        ([[1, 2, 3], [1, 2]], 1),
        ([[1, 2], [1, 2], [1, 2]], 1),
        ([[1, 2], [3, 2]], 0),
        ([[1], [1, 2]], 0),
        ([[1, 9, 1], [1, 2, 1], [1, 2, 3, 4]], 1),
    ],
)
def test_the_common_prefix_leaves_each_row_a_token(rows, shared):
    assert common_prefix(rows) == shared


def test_choices_are_parted_where_they_differ():
    assert split_choices([[7, 1], [7, 2], [7, 3]]) == ([7], [[1], [2], [3]])
    assert split_choices([[1], [2]]) == ([], [[1], [2]])
    assert split_choices([[7, 1], [7]]) == ([], [[7, 1], [7]])


def test_nothing_is_added_to_a_text(tiny_model):
    tokenizer = load_tokenizer(tiny_model)
    (ids,) = tokenise(tokenizer, ["<|im_start|>silver"])
    assert tokenizer.decode(ids) == "<|im_start|>silver"
    assert tokenise(tokenizer, []) == []
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=99)
    assert tokenise(tokenizer, ["silver window and garden", "Größe 😀\ud800"[:-1]]) == [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("silver window and garden", "Größe 😀")
    ]


def test_an_answer_ends_at_the_chats_end_or_the_tokenizers(tiny_model):
    tokenizer = load_tokenizer(tiny_model)
    end, start = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|im_start|>"])
    assert end_ids(tokenizer, "<|im_end|>") == [end]
    assert end_ids(tokenizer, "<|im_start|>") == sorted([start, end])
    assert end_ids(tokenizer, "") == [end]
