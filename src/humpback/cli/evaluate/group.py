"""The group of commands under `humpback evaluate`; without the name of one, it measures a run."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

RUN = "run"


class DefaultsToRun(TyperGroup):
    """`humpback evaluate CONFIG` means `humpback evaluate run CONFIG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `run` before what names no command."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [RUN, *args]
        return super().parse_args(ctx, args)


evaluate_app = typer.Typer(
    cls=DefaultsToRun,
    help="Measure every model of a run on held-out pairs, or one thing by its name.",
    no_args_is_help=False,
)
