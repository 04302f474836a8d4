"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# Refusals that pass: timeout, conflict, too early, too many requests. All of 500 to 599 may pass too.
TRANSIENT = frozenset({408, 409, 425, 429})
FIRST_PAUSE_S = 0.5  # ours: a batch of a busy server takes about that long
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request got no answer, or one of no use (`is_answer`); `pause_s` is what the server asks to wait."""

    reason: str
    detail: str = ""
    pause_s: float = 0.0
    is_answer: bool = False

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def is_transient(status: int) -> bool:
    """Whether a response of this status may be another one later."""
    return status in TRANSIENT or status >= 500


def pause(attempt: int, asked_s: float) -> float:
    """Seconds before attempt number `attempt` + 1: a random share of a limit that doubles, after what was asked for.

    Source: "full jitter" of Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture Blog.
    """
    limit = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 16))
    return asked_s + random.random() * limit  # noqa: S311 - spreads requests in time, hides nothing


def retry_after_s(header: str | None) -> float:
    """Seconds that a `Retry-After` header asks for, given as a number or as a date; 0 where it asks for none."""
    if header is None:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0
