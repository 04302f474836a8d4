"""One fine-tuning, in one process or in several: token rows in, a complete model folder out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from humpback.config import ClusterConfig, TrainConfig
from humpback.models import device_name
from humpback.prompts import TokenRow
from humpback.training.job import Job, StepReport, TrainingResult
from humpback.training.recipe import Recipe
from humpback.training.settings import check_requirements
from humpback.training.sft import train_here


def fine_tune(
    base: Path,
    rows: Sequence[TokenRow],
    output: Path,
    config: TrainConfig,
    recipe: Recipe,
    *,
    device: str,
    seed: int,
    end: str,
    chat_template: str | None = None,
    on_step: StepReport = lambda entry: None,
    held_out: Sequence[TokenRow] = (),
    save: bool = True,
    run_name: str = "",
    cluster: ClusterConfig | None = None,
) -> TrainingResult:
    """Trains the model in folder `base` on `rows` and leaves a whole model folder at `output`, or an adapter's.

    Args:
        base: folder of the base model; never changed.
        rows: token rows, in any order; the order of training depends on `seed` alone.
        output: folder for weights, tokenizer and generation settings. Checkpoints of a stopped attempt in it are
            gone on from.
        config: the method and arithmetic.
        recipe: steps, batch and rates, from `recipe_for`.
        device: as in `engine.device`.
        seed: for the order of the rows and for dropout.
        end: text of the token that ends an answer, stored as the model's end token.
        chat_template: the template that the rows were rendered with, stored with the tokenizer in place of its own.
        on_step: called after every optimiser step with its figures.
        held_out: rows that `train.early_stop` looks at; without any it is off.
        save: whether the model is kept; a probe of the speed has no use for it.
        run_name: the name of the training at trackers.
        cluster: where `train.machines` are found; all of them must see `base` and `output`.

    Raises:
        ModelError: a package or the device is missing, the loss is not a number, or memory ran out on a single row.
        EngineError: machines of the cluster went again and again.
        ConfigError: the batch cannot be dealt out to `train.processes`.
    """
    device = device_name(device)
    check_requirements(config, device)
    job = Job(base, output, config, recipe, device, seed, end, chat_template, save, run_name)
    if config.processes > 1:
        from humpback.training.launched import launch

        return launch(job, rows, held_out, on_step, cluster)
    return train_here(job, rows, held_out, on_step)
