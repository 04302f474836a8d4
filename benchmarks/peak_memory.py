"""Peak memory of one kind of work beside the model's weights, in GiB; run by benchmarks/engines.py.

python benchmarks/peak_memory.py MODEL_FOLDER rating|generating|training ROWS DTYPE
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from humpback.config import EngineConfig, PromptsConfig, TrainConfig
from humpback.engines import ChoiceRequest, GenerationRequest, Sampling, chat_format
from humpback.engines.transformers import TransformersEngine
from humpback.models import load_tokenizer
from humpback.prompts import SCORES, Pair, PromptContract, tokenise_pair
from humpback.training import fine_tune, recipe_for

TEXT = "A whale breathes air at the surface and may stay below it for an hour, as sperm whales do. " * 17


def main() -> None:
    """Does the work on that many rows and prints the figure."""
    folder, kind, rows = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    dtype: Any = sys.argv[4]  # checked by the configuration
    if kind == "training":
        print(_training(folder, rows, dtype))
        return
    config = EngineConfig(dtype=dtype)
    prompts = PromptContract(chat_format(config, PromptsConfig(), folder), PromptsConfig())
    engine = TransformersEngine.of(folder, config, prompts.chat.end)
    before = _forgotten_peak()
    texts = [f"{number} {TEXT}" for number in range(rows)]
    if kind == "rating":
        engine.choice_logprobs([ChoiceRequest(text, prompts.rating("Why?", text)) for text in texts], SCORES)
    else:
        requests = [GenerationRequest(text, prompts.backward(text), 0) for text in texts]
        engine.generate(requests, Sampling(0.7, 0.9, 8))
    print(_peak() - before)


def _training(folder: Path, rows: int, dtype: Any) -> float:
    tokenizer = load_tokenizer(folder)
    pairs = [tokenise_pair(tokenizer, Pair(f"{number}?", TEXT), 512) for number in range(rows)]
    config = TrainConfig(dtype=dtype, steps=2, batch_size=8, dropout=0.0)
    recipe = recipe_for(rows, 10**8, config)
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 2**30
    _forgotten_peak()
    with tempfile.TemporaryDirectory() as output:
        fine_tune(
            folder,
            [row for row in pairs if row],
            Path(output),
            config,
            recipe,
            device="auto",
            seed=0,
            end="",
            save=False,
        )
    return _peak() - weights


def _peak() -> float:
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**30
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**20


def _forgotten_peak() -> float:
    """Starts the peak anew, from what is in use now, which is what it answers."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _peak()


if __name__ == "__main__":
    main()
