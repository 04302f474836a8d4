"""Instruction backtranslation: documents and a few seed pairs in, a curated dataset and a tuned model out.

The Python interface does what the command line does:

    config = humpback.load_config("humpback.yaml", ["rounds=1"])
    result = humpback.run(config)

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from humpback.version import __version__

if TYPE_CHECKING:
    from humpback.config import Config, config_template, load_config, parse_config
    from humpback.engines import Engine, open_engine
    from humpback.errors import HumpbackError
    from humpback.pipeline import explain, make_plan, run_state
    from humpback.pipeline import preflight as check
    from humpback.pipeline import run_pipeline as run
    from humpback.prompts import ChatFormat, PromptContract

__all__ = [
    "ChatFormat",
    "Config",
    "Engine",
    "HumpbackError",
    "PromptContract",
    "__version__",
    "check",
    "config_template",
    "explain",
    "load_config",
    "make_plan",
    "open_engine",
    "parse_config",
    "run",
    "run_state",
]

_PLACES = {
    "ChatFormat": ("humpback.prompts", "ChatFormat"),
    "Config": ("humpback.config", "Config"),
    "Engine": ("humpback.engines", "Engine"),
    "HumpbackError": ("humpback.errors", "HumpbackError"),
    "PromptContract": ("humpback.prompts", "PromptContract"),
    "check": ("humpback.pipeline", "preflight"),
    "config_template": ("humpback.config", "config_template"),
    "explain": ("humpback.pipeline", "explain"),
    "load_config": ("humpback.config", "load_config"),
    "make_plan": ("humpback.pipeline", "make_plan"),
    "open_engine": ("humpback.engines", "open_engine"),
    "parse_config": ("humpback.config", "parse_config"),
    "run": ("humpback.pipeline", "run_pipeline"),
    "run_state": ("humpback.pipeline", "run_state"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'humpback' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)
