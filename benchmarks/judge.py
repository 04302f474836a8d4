"""How well the calibrated judge tells planted defects, on pairs and with texts that it was not fitted to.

    python benchmarks/judge.py --run runs/NAME [--pairs 60] [--ranked REPLIES.jsonl]

The run's seed model reads the held-out pairs of the run's seed. One half of them, with one half of the texts that are
planted, is fitted to; the other halves are judged. Prints a Markdown table: area under the curve by kind of defect, the
same where that kind was left out of the fit, that of gradient-boosted trees on the same signals, and the one signal
that does best alone; then the means by the number of pairs fitted to. With `--ranked`, replies that people put into an
order, as `question`, `answer` and `rank`: how often the judge has two replies in their order.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from humpback.config import Config, load_config
from humpback.engines import Engine, chat_format, open_engine
from humpback.hardware import hardware_line, versions
from humpback.judge.defects import Defect, Planter
from humpback.judge.fit import GOOD, Judge, fit_judge
from humpback.judge.fitness import area, standard_error
from humpback.judge.reader import Question, read_signals
from humpback.models import model_folder
from humpback.prompts import PromptContract
from humpback.records import Example
from humpback.workspace import read_rows

LENGTH = "length"  # the signal that any agreement with people must beat


@dataclass(frozen=True)
class Read:
    """Pairs with their signals, kinds and the pair that each was made from."""

    signals: list[dict[str, float]]
    kinds: list[str]
    groups: list[str]

    def without(self, kind: str) -> Read:
        """All but the pairs of one kind."""
        kept = [i for i, known in enumerate(self.kinds) if known != kind]
        return Read([self.signals[i] for i in kept], [self.kinds[i] for i in kept], [self.groups[i] for i in kept])

    def first(self, pairs: int) -> Read:
        """What was made from the first `pairs` pairs."""
        chosen = set(list(dict.fromkeys(self.groups))[:pairs])
        kept = [i for i, group in enumerate(self.groups) if group in chosen]
        return Read([self.signals[i] for i in kept], [self.kinds[i] for i in kept], [self.groups[i] for i in kept])

    def fitted(self) -> Judge:
        """The judge of these pairs."""
        return fit_judge(self.signals, self.kinds, self.groups)


def main() -> None:
    """Reads, fits, and prints."""
    options = _arguments()
    config = load_config(options.run / "humpback.yaml")
    base = model_folder(config.model)
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    pairs = list(read_rows(options.run / "seed" / "held-out", Example))
    short = [pair for pair in pairs if options.shortest <= len(pair.output) <= options.longest]
    chosen = random.Random(0).sample(short, min(2 * options.pairs, len(short)))
    half = len(chosen) // 2
    started = time.monotonic()
    with closing(open_engine(config.engine, options.run / "models" / "m0", prompts.chat.end)) as engine:
        fitted = _read(engine, prompts, chosen[:half], "first")
        judged = _read(engine, prompts, chosen[half:], "second")
        read = len(fitted.kinds) + len(judged.kinds)
        seconds = time.monotonic() - started
        _header(config, half, read, seconds)
        judge = _table(fitted, judged)
        _curve(fitted, judged, half)
        if options.ranked:
            _order(judge, engine, prompts, options.ranked, options.questions)


def _read(
    engine: Engine, prompts: PromptContract, pairs: Sequence[Example], material: Literal["first", "second"]
) -> Read:
    planter = Planter(pairs, 0 if material == "first" else 1, material)
    questions, kinds = [], []
    for pair in pairs:
        questions.append(Question(pair.id, pair.instruction, pair.output))
        kinds.append(GOOD)
        for kind in Defect:
            planted = planter.plant(pair, kind)
            if planted is not None:
                questions.append(Question(pair.id, planted.instruction, planted.output))
                kinds.append(str(kind))
    found = read_signals(engine, prompts, questions)
    kept = [i for i, signals in enumerate(found) if signals is not None]
    return Read([found[i] or {} for i in kept], [kinds[i] for i in kept], [questions[i].id for i in kept])


def _header(config: Config, half: int, read: int, seconds: float) -> None:
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"{hardware_line()}; {torch.get_num_threads()} threads; {config.model}; {packages}\n")
    print(f"{half} pairs fitted to, {half} others judged; {read} texts read in {seconds:.0f} s.\n")
    print("| defect | pairs | AUC | 95 % interval | left out of the fit | trees | best signal alone |")
    print("|---|---|---|---|---|---|---|")


def _table(fitted: Read, judged: Read) -> Judge:
    judge = fitted.fitted()
    labels = np.asarray(judged.kinds)
    good = labels == GOOD
    found, trees = judge.defectiveness(judged.signals), _by_trees(fitted, judged)
    sums: list[tuple[float, float, float]] = []
    for kind in judge.kinds:
        bad = labels == kind
        auc = area(found[good], found[bad])
        error = 1.96 * standard_error(auc, int(bad.sum()), int(good.sum()))
        unseen = fitted.without(kind).fitted().defectiveness(judged.signals)
        left_out = area(unseen[good], unseen[bad])
        by_trees = area(trees[good], trees[bad])
        alone = {name: _alone(name, judged, good, bad) for name in judge.signals}
        best = max(alone, key=lambda name: alone[name])
        interval = f"{max(0.0, auc - error):.3f} to {min(1.0, auc + error):.3f}"
        figures = f"{auc:.3f} | {interval} | {left_out:.3f} | {by_trees:.3f} | {best} {alone[best]:.3f}"
        print(f"| {kind} | {bad.sum()} | {figures} |", flush=True)
        sums.append((auc, left_out, by_trees))
    means = np.mean(sums, axis=0)
    print(f"| mean | | {means[0]:.3f} | | {means[1]:.3f} | {means[2]:.3f} | |")
    return judge


def _curve(fitted: Read, judged: Read, pairs: int) -> None:
    """Means over the kinds by the number of pairs fitted to: what more calibration pairs would bring."""
    print("\n| pairs fitted to | mean AUC | of kinds left out |")
    print("|---|---|---|")
    labels = np.asarray(judged.kinds)
    good = labels == GOOD
    for count in sorted({max(10, pairs * part // 8) for part in (1, 2, 4, 8)}):
        some = fitted.first(count)
        judge = some.fitted()
        found = judge.defectiveness(judged.signals)
        left_out = [some.without(kind).fitted().defectiveness(judged.signals) for kind in judge.kinds]
        own = [area(found[good], found[labels == kind]) for kind in judge.kinds]
        others = [area(one[good], one[labels == kind]) for one, kind in zip(left_out, judge.kinds, strict=True)]
        print(f"| {count} | {np.mean(own):.3f} | {np.mean(others):.3f} |", flush=True)


def _by_trees(fitted: Read, judged: Read) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = sorted(fitted.signals[0])
    values, others = ([[row[name] for name in names] for row in read.signals] for read in (fitted, judged))
    trees = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=12, class_weight="balanced", random_state=0
    )
    trees.fit(values, [kind != GOOD for kind in fitted.kinds])
    return np.asarray(trees.decision_function(others))


def _alone(name: str, read: Read, good: np.ndarray, bad: np.ndarray) -> float:
    values = np.asarray([row[name] for row in read.signals])
    return area(values[good], values[bad])


def _order(judge: Judge, engine: Engine, prompts: PromptContract, file: Path, limit: int) -> None:
    """Agreement with people's order of replies to one question, of the judge and of length alone."""
    replies: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        replies[row["question"]].append((int(row["rank"]), row["answer"]))
    several = sorted(question for question, found in replies.items() if len({rank for rank, _ in found}) > 1)
    asked = random.Random(0).sample(several, min(limit, len(several)))
    questions = [Question(question, question, answer) for question in asked for _, answer in replies[question]]
    signals = iter(read_signals(engine, prompts, questions))
    right: dict[str, list[bool]] = {"judge": [], "length alone": []}
    for question in asked:
        rows = [(rank, row) for (rank, _), row in zip(replies[question], signals, strict=False) if row is not None]
        for (rank, row), (other_rank, other) in itertools.combinations(rows, 2):
            if rank == other_rank:
                continue
            better, worse = (row, other) if rank < other_rank else (other, row)
            right["judge"].append(bool(np.subtract(*judge.defectiveness([better, worse])) < 0))
            right["length alone"].append(better[LENGTH] > worse[LENGTH])
    shares = ", ".join(f"{name} {np.mean(found):.3f}" for name, found in right.items())
    print(f"\nIn people's order, of {len(right['judge'])} pairs of replies to {len(asked)} questions: {shares}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="the folder of a run that has its seed model")
    parser.add_argument("--pairs", type=int, default=60, help="of each half")
    parser.add_argument("--shortest", type=int, default=150, help="characters of an answer")
    parser.add_argument("--longest", type=int, default=1000)
    parser.add_argument("--ranked", type=Path, help="JSON Lines of `question`, `answer` and `rank`, 0 the best")
    parser.add_argument("--questions", type=int, default=60, help="of the ranked ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()
