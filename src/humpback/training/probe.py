"""How fast training is here, from two steps of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from humpback.config import TrainConfig
from humpback.prompts import TokenRow
from humpback.training.fine_tuning import fine_tune
from humpback.training.recipe import Recipe


def seconds_per_token(base: Path, rows: Sequence[TokenRow], config: TrainConfig, *, device: str) -> float:
    """Seconds a token of a training row takes, from the last of three small steps; nothing of it is kept.

    Of several machines one is measured, this one: that they are so many times as fast together is the most they can be.
    """
    machines = config.machines
    config = config.model_copy(update={"machines": 1, "processes": config.processes // machines})
    micro = min(config.micro_batch_size, len(rows))
    longest = sorted(rows, key=lambda row: -len(row.input_ids))[: len(rows) // 2 or 1]
    sample = longest[:: max(1, len(longest) // (3 * micro))][: 3 * micro]
    marks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(steps=3, batch_size=micro, micro_batch_size=micro, rates=(1e-9, 1e-9))
        fine_tune(
            base,
            sample,
            Path(folder),
            config,
            recipe,
            device=device,
            seed=0,
            end="",
            on_step=lambda entry: marks.append(entry["seconds"]),
            save=False,
        )
    tokens = micro * sum(len(row.input_ids) for row in sample) / len(sample)
    return (marks[-1] - marks[-2]) / tokens / machines
