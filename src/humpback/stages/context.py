"""What a stage is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.engines import Engine, open_engine
from humpback.progress import Progress
from humpback.prompts import PromptContract
from humpback.workspace import StepFolder


@dataclass(frozen=True, slots=True)
class StageContext:
    """Everything a stage may use: settings, its inputs' folders by step name, its own folder, prompts and models."""

    config: Config
    output: StepFolder
    inputs: Mapping[str, Path]
    prompts: PromptContract
    base_model: Path
    progress: Progress
    log_metrics: Callable[..., None]

    def engine(self, model: Path) -> Engine:
        """The configured engine on the model in folder `model`."""
        return open_engine(self.config.engine, model, self.prompts.chat.end)

    @property
    def is_scripted(self) -> bool:
        """Whether no real model takes part."""
        return self.config.engine.kind == "scripted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage says when it is done: figures of its own for the manifest and the report."""

    facts: dict[str, Any] = field(default_factory=dict)
