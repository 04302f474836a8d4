"""Errors that a user can mend: each says what is wrong, where, and what to do, in one message.

Every kind is also the standard library's kind, so that callers who do not know Humpback can still catch it.
"""

from __future__ import annotations

from collections.abc import Sequence


class HumpbackError(Exception):
    """An error whose message is meant for the user; the command line prints it without a traceback."""


class ConfigError(HumpbackError, ValueError):
    """The configuration is wrong. `problems` holds every problem found, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class InputError(HumpbackError, ValueError):
    """A file that the user named is missing, empty, broken, or of no known form."""


class WorkspaceError(HumpbackError, RuntimeError):
    """The run's folder cannot be used: locked, of another version, not writable, or full."""


class ModelError(HumpbackError, RuntimeError):
    """A model folder lacks something, or a model cannot do what a stage needs."""


class EngineError(HumpbackError, RuntimeError):
    """An engine cannot do what a stage needs, or whatever runs the model does not answer."""


class NothingLeftError(HumpbackError, RuntimeError):
    """A stage kept no row, so nothing after it could run."""


class MissingDependencyError(HumpbackError, ImportError):
    """A feature needs a package that is not installed; the message holds the install command."""
