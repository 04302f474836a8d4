"""Where this machine keeps what can be had again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$HUMPBACK_CACHE`, else `humpback` in the user's cache."""
    if given := os.environ.get("HUMPBACK_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "humpback"
