"""Opening the engine that the configuration names, on a given model."""

from __future__ import annotations

from pathlib import Path

from humpback.config import EngineConfig, PromptsConfig
from humpback.engines.base import Engine
from humpback.prompts import ChatFormat


def open_engine(config: EngineConfig, model: Path, end: str) -> Engine:
    """The configured engine on the model in folder `model`; answers end at the token whose text is `end`."""
    if config.kind == "scripted":
        from humpback.engines.scripted import ScriptedEngine

        return ScriptedEngine.of(model)
    if config.kind == "vllm":
        from humpback.engines.vllm import VllmEngine

        return VllmEngine.of(model, config, end)
    if config.kind == "http":
        from humpback.engines.http import HttpEngine

        return HttpEngine.of(model, config, end)
    from humpback.engines.transformers import TransformersEngine

    return TransformersEngine.of(model, config, end)


def chat_format(config: EngineConfig, prompts: PromptsConfig, model: Path | None) -> ChatFormat:
    """The chat format of the base model in folder `model`; the scripted engine has a plain one and needs none."""
    if config.kind == "scripted" or model is None:
        return ChatFormat.plain()
    from humpback.models import load_tokenizer

    return ChatFormat.of(load_tokenizer(model), prompts.chat_template)
