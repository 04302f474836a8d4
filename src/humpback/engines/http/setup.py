"""What `engine.http` says about one model: its name at the server, the key, and the command that serves it."""

from __future__ import annotations

import ipaddress
import os
import shlex
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from humpback.config import HttpConfig
from humpback.errors import EngineError


def served_name(config: HttpConfig, folder: Path) -> str:
    """The name under which the server knows the model in `folder`."""
    return _filled(config.model, folder)


def start_command(config: HttpConfig, folder: Path) -> list[str]:
    """`engine.http.start` as arguments, for the model in `folder`.

    Raises:
        EngineError: it is empty, its quotes are not closed, or its program is not there.
    """
    try:
        arguments = shlex.split(config.start or "")
    except ValueError as error:
        raise EngineError(f"engine.http.start: {config.start}: {error}; quote it as in a shell") from None
    if not arguments:
        raise EngineError("engine.http.start: names no program; give a command, or null where you serve the models")
    if shutil.which(arguments[0]) is None:
        raise EngineError(f"engine.http.start: {arguments[0]}: no such program; install it, or give its whole path")
    return [_filled(argument, folder) for argument in arguments]


def command_to_serve(config: HttpConfig, folder: Path) -> str:
    """A command for the user to copy."""
    port = urlsplit(config.url).port or 80
    return f"vllm serve {shlex.quote(str(folder.absolute()))} --served-model-name {served_name(config, folder)} " + (
        f"--port {port}"
    )


def api_key(config: HttpConfig) -> str | None:
    """The API key, from the environment.

    Raises:
        EngineError: the variable is not set, or holds what no key can be.
    """
    if config.api_key_env is None:
        return None
    key = os.environ.get(config.api_key_env, "").strip()
    if not key:
        raise EngineError(f"engine.http.api_key_env: {config.api_key_env}: no such environment variable; set it")
    if not key.isascii() or not key.isprintable():
        raise EngineError(f"engine.http.api_key_env: {config.api_key_env}: holds no key but other characters")
    return key


def check_settings(config: HttpConfig) -> None:
    """Finds what is wrong before anything runs.

    Raises:
        EngineError: the key is missing, or the command cannot be run.
    """
    api_key(config)
    if config.start is not None:
        start_command(config, Path("m0"))


def is_this_machine(config: HttpConfig) -> bool:
    """Whether the server is on this machine."""
    host = urlsplit(config.url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _filled(text: str, folder: Path) -> str:
    # Not `format`: a command may hold braces of its own, as JSON has them.
    return text.replace("{name}", folder.absolute().name).replace("{folder}", str(folder.absolute()))
