"""A fine-tuning of a few steps, as the tests of this folder do it."""

from __future__ import annotations

import torch
from transformers import AutoModelForCausalLM

from humpback.config import LoraConfig, PromptsConfig, TrainConfig
from humpback.models import load_model, load_tokenizer
from humpback.prompts import ChatFormat, PromptContract, TokenRow, tokenise_pair
from humpback.training import Recipe, fine_tune

TEXTS = (
    "silver",
    "the sand and the reef",
    "a garden",
    "nine",
    "yellow wagon in the valley",
    "oven",
    "1 2 3",
    "x y",
)
END = "<|im_end|>"
PLAIN = TrainConfig(dropout=0.0, dtype="float32", weight_decay=0.0)
LORA = PLAIN.model_copy(update={"method": "lora", "lora": LoraConfig(rank=4, alpha=8, dropout=0.0)})


def tiny_rows(model) -> list[TokenRow]:
    """Eight rows of different lengths with different numbers of learnt tokens."""
    tokenizer = load_tokenizer(model)
    contract = PromptContract(ChatFormat.of(tokenizer), PromptsConfig())
    pairs = [contract.forward_pair(f"Say {text}", f"{text} {text}", "t") for text in TEXTS]
    found = [tokenise_pair(tokenizer, pair, 512, f"row-{number}") for number, pair in enumerate(pairs)]
    return [row for row in found if row is not None]


def train(base, rows, output, config=PLAIN, *, steps=4, batch=4, micro=4, rate=1e-3, seed=5, **options):
    recipe = Recipe(steps, batch, micro, (rate, rate / 10))
    return fine_tune(base, rows, output, config, recipe, device="cpu", seed=seed, end=END, **options)


def changed(config, **fields):
    return config.model_copy(update=fields)


def weights(folder) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def assert_same(one, other, tolerance=1e-5):
    """The weights in two folders are equal up to `tolerance`; with 0, to the bit."""
    left, right = weights(one), weights(other)
    assert left.keys() == right.keys()
    worst = {name: (value - right[name]).abs().max().item() for name, value in left.items()}
    assert max(worst.values()) <= tolerance, worst


def cross_entropy(folder, rows) -> float:
    """Mean over the learnt tokens of all rows, from full logits of one row at a time."""
    model = load_model(folder, dtype=torch.float32, device="cpu").eval()
    total, count = 0.0, 0
    for row in rows:
        with torch.no_grad():
            logits = model(torch.tensor([row.input_ids])).logits[0]
        for position, label in enumerate(row.labels):
            if label != -100:
                total -= torch.log_softmax(logits[position - 1], -1)[label].item()
                count += 1
    return total / count


class Stop:
    """An `on_step` that stops a training behind step `at`, as Ctrl-C does."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, entry) -> None:
        if entry["step"] == self.at:
            raise KeyboardInterrupt
