"""How fast `fine_tune` trains beside a plain PyTorch loop.

Three contenders train copies of one model on the same padded micro-batches: `fine_tune`; a plain loop, in which every
token goes through the head, as is usual; and the same loop with the head on the learnt tokens only. They take turns
step by step in one process, so that whatever else the machine does falls on all of them alike, and each keeps a copy
of the model and its optimiser in memory. The first steps are left out. Prints a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/training.py --steps 12 --batch 2 --tokens 512 --dtype bfloat16
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from humpback.config import TrainConfig
from humpback.models import device_name, load_tokenizer, model_folder, resolved_dtype
from humpback.models.head import head_logits
from humpback.prompts import TokenRow
from humpback.prompts.tokens import IGNORED
from humpback.training import Recipe, fine_tune
from humpback.training.batches import plan_batches
from humpback.training.collate import Collator
from humpback.training.start import starting_model

WARM_UP = 3  # steps left out: buffers are allocated, the optimiser's state is made
OURS, PLAIN, TARGETS = "fine_tune", "plain loop", "plain loop, head on learnt tokens only"


@dataclass
class PlainLoop:
    """A training loop as one writes it by hand; `step` does one optimiser step on micro-batches."""

    model: Any
    targets_only: bool
    device: str
    bf16: bool
    rate: float
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.train()
        self.learnt = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.AdamW(self.learnt, lr=self.rate, weight_decay=0.1, fused=self.device != "mps")

    def step(self, batches: list[dict[str, Any]]) -> None:
        started = now(self.device)
        count = sum(len(batch["targets"]) for batch in batches)
        for batch in batches:
            inputs = {name: value.to(self.device) for name, value in batch.items() if name != "rows"}
            with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
                loss = self.target_loss(inputs) if self.targets_only else self.usual_loss(inputs)
            (loss / count).backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.seconds.append(now(self.device) - started)

    def usual_loss(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        logits = self.model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        ).logits
        labels = torch.full_like(inputs["input_ids"], IGNORED).flatten()
        labels[inputs["learnt"]] = inputs["targets"]
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), labels, reduction="sum", ignore_index=IGNORED
        )

    def target_loss(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden = self.model.base_model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        ).last_hidden_state
        logits = head_logits(self.model, hidden.flatten(0, 1)[inputs["learnt"]])
        return torch.nn.functional.cross_entropy(logits.float(), inputs["targets"], reduction="sum")


def now(device: str) -> float:
    """Seconds, after all that was asked of the device is done; of processor time where one thread does the work.

    On a machine that others use as well, processor time leaves out the time in which they had the core.
    """
    if device == "cuda":
        torch.cuda.synchronize()
    return time.process_time() if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def random_rows(count: int, tokens: int, learnt: float, vocabulary: int) -> list[TokenRow]:
    """Rows of 0.6 to 1 times `tokens` tokens, of which the last share `learnt` is learnt."""
    generator = random.Random(0)
    rows = []
    for _ in range(count):
        ids = [generator.randrange(5, vocabulary) for _ in range(generator.randint(int(0.6 * tokens), tokens))]
        prompt = len(ids) - int(learnt * len(ids))
        rows.append(TokenRow(ids, [IGNORED] * prompt + ids[prompt:], is_cut=False))
    return rows


def matmul_peak(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of the best of twenty multiplications of square matrices."""
    size = 8192 if device == "cuda" else 1024
    left, right = (torch.randn(size, size, dtype=dtype, device=device) for _ in range(2))
    best = float("inf")
    for _ in range(20):
        started = now(device)
        left @ right
        best = min(best, now(device) - started)
    return 2 * size**3 / best


