"""Processes that do not import the main script of the one that starts them."""

from __future__ import annotations

import sys
import types
from multiprocessing import context
from multiprocessing.process import BaseProcess
from typing import Any


class Process(context.ForkServerProcess):
    """A process of the fork server. Else the standard library would run an unguarded script again in each."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            return context.ForkServerProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = script


class ForkServer(context.ForkServerContext):
    """The standard library's fork server with such processes."""

    Process = Process
