"""`humpback export` and `humpback push`: the dataset for other tools, the dataset and models for a hub."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path, typer.Argument(help="A finished run's folder, e.g. runs/humpback.", metavar="RUN")]


class Format(StrEnum):
    """The tools' names, as `humpback.product.formats` has them."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    MESSAGES = "messages"
    TRL = "trl"
    AXOLOTL = "axolotl"
    LLAMA_FACTORY = "llama-factory"


class Kind(StrEnum):
    """What is pushed."""

    DATASET = "dataset"
    MODEL = "model"


def export(
    run: Run,
    kind: Annotated[Format, typer.Option("--format", help="What the rows are for.")],
    out: Annotated[
        Path, typer.Option(help="Write them to this file; for axolotl and llama-factory, into this folder.")
    ],
    tags: Annotated[
        bool, typer.Option("--tags", help="Begin every row with the system prompt S_w that marked it in training.")
    ] = False,
) -> None:
    """Write the dataset in the format of a training tool."""
    from humpback.product.formats import export_format

    done = export_format(run, kind.value, out, tags=tags)
    typer.echo(f"{done.file}: {done.rows:,} rows")
    if done.entry is not None:
        typer.echo(f"{done.entry}: the entry that names them to {kind.value}")


def push(
    run: Run,
    repo: Annotated[str, typer.Option(help="Where to: owner/name on the hub.")],
    kind: Annotated[Kind, typer.Option(help="Push the dataset, or a model.")] = Kind.DATASET,
    model: Annotated[str | None, typer.Option(help="With --kind model: which one; by default the last.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it; private by default.")] = False,
    allow_licence: Annotated[
        bool, typer.Option("--allow-licence", help="Push what states no licence, or one that forbids it.")
    ] = False,
) -> None:
    """Upload the dataset or a model to a Hugging Face hub, with the token in HF_TOKEN."""
    from humpback.product.push import push_run

    done = push_run(
        run, repo, kind="model" if kind is Kind.MODEL else "dataset", model=model, public=public,
        allow_licence=allow_licence,
    )  # fmt: skip
    seen = "private" if done.is_private else "PUBLIC"
    typer.echo(f"{done.address} ({seen}): {', '.join(done.files)}; {done.bytes / 1e6:,.1f} MB")
    if done.local_paths:
        typer.echo(f"{done.local_paths:,} rows name their source by a path of this machine.")
