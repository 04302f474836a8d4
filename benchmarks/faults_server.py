"""Kills of the inference server that a run has started, in the middle of its work."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from faults_driver import End
from faults_kills import NAME, TESTS, Tally, content

SETTINGS = (
    "engine.kind=http",
    "train.dtype=float32",
    "train.steps=1",
    "train.batch_size=4",
    "train.max_tokens=512",
    "prompts.max_text_tokens=200",
    "rounds=1",
)
ASKED_IN = ("candidates", "ratings-1")
LIMIT_S = 300


def server_kills(config: str, model: Path, scratch: Path, count: int, generator: random.Random) -> Tally:
    """Kills the server with SIGKILL while a step asks it, and runs the same command again.

    Raises:
        RuntimeError: the run to which nothing happens fails.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hostile = TESTS / "engines" / "http" / "hostile.py"
    start = f"{sys.executable} {hostile} {{folder}} --name {{name}} --port {port}"
    settings = [*SETTINGS, f"model={model}", f"engine.http.url=http://127.0.0.1:{port}/v1"]
    settings.append(f"engine.http.start={json.dumps(start)}")
    whole = scratch / "served" / NAME
    first = run(config, whole, settings, scratch)
    if first.code:
        raise RuntimeError(first.said)
    wanted, tally = content(whole), Tally()
    for number in range(count):
        step = ASKED_IN[number % len(ASKED_IN)]
        folder = scratch / f"served-{number}" / NAME
        shutil.copytree(whole, folder)
        for later in (step, "report", "dataset"):
            shutil.rmtree(folder / later)
        # The first moments are those in which the server starts and is tried; then come the rows.
        killed = run(config, folder, settings, scratch, (folder / step, port, generator.uniform(0, 0.5)))
        if killed.did:
            tally.notes["stopped with a message"] += killed.code == 1 and "Traceback" not in killed.said
            tally.notes["ended all the same"] += killed.code == 0
            again = run(config, folder, settings, scratch)
            tally.count(step, folder, wanted, f"server killed in {step}: {killed.said[-300:]}", again)
        shutil.rmtree(folder.parent)
    return tally


def run(
    config: str, folder: Path, settings: Sequence[str], scratch: Path, kill: tuple[Path, int, float] | None = None
) -> End:
    """Runs the command, and kills the server on a port so many seconds after it serves, once the step has begun."""
    changes = [f"runs_dir={folder.parent}", f"name={NAME}", *settings]
    command = [sys.executable, "-W", "ignore", "-m", "humpback", "run", config]
    log, did, began = scratch / "served.log", "", time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *(word for one in changes for word in ("-s", one))], stdout=output, stderr=subprocess.STDOUT
        )
        if kill is not None and kill_server(process, *kill):
            did = "killed the server"
        code = process.wait(LIMIT_S)
    return End(code, log.read_text(encoding="utf-8", errors="replace"), [], did, time.monotonic() - began)


def kill_server(process: subprocess.Popen[bytes], step: Path, port: int, after_s: float) -> bool:
    """Waits for the server, then a little, then kills it; False where the run ended before."""
    while process.poll() is None:
        found = serving(port) if (step / "started.json").exists() else None
        if found is not None:
            time.sleep(after_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(found, signal.SIGKILL)
                return True
            return False
        time.sleep(0.02)
    return False


def serving(port: int) -> int | None:
    """The process of the tests' server on this port, once it answers."""
    with socket.socket() as asking:
        if asking.connect_ex(("127.0.0.1", port)):
            return None
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = line.read_bytes().split(b"\0")
            is_guard = any(word.endswith(b"guard.py") for word in words)
            is_server = any(word.endswith(b"hostile.py") for word in words) and str(port).encode() in words
            if is_server and not is_guard:
                return int(line.parent.name)
    return None
