"""A tiny model and an adapter of shapes that vLLM has kernels for, and engines that are started seldom."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path

import pytest

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB

WORDS = ["anchor", "basket", "candle", "silver", "yellow", "window", "Score:", "1", "2", "3", "4", "5", "and", "the"]


@pytest.fixture(scope="session")
def prompts() -> list[str]:
    generator = random.Random(0)
    return [" ".join(generator.choices(WORDS, k=generator.randint(3, 40))) for _ in range(13)]


@pytest.fixture(scope="session")
def small_llama(tiny_model, tmp_path_factory) -> Path:
    """Folder of a Llama with random weights, heads of 64 and a context of 512 tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from humpback.models import load_tokenizer

    folder = tmp_path_factory.mktemp("models") / "small-llama"
    tokenizer = load_tokenizer(tiny_model)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_adapter(small_llama, tmp_path_factory) -> Path:
    """Folder of a random adapter of rank 6 to that Llama, far enough from nothing that it changes every answer."""
    import torch
    from peft import LoraConfig, get_peft_model

    from humpback.models import load_model, load_tokenizer

    folder = tmp_path_factory.mktemp("models") / "small-adapter"
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = load_model(small_llama, dtype=torch.float32, device="cpu")
        adapted = get_peft_model(model, LoraConfig(r=6, lora_alpha=12, target_modules="all-linear"))
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
    adapted.save_pretrained(folder)
    load_tokenizer(small_llama).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def open_as():
    """Opens an engine of a kind on a folder, to be used in a `with`."""
    from humpback.config import EngineConfig
    from humpback.engines import open_engine

    def opened(kind: str, folder: Path, dtype: str = "float32", **settings: object):
        config = EngineConfig(kind=kind, dtype=dtype, vllm=settings)
        return closing(open_engine(config, folder, "<|im_end|>"))

    return opened
