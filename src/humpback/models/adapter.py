"""Folders that hold a low-rank adapter instead of a whole model, and the base model that each belongs to."""

from __future__ import annotations

import json
from pathlib import Path

from humpback.errors import ModelError

ADAPTER_CONFIG = "adapter_config.json"
BASE_FILE = "base_model.json"  # the fingerprint of the base model, which PEFT's own file has no place for
_BASE_FIELD = "base_model_name_or_path"


def is_adapter(folder: Path) -> bool:
    """Whether `folder` holds an adapter."""
    return (folder / ADAPTER_CONFIG).exists()


def adapter_base(folder: Path) -> Path:
    """Folder of the base model of the adapter in `folder`; a relative path in its file starts from `folder`.

    Raises:
        ModelError: no folder is there, or none is named, or adapters name one another in a circle.
    """
    base = step = _named(folder)
    seen = {folder.resolve()}
    while is_adapter(step):
        if step.resolve() in seen:
            raise ModelError(f"model: {folder}: is an adapter to itself; name its base model in {ADAPTER_CONFIG}")
        seen.add(step.resolve())
        step = _named(step)
    return base


def _named(folder: Path) -> Path:
    try:
        named: str = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))[_BASE_FIELD]
        base = folder / named
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"model: {folder / ADAPTER_CONFIG}: names no {_BASE_FIELD}; copy it again") from error
    if not (base / "config.json").exists() and not is_adapter(base):
        raise ModelError(
            f"model: {folder}: is an adapter to the model at {named}, which is not there; write where it is into "
            f"{_BASE_FIELD} of {ADAPTER_CONFIG}"
        )
    return base


def recorded_digest(folder: Path) -> str | None:
    """The fingerprint that the base model had in training; None for an adapter that was not trained by Humpback."""
    file = folder / BASE_FILE
    return str(json.loads(file.read_text(encoding="utf-8"))["digest"]) if file.exists() else None
