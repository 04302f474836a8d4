"""From segments to candidates: sampling instructions, and choosing the one that fits each text best."""

from __future__ import annotations
