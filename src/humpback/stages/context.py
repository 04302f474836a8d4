"""What a stage is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humpback.config import Config, EngineConfig
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

    @contextmanager
    def engine(self, model: Path, config: EngineConfig | None = None) -> Iterator[Engine]:
        """The run's engine, or that of `config`, on the model in folder `model`; closed at the end of the block."""
        with closing(open_engine(config or self.config.engine, model, self.prompts.chat.end)) as engine:
            yield engine

    @property
    def model(self) -> Path:
        """Folder of the model that the step asks: the one that it needs, or else the base model."""
        return next((path for name, path in self.inputs.items() if name.startswith("models/")), self.base_model)

    @property
    def is_scripted(self) -> bool:
        """Whether no real model takes part."""
        return self.config.engine.kind == "scripted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage says when it is done: figures of its own for the manifest and the report."""

    facts: dict[str, Any] = field(default_factory=dict)