def measure(options: argparse.Namespace) -> Iterator[tuple[str, list[float], float]]:
    """Name, seconds of every step, and tokens a step without padding."""
    device = device_name(options.device)
    dtype = resolved_dtype(options.dtype, device)
    base = model_folder(options.model)
    config = TrainConfig(
        dtype=options.dtype,
        dropout=options.dropout,
        max_tokens=max(160, options.tokens),
        packing=options.packing,
        checkpoint_minutes=1e6,
    )
    recipe = Recipe(options.steps, options.batch, options.micro or options.batch, (1e-5, 9e-6))
    tokenizer = load_tokenizer(base)
    rows = random_rows(4 * options.batch, options.tokens, options.learnt, len(tokenizer))
    # The loops are fed padded batches of rows of about equal length, also beside a packed `fine_tune`.
    plan = plan_batches(rows, recipe, config.model_copy(update={"packing": False}), 0)
    collator = Collator(rows, int(tokenizer.pad_token_id or 0), packing=False)
    plain = config.model_copy(update={"packing": False})
    loops = {
        name: PlainLoop(
            starting_model(base, plain, device=device, dtype=dtype),
            targets_only=name == TARGETS,
            device=device,
            bf16=dtype == torch.bfloat16,
            rate=1e-5,
        )
        for name in (PLAIN, TARGETS)
    }
    ours: list[float] = []
    resumed = now(device)

    def turn(entry: dict[str, float]) -> None:
        nonlocal resumed
        ours.append(now(device) - resumed)
        step = int(entry["step"])
        parts = plan.micro_batches[(step - 1) * plan.per_step : step * plan.per_step]
        for loop in loops.values():
            loop.step([collator.batch(part) for part in parts])
        resumed = now(device)

    with tempfile.TemporaryDirectory() as folder:
        fine_tune(base, rows, Path(folder), config, recipe, device=device, seed=0, end="", on_step=turn, save=False)
    tokens = sum(len(rows[row].input_ids) for part in plan.micro_batches for row in part) / recipe.steps
    yield OURS, ours, tokens
    for name, loop in loops.items():
        yield name, loop.seconds, tokens


def table(found: list[tuple[str, list[float], float]], flops_per_token: float, peak: float) -> list[str]:
    """The Markdown table; shares of the loop with the head on the learnt tokens, from times of the same step."""
    reference = next(seconds for name, seconds, _ in found if name == TARGETS)[WARM_UP:]
    lines = ["| | tokens/s | speed | share of peak |", "|---|---|---|---|"]
    for name, seconds, tokens in found:
        steady = seconds[WARM_UP:]
        rate = tokens / statistics.median(steady)
        share = statistics.median(other / own for own, other in zip(steady, reference, strict=True))
        lines.append(f"| {name} | {rate:.0f} | {share:.2f} | {rate * flops_per_token / peak:.0%} |")
    return lines


def parameters(model: Path) -> int:
    from humpback.models import inspect_model

    return inspect_model(model).parameters


def describe(device: str) -> str:
    """Hardware and versions in one line."""
    import transformers
    import trl

    name = torch.cuda.get_device_name() if device == "cuda" else _processor()
    threads = "" if device == "cuda" else f", {torch.get_num_threads()} threads"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}, TRL {trl.__version__}"
    return f"{name}{threads}; {versions}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main(write: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="builtin", help="`builtin` or a model folder")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4, help="rows a step")
    parser.add_argument("--micro", type=int, default=None, help="rows a micro-batch; default: all of the step")
    parser.add_argument("--tokens", type=int, default=512, help="longest row")
    parser.add_argument("--learnt", type=float, default=0.6, help="share of a row's tokens that is learnt")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--packing", action="store_true", help="`fine_tune` packs its rows; the loops pad theirs")
    options = parser.parse_args()
    if options.steps <= WARM_UP:
        parser.error(f"--steps: the first {WARM_UP} are left out; give more")
    found = list(measure(options))
    device = device_name(options.device)
    dtype = resolved_dtype(options.dtype, device)
    # Six FLOP a weight and token, forward and backward (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
    flops = 6.0 * parameters(model_folder(options.model))
    arithmetic = str(dtype).removeprefix("torch.")
    write(f"{options.model}, {options.batch} x {options.tokens} tokens, {arithmetic}; {describe(device)}\n")
    write("\n".join(table(found, flops, matmul_peak(device, dtype))))


if __name__ == "__main__":
    main()
