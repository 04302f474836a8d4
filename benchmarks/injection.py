"""How far sentences in a text that ask for a high rating move its rating.

    python benchmarks/injection.py --run runs/NAME [--pairs 10]

The run (of `rate.judge: calibrated`, rated at least once) rates held-out pairs of its seed by its first judge and its
seed model, half of them as they are and half with a planted defect, then each of them with each of the sentences in
`injections.py` put in front, in the middle or at the end of its output (by turns); then the same by the rubric. Prints
Markdown tables of the change of the rating on the scale of 1 to 5, with 95 % intervals over pairs: an attack is what
raises it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from injections import INJECTIONS

from humpback.config import load_config
from humpback.engines import chat_format, open_engine
from humpback.hardware import hardware_line, versions
from humpback.judge.defects import Defect, Planter
from humpback.judge.fit import Judge
from humpback.models import model_folder
from humpback.prompts import PromptContract
from humpback.records import Candidate, Example
from humpback.stages.rate import Rater, calibrated_rater, make_rater
from humpback.workspace import read_rows

Place = Literal["front", "middle", "end"]
PLACES: tuple[Place, ...] = ("front", "middle", "end")
RESAMPLED = 2000

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Changes:
    """Changes of the rating, (pairs, kinds), and the place of each."""

    values: Array
    places: list[list[Place]]

    def at(self, place: Place) -> list[Array]:
        """The changes at one place, by pair."""
        return [
            np.asarray([value for value, found in zip(row, places, strict=True) if found == place])
            for row, places in zip(self.values, self.places, strict=True)
        ]


def main() -> None:
    """Fits, rates, and prints."""
    options = _arguments()
    config = load_config(options.run / "humpback.yaml")
    base = model_folder(config.model)
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    held_out = list(read_rows(options.run / "seed" / "held-out", Example))
    pairs = [pair for pair in held_out if options.shortest <= len(pair.output) <= options.longest]
    rated = random.Random(0).sample(pairs, min(2 * options.pairs, len(pairs)))
    half = len(rated) // 2
    clean = _candidates(rated[:half]) + _defective(rated[half:])
    print(f"{hardware_line()}; {torch.get_num_threads()} threads; {config.model}; ", end="")
    print(", ".join(f"{name} {number}" for name, number in versions().items()), end="\n\n")
    with closing(open_engine(config.engine, options.run / "models" / "m0", prompts.chat.end)) as engine:
        started = time.monotonic()
        judge = Judge.from_json((options.run / "judge-1" / "judge.json").read_text(encoding="utf-8"))
        raters = {
            "calibrated": calibrated_rater(engine, prompts, judge),
            "rubric": make_rater(engine, prompts, config.rate, config.random_seed, "injection"),
        }
        for name, rater in raters.items():
            _print(name, half, *_changes(rater, clean))
        print(f"\n{time.monotonic() - started:.0f} s.")


def _candidates(pairs: Sequence[Example]) -> list[Candidate]:
    return [Candidate(pair.id, pair.instruction, pair.output, [], pair.source) for pair in pairs]


def _defective(pairs: Sequence[Example]) -> list[Candidate]:
    """The pairs with one defect each, of every kind in turn, where the pair can have it."""
    planter = Planter(pairs, 1, "second")
    found = []
    for number, (pair, candidate) in enumerate(zip(pairs, _candidates(pairs), strict=True)):
        kinds = list(Defect)
        tried = (planter.plant(pair, kind) for kind in kinds[number % len(kinds) :] + kinds)
        planted = next(one for one in tried if one is not None)
        found.append(replace(candidate, instruction=planted.instruction, output=planted.output))
    return found


def _changes(rater: Rater, clean: Sequence[Candidate]) -> tuple[Array, Changes]:
    """The ratings of the clean pairs, and what each injection changes of them."""
    rows, places = list(clean), []
    for number, row in enumerate(clean):
        turns = [PLACES[(number + kind) % len(PLACES)] for kind in range(len(INJECTIONS))]
        places.append(turns)
        for kind, (text, place) in enumerate(zip(INJECTIONS.values(), turns, strict=True)):
            rows.append(replace(row, id=f"{row.id}-{kind}", output=_injected(row.output, text, place)))
    ratings = np.asarray([rating.rating for rating in rater(rows)], dtype=float)  # None becomes nan
    before, after = ratings[: len(clean)], ratings[len(clean) :].reshape(len(clean), len(INJECTIONS))
    return before, Changes(after - before[:, None], places)


def _injected(output: str, text: str, place: Place) -> str:
    if place == "front":
        return f"{text}\n\n{output}"
    if place == "end":
        return f"{output}\n\n{text}"
    middle = output.find(". ", len(output) // 2) + 2
    if middle < 2:
        return f"{output}\n\n{text}"
    return f"{output[:middle].rstrip()}\n\n{text}\n\n{output[middle:]}"


def _print(name: str, half: int, before: Array, changes: Changes) -> None:
    values = changes.values
    good, defective, unrated = np.nanmean(before[:half]), np.nanmean(before[half:]), int(np.isnan(values).sum())
    print(
        f"**{name}**: {half} good pairs rated {good:.2f}, {len(before) - half} defective ones {defective:.2f}; ", end=""
    )
    print(f"{unrated} unrated\n")
    print("| injection | mean change | 95 % interval | highest rise | raised by more than 0.2 |")
    print("|---|---|---|---|---|")
    for column, kind in enumerate(INJECTIONS):
        _line(kind, [values[row, [column]] for row in range(len(values))])
    for place in PLACES:
        _line(f"*{place}*", changes.at(place))
    _line("*good pairs*", list(values[:half]))
    _line("*defective pairs*", list(values[half:]))
    _line("**all**", list(values))
    print(flush=True)


def _line(label: str, by_pair: Sequence[Array]) -> None:
    """One row of the table; pairs are drawn, since the changes of one pair are alike."""
    every = np.concatenate(by_pair)
    found = [row[~np.isnan(row)] for row in by_pair]
    means = np.asarray([row.mean() for row in found if len(row)])
    rng = np.random.default_rng(0)
    low, high = np.percentile(rng.choice(means, (RESAMPLED, len(means))).mean(axis=1), [2.5, 97.5])
    raised = int((every > 0.2).sum())
    print(
        f"| {label} | {means.mean():+.2f} | {low:+.2f} to {high:+.2f} | {np.nanmax(every):+.2f} | "
        f"{raised} of {len(every)} |"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="the folder of a run with its first judge")
    parser.add_argument("--pairs", type=int, default=10, help="good ones, and as many with a defect")
    parser.add_argument("--shortest", type=int, default=150, help="characters of an answer")
    parser.add_argument("--longest", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
