"""What a run asks of whatever keeps a copy of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WantedStep:
    """A step, the fingerprint that its output must have, and the steps that it was made from."""

    name: str
    fingerprint: str
    needs: Sequence[str]


class Copying:
    """Keeps no copy: what a run without `store` does."""

    @property
    def url(self) -> str | None:
        """Where the copy is."""
        return None

    def fetch(self, wanted: Sequence[WantedStep]) -> None:
        """Brings here what the store has of the steps, in the order in which they are made."""

    def begins(self, step: str) -> None:
        """Says which step is worked on from now on.

        Raises:
            WorkspaceError: another machine has taken over the store.
        """

    def flush(self) -> None:
        """Copies at once what the store lacks.

        Raises:
            WorkspaceError: it cannot be.
        """

    def take(self, written: Mapping[str, str]) -> None:
        """Brings here what others have put into the store for the step that is worked on: checksums by name.

        Raises:
            WorkspaceError: it is not there, or not that.
        """

    def require_latest(self) -> None:
        """Passes where the steps in the store are here, too.

        Raises:
            WorkspaceError: some are not.
        """

    def publish(self) -> None:
        """Makes the steps in the store those that are here; what is not here is removed there."""
