"""Which learning rate works for a small model? Trains M_0 on the same seed with several and measures each.

    python experiments/learning_rate.py examples/usgov.yaml -s train.steps=32 --rates 1e-5 5e-5 1e-4 2e-4

Prints a Markdown table: loss on the seed's held-out pairs and on the configured sets, in nats a token, with the paired
difference from the untrained model and its 95 % bootstrap interval. Every model takes the same steps on the same rows.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from humpback.config import Config, load_config
from humpback.engines import chat_format, open_engine
from humpback.evaluation import EvaluationSet, evaluation_sets, pair_losses
from humpback.hardware import hardware_line, versions
from humpback.models import model_folder
from humpback.pipeline import run_pipeline
from humpback.prompts import PromptContract
from humpback.training.loss import held_out_loss, paired_difference
from humpback.workspace import RunFolder


def losses_of(
    config: Config, model: Path, sets: list[EvaluationSet], prompts: PromptContract
) -> dict[str, list[float]]:
    """Loss of each pair of each set under the model in folder `model`."""
    engine = open_engine(config.engine, model, prompts.chat.end)
    return {part.name: pair_losses(engine, prompts, part, config, "forward") for part in sets}


def row(name: str, losses: dict[str, list[float]], base: dict[str, list[float]], samples: int) -> str:
    """A table row: mean loss and difference from the base model, a pair of cells for each set."""
    cells = [name]
    for part, values in losses.items():
        mean = held_out_loss(values, samples=samples, seed=0).mean
        difference = asdict(paired_difference(values, base[part], samples=samples, seed=0))
        cells += [f"{mean:.4f}", "{mean:+.4f} [{low:+.4f}, {high:+.4f}]".format(**difference)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Trains and measures a model for every rate, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--set", "-s", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--rates", nargs="+", default=["1e-5", "5e-5", "1e-4", "2e-4"])
    options = parser.parse_args()

    sets: list[EvaluationSet] = []
    base: dict[str, list[float]] = {}
    for rate in options.rates:
        overrides = [*options.set, f"train.learning_rate={rate}", f"name=learning-rate-{rate}"]
        config = load_config(options.config, overrides)
        folder = RunFolder(run_pipeline(config, target="models/m0").folder)
        prompts = PromptContract(chat_format(config.engine, config.prompts, model_folder(config.model)), config.prompts)
        if not base:
            sets = evaluation_sets(config, folder.path / "seed" / "held-out")
            base = losses_of(config, model_folder(config.model), sets, prompts)
            print(f"{hardware_line()}; {versions()}; {config.train.steps} steps of {config.train.batch_size}")
            print(f"| learning rate | {' | '.join(f'{part.name} | against untrained' for part in sets)} |")
            print(f"|---|{'---|---|' * len(sets)}")
            print(row("untrained", base, base, config.evaluate.bootstrap_samples))
        losses = losses_of(config, folder.path / "models" / "m0", sets, prompts)
        print(row(rate, losses, base, config.evaluate.bootstrap_samples))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
