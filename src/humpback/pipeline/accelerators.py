"""What larger models cost on rented hardware: a roofline of compute, memory bandwidth and batch size."""

from __future__ import annotations

import math
from dataclasses import dataclass

FLOPS_PER_TOKEN_READ = 2  # for each parameter: a multiplication and an addition (Kaplan et al. 2020, section 2.1)
FLOPS_PER_TOKEN_TRAINED = 6  # the same, and twice that backwards
WEIGHT_BYTES = 2  # bfloat16
TRAINING_BYTES = 16  # a parameter: weights, gradients, AdamW's state (Rajbhandari et al. 2020, section 3.1)
USABLE_MEMORY = 0.9  # of a GPU; vLLM's default
UTILISATION = 0.4  # of the data sheet's peak; ours: an assumption, and the share that our engines are to reach
CONTEXT_TOKENS = 768  # of a row that is being written: a passage and its instruction
MOST_AT_ONCE = 256  # rows that a replica writes at once; vLLM's default for max_num_seqs is of this order


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One GPU: peak dense bfloat16 FLOP/s, bytes a second and bytes of memory (NVIDIA's data sheets)."""

    flops: float
    bandwidth: float
    memory: float


ACCELERATORS = {
    "a100": Accelerator(312e12, 2.04e12, 80e9),
    "h100": Accelerator(989e12, 3.35e12, 80e9),
    "h200": Accelerator(989e12, 4.8e12, 141e9),
    "l40s": Accelerator(362e12, 0.864e12, 48e9),
}


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Parameters, and bytes of the key-value cache a token takes in bfloat16."""

    parameters: float
    cache_bytes: float


# Layers and width of keys and values: arXiv 2302.13971, table 2; of 70B, whose queries share keys: arXiv 2307.09288.
SHAPES = {
    "7B": ModelShape(6.7e9, 2 * 2 * 32 * 4096),
    "13B": ModelShape(13.0e9, 2 * 2 * 40 * 5120),
    "33B": ModelShape(32.5e9, 2 * 2 * 60 * 6656),
    "65B": ModelShape(65.2e9, 2 * 2 * 80 * 8192),
    "70B": ModelShape(69.0e9, 2 * 2 * 80 * 1024),
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """GPUs of one kind, and the size of model that they run.

    `cores` is the number of processor cores for what needs no GPU; `gpu_hour` the price of one GPU's hour, or None.
    """

    accelerator: Accelerator
    gpus: int
    cores: int
    shape: ModelShape
    utilisation: float = UTILISATION
    gpu_hour: float | None = None

    @property
    def gpus_per_replica(self) -> int:
        """The least power of two whose memory holds the weights and as much again for the cache of a batch."""
        needed = 1.25 * self.shape.parameters * WEIGHT_BYTES / (USABLE_MEMORY * self.accelerator.memory)
        return 1 << max(0, math.ceil(math.log2(needed)))

    @property
    def replicas(self) -> int:
        """Copies of the model that answer at the same time; 0 where the GPUs do not hold one."""
        return self.gpus // self.gpus_per_replica

    @property
    def gpus_for_training(self) -> int:
        """The fewest GPUs whose memory holds weights, gradients and optimiser of full fine-tuning."""
        needed = self.shape.parameters * TRAINING_BYTES / (USABLE_MEMORY * self.accelerator.memory)
        return math.ceil(needed)

    def seconds_to_read(self, tokens: float) -> float:
        """Time to read so many tokens of prompts and answers; bound by compute."""
        busy = self.replicas * self.gpus_per_replica
        work = FLOPS_PER_TOKEN_READ * self.shape.parameters * tokens
        return work / (busy * self.accelerator.flops * self.utilisation)

    def rows_at_once(self) -> int:
        """Rows that one replica writes at the same time: what its memory holds beside the weights."""
        memory = self.gpus_per_replica * USABLE_MEMORY * self.accelerator.memory
        left = memory - self.shape.parameters * WEIGHT_BYTES
        return max(1, min(MOST_AT_ONCE, int(left / (self.shape.cache_bytes * CONTEXT_TOKENS))))

    def seconds_to_write(self, tokens: float) -> float:
        """Time to write so many tokens: each step of a batch reads all weights and the cache from memory once."""
        rows = self.rows_at_once()
        step_bytes = self.shape.parameters * WEIGHT_BYTES + rows * self.shape.cache_bytes * CONTEXT_TOKENS
        bandwidth = self.gpus_per_replica * self.accelerator.bandwidth * self.utilisation
        compute = self.gpus_per_replica * self.accelerator.flops * self.utilisation
        step = max(step_bytes / bandwidth, FLOPS_PER_TOKEN_READ * self.shape.parameters * rows / compute)
        return tokens / (rows * self.replicas) * step

    def gpus_at_work_in_training(self, batch_size: int) -> int:
        """GPUs that a batch keeps busy: no more than one for each of its rows, nor than there are."""
        return min(self.gpus, max(batch_size, self.gpus_for_training))

    def seconds_to_train(self, tokens: float, batch_size: int) -> float:
        """Time to train on so many tokens, `batch_size` rows a step; bound by compute."""
        busy = self.gpus_at_work_in_training(batch_size)
        work = FLOPS_PER_TOKEN_TRAINED * self.shape.parameters * tokens
        return work / (busy * self.accelerator.flops * self.utilisation)
