"""A training process that shares out its weights on a CPU, which accelerate does on GPUs only. Run by the tests."""

from __future__ import annotations

import sys
from pathlib import Path

from accelerate import state

usual = state.AcceleratorState.__init__


def begin(self, *arguments, fsdp_plugin=None, **options):
    usual(self, *arguments, fsdp_plugin=fsdp_plugin, **options)
    if fsdp_plugin is not None:
        self.fsdp_plugin = fsdp_plugin
        self.distributed_type = state.DistributedType.FSDP
        state.PartialState._shared_state["distributed_type"] = self.distributed_type


if __name__ == "__main__":
    state.AcceleratorState.__init__ = begin
    from humpback.training.launched import work

    work(Path(sys.argv[1]))
