"""Seeds that depend on the run's seed and on what they are for, never on the order of work."""

from __future__ import annotations

import hashlib


def derived_seed(*parts: object) -> int:
    """A 63-bit seed from `parts`, e.g. `derived_seed(run_seed, "augment", row_id)`; equal parts, equal seed."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
