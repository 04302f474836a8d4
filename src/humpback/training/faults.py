"""What a training that cannot go on says: how much memory it would have needed, and which rows were at fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from humpback.config import TrainConfig
from humpback.prompts import TokenRow

if TYPE_CHECKING:
    import torch

GIB = 2**30
# Bytes of activations a token, layer and unit of width in 16 bits, without the attention matrix, which no kernel used
# here writes out (Korthikanti et al. 2022, arXiv 2205.05198, equation 2).
ACTIVATION_BYTES = 34
NAMED_ROWS = 8  # row ids in a message


def memory_estimate(model: torch.nn.Module, row: TokenRow, *, bf16: bool, sharing: int = 1) -> str:
    """GiB that training on `row` alone takes in each of `sharing` processes, in all and by part; a rule of thumb."""
    parameters = list(model.parameters())
    stored = sum(weight.numel() * weight.element_size() for weight in parameters)
    learnt = sum(weight.numel() * weight.element_size() for weight in parameters if weight.requires_grad)
    config = model.config.get_text_config()
    targets = sum(label >= 0 for label in row.labels)
    layers = len(row.input_ids) * config.num_hidden_layers * config.hidden_size * ACTIVATION_BYTES
    logits = targets * config.vocab_size * 3 * 4  # logits, probabilities, gradient
    parts = {
        "weights": stored / sharing,
        "gradients": learnt / sharing,
        "optimiser": 2 * learnt / sharing,
        "activations": layers * (1 if bf16 else 2) + logits,
    }
    each = ", ".join(f"{name} {size / GIB:.2g}" for name, size in parts.items())
    return f"about {sum(parts.values()) / GIB:.2g} GiB ({each})"


def out_of_memory(rows: Sequence[TokenRow], estimate: str, config: TrainConfig) -> str:
    """The message for a row that does not fit by itself."""
    longest = max(len(row.input_ids) for row in rows)
    ways = []
    if config.method == "full":
        ways.append("train.method: lora or qlora")
    elif config.method == "lora":
        ways.append("train.method: qlora")
    if config.packing:
        ways.append("train.packing: false")
    ways += [f"train.max_tokens below {longest}", "more train.processes on several GPUs", "or a smaller model"]
    return (
        f"out of memory in training, one row of {longest} tokens at a time; it takes {estimate}: set {', '.join(ways)}"
    )


def not_finite(step: int, loss: float, rows: Sequence[TokenRow]) -> str:
    """The message for a loss that is no number."""
    ids = [row.row_id for row in rows if row.row_id]
    rest = f" and {len(ids) - NAMED_ROWS} more" if len(ids) > NAMED_ROWS else ""
    where = f" in the micro-batches of rows {', '.join(ids[:NAMED_ROWS])}{rest}" if ids else ""
    return (
        f"the loss at step {step} is {loss}{where}; use a smaller train.learning_rate, or train.dtype: float32, and "
        "look at these rows if it comes back"
    )
