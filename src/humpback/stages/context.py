"""What a stage is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humpback.config import Config, EngineConfig
from humpback.engines import Engine, chat_format, open_engine
from humpback.models import model_folder
from humpback.progress import Progress
from humpback.prompts import PromptContract
from humpback.workspace import Executor, StepFolder, ThisProcess


@dataclass(frozen=True, slots=True)
class OpenedEngine:
    """The run's engine, open, and the prompts for it."""

    engine: Engine
    prompts: PromptContract


@dataclass(frozen=True, slots=True)
class EngineSource:
    """What it takes to open the run's engine wherever the run's folder is seen; `model` None is the base model."""

    config: Config
    model: Path | None

    @contextmanager
    def open(self) -> Iterator[OpenedEngine]:
        """The engine, closed at the end of the block."""
        config = self.config
        base_model = base_folder(config)
        prompts = PromptContract(chat_format(config.engine, config.prompts, base_model), config.prompts)
        with closing(open_engine(config.engine, self.model or base_model, prompts.chat.end)) as engine:
            yield OpenedEngine(engine, prompts)


def base_folder(config: Config) -> Path:
    """The folder of the base model on this machine; the scripted engine has none."""
    return Path() if config.engine.kind == "scripted" else model_folder(config.model)


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
    executor: Executor = field(default_factory=ThisProcess)

    @contextmanager
    def engine(self, model: Path, config: EngineConfig | None = None) -> Iterator[Engine]:
        """The run's engine, or that of `config`, on the model in folder `model`; closed at the end of the block."""
        with closing(open_engine(config or self.config.engine, model, self.prompts.chat.end)) as engine:
            yield engine

    @property
    def model(self) -> Path:
        """Folder of the model that the step asks: the one that it needs, or else the base model."""
        return self._needed_model or self.base_model

    @property
    def asked(self) -> EngineSource:
        """The run's engine on that model, to be opened where the work is done."""
        return EngineSource(self.config, self._needed_model)

    @property
    def _needed_model(self) -> Path | None:
        return next((path for name, path in self.inputs.items() if name.startswith("models/")), None)

    @property
    def is_scripted(self) -> bool:
        """Whether no real model takes part."""
        return self.config.engine.kind == "scripted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage says when it is done: figures of its own for the manifest and the report."""

    facts: dict[str, Any] = field(default_factory=dict)
