"""One run that was started with care and with keys in its environment, for all that looks at what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SECRET = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"  # of nobody
VARIABLES = ("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "SOMETHING")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "release: makes an environment anew from a package registry; some minutes")


@dataclass(frozen=True)
class CarefulRun:
    """A finished run's folder, that for temporary files, and what was printed."""

    folder: Path
    temporary: Path
    printed: str


@pytest.fixture(scope="session")
def careful_run(write_inputs_to: Callable, tmp_path_factory: pytest.TempPathFactory) -> CarefulRun:
    """A run of a user whose umask is 077, with a secret in several variables."""
    place = tmp_path_factory.mktemp("careful")
    inputs = write_inputs_to(place / "inputs")
    temporary = place / "temporary"
    temporary.mkdir()
    settings = os.environ | {"TMPDIR": str(temporary)} | {name: f"{SECRET}-{name}" for name in VARIABLES}
    command = 'umask 077 && exec "$0" -m humpback run "$1" -s engine.http.api_key_env=OPENAI_API_KEY'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(inputs.config)],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return CarefulRun(inputs.folder / "runs" / "small", temporary, done.stdout + done.stderr)
