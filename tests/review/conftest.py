"""A run of a few candidates that was never trained, and files to compare."""

from __future__ import annotations

from review_run import Clock, clock, make_run, outputs, run, screening

__all__ = ["Clock", "clock", "make_run", "outputs", "run", "screening"]
