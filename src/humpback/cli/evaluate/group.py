"""The group of commands under `humpback evaluate`; without the name of one, it measures a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

RUN = "run"

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="Change one field, e.g. engine.dtype=float32."),
]
EngineKind = Annotated[str | None, typer.Option("--engine", help="transformers, vllm, http or scripted.")]


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


def overridden(overrides: list[str] | None, engine: str | None) -> list[str]:
    """The changes of the configuration that a command line asks for."""
    return [*(overrides or []), *([f"engine.kind={engine}"] if engine else [])]
