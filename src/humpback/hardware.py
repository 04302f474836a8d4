"""What this machine is, in one line, and the versions that results depend on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from humpback.version import __version__

_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "pyarrow")


def hardware_line() -> str:
    """E.g. `Intel(R) Xeon(R) CPU, 2 cores, 24 GiB, Linux`; with the GPUs when torch is loaded and sees some."""
    line = f"{_processor()}, {os.cpu_count()} cores, {memory_bytes() / 2**30:.0f} GiB, {platform.system()}"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        line += f", {len(names)} x {names[0]}"
    return line


def gpu_count() -> int:
    """How many of NVIDIA's GPUs this process may use. Asks no library, since that would begin to use them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = sum(1 for device in Path("/dev").glob("nvidia[0-9]*") if device.name[6:].isdigit())
    if visible is None:
        return there
    return min(there, sum(bool(name.strip()) and name.strip() != "-1" for name in visible.split(",")))


def memory_bytes() -> int:
    """Main memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def versions() -> dict[str, str]:
    """Versions of Python, Humpback and the packages that figures depend on."""
    found = {"humpback": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
