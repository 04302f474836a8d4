"""A model to be asked outside a run: by name or folder, or the last one of a run, with that run's prompts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from humpback.config import Config, load_config, parse_config
from humpback.engines import Engine, chat_format, open_engine
from humpback.errors import InputError
from humpback.models import model_digest, model_folder
from humpback.prompts import PromptContract
from humpback.workspace import RunFolder
from humpback.workspace.folder import CONFIG_FILE, VERSION_FILE


@dataclass(frozen=True, slots=True)
class Model:
    """A model and how to ask it. `name` is for people, `folder` its weights."""

    name: str
    folder: Path
    config: Config
    prompts: PromptContract

    @property
    def identity(self) -> list[str]:
        """What tells this model from another one, its weights included where they are read here."""
        engine = self.config.engine
        if engine.kind == "scripted":
            from humpback.engines.scripted import ScriptedEngine

            return [engine.kind, ScriptedEngine.of(self.folder).identity]
        if engine.kind == "http":
            return [engine.kind, engine.http.url, engine.http.model, str(self.folder)]
        return [engine.kind, model_digest(str(self.folder))]

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The configured engine on the model; closed at the end of the block."""
        with closing(open_engine(self.config.engine, self.folder, self.prompts.chat.end)) as engine:
            yield engine


def find_model(name: str, overrides: Sequence[str] = (), label: str | None = None) -> Model:
    """The model called `name`: `builtin`, a model's folder, a hub name, a run (its last model) or a model in a run.

    A run's model is asked with its run's prompts and engine; `overrides` change fields of the configuration.

    Raises:
        HumpbackError: there is no such model, or an override is wrong.
    """
    run = _run_of(Path(name))
    if run is None:
        given = json.dumps({"model": name, "seed": "-", "corpus": "-"})
        config = parse_config(given, overrides, name="options")
        folder = Path() if config.engine.kind == "scripted" else model_folder(name)
    else:
        run.check_version()
        config = load_config(run.path / CONFIG_FILE, overrides)
        folder = run.path / "models" / f"m{config.rounds}" if run.path == Path(name) else Path(name)
        if run.step(str(folder.relative_to(run.path))).manifest() is None:
            raise InputError(f"{folder}: is not finished; `humpback run` makes it")
    scripted = config.engine.kind == "scripted"
    prompts = PromptContract(chat_format(config.engine, config.prompts, None if scripted else folder), config.prompts)
    if label is None:
        label = f"{config.name}-{folder.name}" if run is not None else _served(config) or Path(name).name
    return Model(label, folder, config, prompts)


def _served(config: Config) -> str | None:
    """The name of the one model that a server is asked for; None where no server is, or it has several."""
    model = config.engine.http.model
    return model if config.engine.kind == "http" and "{" not in model else None


def _run_of(path: Path) -> RunFolder | None:
    """The run that `path` is the folder of, or that of a model in it."""
    if (path / VERSION_FILE).is_file():
        return RunFolder(path)
    if path.parent.name == "models" and (path.parent.parent / VERSION_FILE).is_file():
        return RunFolder(path.parent.parent)
    return None
