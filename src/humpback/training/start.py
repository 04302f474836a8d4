"""The model that a training starts from: in float32 or in 4 bits, with dropout, on its device."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.config import TrainConfig
from humpback.models import load_model

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)


def starting_model(base: Path, config: TrainConfig, *, device: str, dtype: torch.dtype) -> PreTrainedModel:
    """The model in folder `base`, ready to be trained in the arithmetic of `dtype`."""
    import torch

    quantisation = None
    if config.method == "qlora":
        from transformers import BitsAndBytesConfig

        quantisation = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    model = load_model(
        base,
        dtype=torch.float32,
        device=device,
        attention=_attention(config, device, dtype),
        quantisation=quantisation,
    )
    _set_dropout(model, config.dropout)
    return model


def _attention(config: TrainConfig, device: str, dtype: torch.dtype) -> str | None:
    """Flash attention for packed rows where it is installed: it never looks at what lies between two rows."""
    import torch
    from transformers.utils import is_flash_attn_2_available

    packs = config.packing and device == "cuda" and dtype == torch.bfloat16
    return "flash_attention_2" if packs and is_flash_attn_2_available() else None


def _set_dropout(model: PreTrainedModel, dropout: float) -> None:
    """Sets every dropout probability that the architecture has; Llama and its kin have only attention's."""
    names = ("attention_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "hidden_dropout", "dropout")
    found = [name for name in names if isinstance(getattr(model.config, name, None), float | int)]
    for name in found:
        setattr(model.config, name, dropout)
    for module in model.modules():
        for name in ("attention_dropout", "dropout", "p"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, dropout)
    if dropout and not found:
        log.warning("this architecture has no dropout; train.dropout is ignored")
