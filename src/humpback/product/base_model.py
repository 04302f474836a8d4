"""What is known of the base model that a run started from: its name on the hub, its licence, its languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.models import BUILTIN
from humpback.product.markdown import read_front_matter
from humpback.product.rows import CARD_FILE

BUILTIN_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"  # which the built-in model's package holds in four bits
BUILTIN_LICENCE = "apache-2.0"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model as a card names it.

    `hub_name` is None for a model that is no name on the hub. `licence` is what its own card states, in the hub's
    words, with `licence_name` and `licence_link` where these are not among the hub's identifiers; None where there is
    no card.
    """

    name: str
    hub_name: str | None
    licence: str | None
    licence_name: str | None = None
    licence_link: str | None = None
    language: tuple[str, ...] = ()


def base_model(configured: str) -> BaseModel:
    """The model that a configuration calls `configured`; its card is looked for on this machine only."""
    name = base_name(configured)
    if configured == BUILTIN:
        return BaseModel(name, BUILTIN_NAME, BUILTIN_LICENCE, language=("en",))
    folder = Path(configured)
    is_folder = folder.is_dir()
    card = _read(folder / CARD_FILE) if is_folder else _cached_card(configured)
    stated = read_front_matter(card)
    licence = stated.get("license")
    return BaseModel(
        name=name,
        hub_name=configured if not is_folder and _HUB_NAME.fullmatch(configured) else None,
        licence=licence if isinstance(licence, str) else None,
        licence_name=_text(stated, "license_name"),
        licence_link=_text(stated, "license_link"),
        language=_languages(stated.get("language")),
    )


def base_name(configured: str) -> str:
    """How a card names the base model: as the hub does, else by its folder's own name."""
    if configured == BUILTIN:
        return BUILTIN_NAME
    is_place = Path(configured).is_dir() or not _HUB_NAME.fullmatch(configured)
    return Path(configured).name if is_place else configured


def _languages(stated: object) -> tuple[str, ...]:
    found = stated if isinstance(stated, list) else [stated]
    return tuple(language for language in found if isinstance(language, str))


def _text(stated: dict[str, Any], key: str) -> str | None:
    value = stated.get(key)
    return value if isinstance(value, str) else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cached_card(name: str) -> str:
    """The model's card in the hub's cache, if it was ever fetched; nothing is downloaded."""
    from huggingface_hub import try_to_load_from_cache

    if not _HUB_NAME.fullmatch(name):
        return ""
    found = try_to_load_from_cache(name, CARD_FILE)
    return _read(Path(found)) if isinstance(found, str) else ""
