"""Pushing a run's dataset or one of its models to a hub, if the licences of what is in it allow that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.errors import InputError
from humpback.models import inspect_model
from humpback.models.adapter import ADAPTER_CONFIG, is_adapter
from humpback.product.base_model import base_model
from humpback.product.contents import is_local
from humpback.product.formats import finished_dataset
from humpback.product.hub import Kind, upload
from humpback.product.licences import licence_of
from humpback.product.model_card import BACKWARD, model_card
from humpback.product.rows import CARD_FILE, JSONL_FILE, PARQUET_FILE, dataset_columns
from humpback.prompts import BACKWARD_SYSTEM
from humpback.report.outcome import evaluation_sets
from humpback.report.text import short
from humpback.workspace import RunFolder
from humpback.workspace.sums import MANIFEST_FILE, STARTED_FILE

ALLOW = "--allow-licence"
SHOWN_ROWS, SHOWN_LICENCES = 3, 8

_MODEL_SUFFIXES = {".safetensors", ".json", ".jinja", ".model", ".txt"}


class LicenceError(InputError):
    """What is to be pushed may not be passed on, or nobody said that it may."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Where it went, what went there, and what its owner should know of it."""

    address: str
    is_private: bool
    files: list[str]
    bytes: int
    local_paths: int


def push_run(
    run: str | Path,
    repo: str,
    *,
    kind: Kind = "dataset",
    model: str | None = None,
    public: bool = False,
    allow_licence: bool = False,
    endpoint: str | None = None,
) -> Pushed:
    """Uploads the dataset of a finished run, or its `model` (by default the last one), to the repository `repo`.

    `Pushed.local_paths` counts the dataset's rows whose source is a path of this machine.

    Raises:
        LicenceError: a licence forbids it or is not known, and `allow_licence` is not given.
        InputError: a name is wrong, or no token is given.
        HubError: the hub refuses, or does not answer.
        HumpbackError: the dataset is not finished, or the model's folder is not complete.
    """
    folder = RunFolder(run)
    config = folder.config()
    local = 0
    if kind == "dataset":
        if model is not None:
            raise InputError("--model: names a model; give --kind model with it")
        files, local = _dataset_files(folder, check=not allow_licence)
    else:
        files = _model_files(folder, config, model or f"m{config.rounds}", check=not allow_licence)
    what = "dataset" if kind == "dataset" else model or f"m{config.rounds}"
    done = upload(repo, kind, files, public=public, message=f"{config.name}: {what}", endpoint=endpoint)
    size = sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in files.values())
    return Pushed(done.address, done.is_private, sorted(files), size, local)


def _dataset_files(folder: RunFolder, *, check: bool) -> tuple[dict[str, Path | bytes], int]:
    dataset = finished_dataset(folder)
    refused: dict[str | None, list[str]] = {}
    local = 0
    for row in dataset_columns(dataset, "id", "source"):
        stated = row["source"]["licence"] or None
        local += is_local(row["source"]["uri"])
        if licence_of(stated).refused:
            refused.setdefault(stated, []).append(row["id"])
    if check and refused:
        raise LicenceError(_refusal(folder, refused))
    return {name: dataset / name for name in (CARD_FILE, PARQUET_FILE, JSONL_FILE)}, local


def _refusal(folder: RunFolder, refused: Mapping[str | None, list[str]]) -> str:
    ordered = sorted(refused.items(), key=lambda item: (-len(item[1]), item[0] or ""))
    count = sum(len(rows) for rows in refused.values())
    lines = [f"  {len(rows):,} rows, {_why(stated)} ({_some(rows)})" for stated, rows in ordered[:SHOWN_LICENCES]]
    if rest := ordered[SHOWN_LICENCES:]:
        lines.append(f"  and {sum(len(rows) for _, rows in rest):,} rows with {len(rest):,} other licences")
    return "\n".join(
        [
            f"{folder.path}: nothing was uploaded, since {count:,} rows of its dataset may not be passed on:",
            *lines,
            f"  Take them out (`humpback takedown` removes a site), or push with {ALLOW} if you know that you may.",
        ]
    )


def _why(licence: str | None) -> str:
    """The licence and why it does not do, in a few words."""
    if licence is None:
        return "no licence stated"
    return f"licence “{short(licence, 80)}”: {licence_of(licence).refused}"


def _some(rows: list[str]) -> str:
    return ", ".join([*rows[:SHOWN_ROWS], *(["…"] if len(rows) > SHOWN_ROWS else [])])


def _model_files(folder: RunFolder, config: Config, name: str, *, check: bool) -> dict[str, Path | bytes]:
    models = folder.step("models").path
    there = sorted(path.name for path in models.iterdir() if path.is_dir()) if models.is_dir() else []
    if name not in there:
        raise InputError(f"--model: {name}: the run has no such model; it has {', '.join(there) or 'none yet'}")
    path = models / name
    inspect_model(path)
    base = base_model(config.model)
    refused = licence_of(base.licence).refused
    if check and refused:
        raise LicenceError(
            f"{path}: nothing was uploaded: weights tuned from {base.name} may not be passed on without more ado: "
            f"{_why(base.licence)}. Read its terms, and push with {ALLOW} if you may"
        )
    files: dict[str, Path | bytes] = {
        file.name: file
        for file in sorted(path.iterdir())
        if file.is_file() and file.suffix in _MODEL_SUFFIXES and file.name not in (MANIFEST_FILE, STARTED_FILE)
    }
    if is_adapter(path):
        files[ADAPTER_CONFIG] = _adapter_config(path, base.hub_name if config.model == base.hub_name else None)
    return files | _card(folder, config, name)


def _adapter_config(path: Path, hub_name: str | None) -> bytes:
    """The adapter's configuration with its base model's name on the hub instead of a folder of this machine."""
    if hub_name is None:
        raise InputError(
            f"{path}: is an adapter to a model that is not on the hub as it is, so nobody else could load it; train "
            "with `train.lora.merge: true` and push the whole model"
        )
    values: dict[str, Any] = json.loads((path / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    return json.dumps(values | {"base_model_name_or_path": hub_name}, indent=2).encode()


def _card(folder: RunFolder, config: Config, name: str) -> dict[str, Path | bytes]:
    """The card, with the losses that the evaluation has measured since; of a model from elsewhere its own."""
    manifest = folder.step(f"models/{name}").manifest()
    if manifest is None:
        own = folder.step(f"models/{name}").path / CARD_FILE
        return {CARD_FILE: own} if own.exists() else {}
    system = BACKWARD_SYSTEM if name == BACKWARD else f"{config.prompts.seed_tag} {config.prompts.web_tag}"
    measured = folder.step("evaluation").path / "evaluation.json"
    sets = evaluation_sets(json.loads(measured.read_text(encoding="utf-8"))) if measured.exists() else []
    return {CARD_FILE: model_card(config, name, manifest.facts, system, evaluation=sets).encode()}
