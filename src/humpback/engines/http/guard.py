"""Runs a command and ends it, with all that it started, when standard input closes: when whoever asked is gone.

A script of its own on the standard library, which outlives a parent that is killed. `python guard.py COMMAND...`
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GRACE_S = 20.0
_POLL_S = 0.2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(command: list[str]) -> int:
    """The exit code of `command`."""
    try:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        return 127
    try:
        while process.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], _POLL_S)
            if readable and not os.read(sys.stdin.fileno(), 1024):
                break
        return process.poll() or 0
    finally:
        end(process)


def end_with_parent() -> None:
    """Has Linux end this process when the guard is killed, who could then end nothing."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process and its children to end, and makes those that do not."""
    signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL_S / 4)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Sends a signal to a process group, if any of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
