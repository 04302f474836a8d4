"""The language model head by itself, so that only the positions that matter go through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def head_logits(model: PreTrainedModel, hidden: torch.Tensor) -> torch.Tensor:
    """Logits of hidden states: (positions, width) to (positions, vocabulary), in the arithmetic of `hidden`.

    Applies what some architectures do to their logits: Granite divides them, Cohere multiplies, Gemma 2 caps.
    """
    import torch

    head = model.get_output_embeddings()
    if head.weight.dtype == hidden.dtype:
        logits = head(hidden)  # called as a module, where weights are shared out among processes: it gathers them
    else:
        bias = None if head.bias is None else head.bias.to(hidden.dtype)
        logits = torch.nn.functional.linear(hidden, head.weight.to(hidden.dtype), bias)
    config = model.config.get_text_config()
    if divisor := getattr(config, "logits_scaling", None):
        logits = logits / divisor
    if factor := getattr(config, "logit_scale", None):
        logits = logits * factor
    if cap := getattr(config, "final_logit_softcapping", None):
        logits = torch.tanh(logits / cap) * cap
    return logits
