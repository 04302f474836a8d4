"""Does choosing help? Trains one model for each way to choose training data, all for the same number of steps.

    python experiments/arms.py examples/arms.yaml [--seeds 1 2 3] [--arms random calibrated] [-s KEY=VALUE]

For every seed: one backward model, one seed model, one set of candidates, rated by the rubric and by the calibrated
judge; then one model an arm, measured on answers that people wrote. Arms that end in `-noisy` choose from the same
candidates with half as many spoilt ones mixed in. What is finished is kept in the runs' folders, and a repeated call
goes on there; the tables printed at the end (and with `--table` alone) hold what there is by then.

A pair's loss is averaged over the seeds; intervals are paired bootstraps over the pairs.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from humpback.config import Config, load_config
from humpback.evaluation import evaluation_sets, pair_losses
from humpback.hardware import hardware_line, versions
from humpback.pipeline.run import run_steps
from humpback.pipeline.state import input_digests, step_states
from humpback.pipeline.steps import Step, pipeline_steps, select_steps
from humpback.progress import SilentProgress
from humpback.records import Candidate, Curated, Example, Rating
from humpback.stages.context import Outcome, StageContext
from humpback.stages.rate import rate
from humpback.stages.train import train_forward
from humpback.training.loss import held_out_loss
from humpback.workspace import RunFolder, read_rows, write_json, write_rows

SHARE = 0.4  # of the candidates; what `curate` keeps unless told otherwise
NOISE = 0.5  # spoilt candidates for each real one, so that a third of all is noise
SPOILT = "spoilt-"  # what their ids begin with
LOSSES = "losses.json"

Score = Callable[[Rating, random.Random], float]


def by_lot(rating: Rating, draw: random.Random) -> float:
    """A random order."""
    return draw.random()


def by_rating(rating: Rating, draw: random.Random) -> float:
    """The rating; what has none comes last."""
    return -1.0 if rating.rating is None else rating.rating


def by_gain(rating: Rating, draw: random.Random) -> float:
    """How much likelier the instruction makes the output, a token."""
    return -rating.signals.get("no_gain", np.inf)


@dataclass(frozen=True)
class Arm:
    """One way to choose: the best `share` of the candidates by `score`, which reads the ratings of step `ratings`."""

    score: Score
    share: float = SHARE
    ratings: str = "ratings-1"
    candidates: str = "candidates"
    with_seed: bool = True


NOISY = partial(Arm, ratings="ratings-noisy", candidates="candidates-noisy")
ARMS: dict[str, Arm] = {
    "random": Arm(by_lot),
    "calibrated": Arm(by_rating),
    "random-noisy": NOISY(by_lot),
    "calibrated-noisy": NOISY(by_rating),
    "all": Arm(by_lot, share=1.0),
    "rubric": Arm(by_rating, ratings="ratings-rubric"),
    "gain": Arm(by_gain),
    "all-noisy": NOISY(by_lot, share=1.0),
    "calibrated-half": Arm(by_rating, share=SHARE / 2),
    "calibrated-only": Arm(by_rating, with_seed=False),
}
SEED_ONLY = "seed-only"


def steps_of(config: Config, arms: list[str]) -> list[Step]:
    """The run's own steps up to the first ratings, and those of the experiment."""
    digests = input_digests(config)
    run = select_steps(pipeline_steps(config, digests), "ratings-1")
    settings = {step.name: step.settings for step in run}
    rated = settings["ratings-1"]
    steps = [
        *run,
        _measure(SEED_ONLY, "models/m0", config, digests.evaluation_sets),
        Step("ratings-rubric", "rate", ("candidates", "models/m0"), {"by": "rubric"}, 1, rate_by_rubric, True),
        Step(
            "candidates-noisy", "augment", ("candidates",), {"noise": NOISE, "seed": config.random_seed}, 1, add_noise
        ),
        Step("ratings-noisy", "rate", ("candidates-noisy", "models/m0", "judge-1"), rated, 1, rate_noisy, True),
    ]
    for name in arms:
        arm = ARMS[name]
        chosen = {"arm": [arm.score.__name__, arm.share, arm.with_seed], "seed": config.random_seed}
        curated = f"curated-{name}"
        steps += [
            Step(curated, "curate", (arm.candidates, arm.ratings), chosen, 1, partial(choose, arm=arm)),
            Step(
                f"models/{name}",
                "train",
                ("seed", curated),
                settings["models/m0"] | chosen,
                1,
                partial(train, with_seed=arm.with_seed),
                uses_prompts=True,
                uses_base_model=True,
            ),
            _measure(name, f"models/{name}", config, digests.evaluation_sets),
        ]
    wanted = {f"losses-{name}" for name in (SEED_ONLY, *arms)}
    for step in reversed(steps):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in steps if step.name in wanted]


def _measure(name: str, model: str, config: Config, inputs: Mapping[str, str]) -> Step:
    settings = {"evaluate": config.evaluate.model_dump(mode="json"), "inputs": dict(inputs)}
    return Step(f"losses-{name}", "evaluate", ("seed", model), settings, 1, measure, uses_prompts=True)


def rate_by_rubric(context: StageContext) -> Outcome:
    """The paper's rating, where the run's own is calibrated."""
    rubric = context.config.rate.model_copy(update={"judge": "rubric"})
    return rate(replace(context, config=context.config.model_copy(update={"rate": rubric})))


def rate_noisy(context: StageContext) -> Outcome:
    """The run's own rating, of the candidates with noise among them."""
    return rate(replace(context, inputs={**context.inputs, "candidates": context.inputs["candidates-noisy"]}))


def add_noise(context: StageContext) -> Outcome:
    """Writes the candidates, and behind them spoilt copies of some: a quarter of them in each of four ways."""
    rows = list(read_rows(context.inputs["candidates"], Candidate))
    draw = random.Random(context.config.random_seed)
    picked = draw.sample(rows, round(NOISE * len(rows)))
    ways = (other_instruction, cut_short, with_menu, with_other_text)
    spoilt = [
        replace(ways[number % len(ways)](row, rows, draw), id=f"{SPOILT}{row.id}") for number, row in enumerate(picked)
    ]
    write_rows(context.output.path / "part-00000.parquet", [*rows, *spoilt], Candidate)
    return Outcome({"real": len(rows), "spoilt": len(spoilt)})


def other_instruction(row: Candidate, rows: list[Candidate], draw: random.Random) -> Candidate:
    """The instruction of another row."""
    return replace(row, instruction=draw.choice([other for other in rows if other.id != row.id]).instruction)


def cut_short(row: Candidate, rows: list[Candidate], draw: random.Random) -> Candidate:
    """The first 30 to 70 % of the characters."""
    return replace(row, output=row.output[: int(len(row.output) * draw.uniform(0.3, 0.7))])


def with_menu(row: Candidate, rows: list[Candidate], draw: random.Random) -> Candidate:
    """A list of other pages' headers before the text, as navigation that was not taken out."""
    menu = "\n".join(f"* {' '.join(draw.choice(rows).headers[-1:]) or 'Home'}" for _ in range(8))
    return replace(row, output=f"{menu}\n\n{row.output}")


def with_other_text(row: Candidate, rows: list[Candidate], draw: random.Random) -> Candidate:
    """A third of another text between the halves of this one."""
    other, middle = draw.choice(rows).output, len(row.output) // 2
    return replace(row, output=f"{row.output[:middle]}\n\n{other[: len(other) // 3]}\n\n{row.output[middle:]}")


def choose(context: StageContext, arm: Arm) -> Outcome:
    """Writes the candidates that an arm trains on. The count is a share of the real ones, so that arms are as large."""
    candidates = {row.id: row for row in read_rows(context.inputs[arm.candidates], Candidate)}
    ratings = list(read_rows(context.inputs[arm.ratings], Rating))
    draw = random.Random(context.config.random_seed)
    scores = {rating.candidate_id: arm.score(rating, draw) for rating in ratings}
    real = len(candidates) / (1 + NOISE) if arm.candidates.endswith("noisy") else len(candidates)
    count = len(candidates) if arm.share == 1 else round(arm.share * real)
    kept = sorted(candidates.values(), key=lambda row: -scores[row.id])[:count]
    rows = [Curated(row.id, row.instruction, row.output, row.headers, row.source, 0.0, 1) for row in kept]
    write_rows(context.output.path / "part-00000.parquet", rows, Curated)
    spoilt = sum(row.id.startswith(SPOILT) for row in rows)
    lengths = [len(row.output) for row in rows]
    return Outcome({"kept": len(rows), "spoilt": spoilt, "mean_chars": sum(lengths) / len(lengths)})


def train(context: StageContext, with_seed: bool) -> Outcome:
    """A forward model on the seed and what was chosen, or on that alone."""
    if with_seed:
        return train_forward(context)
    nothing = context.output.path / "no-seed"
    write_rows(nothing / "part-00000.parquet", [], Example)
    return train_forward(replace(context, inputs={**context.inputs, "seed": nothing}))


def measure(context: StageContext) -> Outcome:
    """Writes the loss of every pair of every set by the pair's id."""
    sets = evaluation_sets(context.config, context.inputs["seed"] / "held-out")
    with context.engine(context.model) as engine:
        losses = {part.name: pair_losses(engine, context.prompts, part, context.config, "forward") for part in sets}
    by_id = {part.name: dict(zip((pair.id for pair in part.pairs), losses[part.name], strict=True)) for part in sets}
    write_json(context.output.path / LOSSES, by_id)
    return Outcome({name: sum(values) / len(values) for name, values in losses.items()})


Losses = dict[str, dict[int, dict[str, dict[str, float]]]]


def read_losses(folders: Mapping[int, RunFolder], arms: list[str]) -> Losses:
    """What has been measured: arm, seed, set, pair."""
    found: Losses = defaultdict(dict)
    for arm in (SEED_ONLY, *arms):
        for seed, folder in folders.items():
            file = folder.step(f"losses-{arm}").path / LOSSES
            if file.exists():
                found[arm][seed] = json.loads(file.read_text(encoding="utf-8"))
    return found


def difference(losses: Losses, arm: str, reference: str, sets: list[str]) -> str:
    """Mean loss of an arm less that of another, over pairs of all `sets`, with its interval."""
    seeds = sorted(set(losses[arm]) & set(losses[reference]))
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for seed in seeds:
        for name in sets:
            for pair, value in losses[arm][seed][name].items():
                pairs[name, pair].append(value - losses[reference][seed][name][pair])
    if not pairs:
        return ""
    found = held_out_loss([sum(values) / len(values) for values in pairs.values()], samples=10_000, seed=0)
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def table(folders: Mapping[int, RunFolder], arms: list[str]) -> str:
    """Each arm against the seed alone and against random choice from the same candidates, as Markdown."""
    losses = read_losses(folders, arms)
    sets = list(next(iter(losses[SEED_ONLY].values()), {}))
    columns = [f"{name}, against seed only" for name in sets] + [
        "all sets, against seed only",
        "against random",
        "seeds",
    ]
    lines = [f"| arm | rows | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for arm in arms:
        if not losses[arm]:
            continue
        lot = "random-noisy" if arm.endswith("noisy") else "random"
        manifests = [folders[seed].step(f"curated-{arm}").manifest() for seed in losses[arm]]
        kept = [manifest.facts for manifest in manifests if manifest is not None]
        rows = f"{np.mean([facts['kept'] for facts in kept]):.0f}"
        if arm.endswith("noisy"):
            rows += f", {np.mean([facts['spoilt'] for facts in kept]):.0f} spoilt"
        cells = [difference(losses, arm, SEED_ONLY, [name]) for name in sets]
        cells += [difference(losses, arm, SEED_ONLY, sets), "" if arm == lot else difference(losses, arm, lot, sets)]
        lines.append(f"| {arm} | {rows} | {' | '.join(cells)} | {len(losses[arm])} |")
    return "\n".join(lines)


def main() -> None:
    """Runs what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--set", "-s", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--table", action="store_true", help="print what there is and run nothing")
    options = parser.parse_args()

    configs: dict[int, Config] = {}
    for seed in options.seeds:
        config = load_config(options.config, options.set)
        configs[seed] = load_config(
            options.config, [*options.set, f"random_seed={seed}", f"name={config.name}-{seed}", "rate.judge=calibrated"]
        )
    folders = {seed: RunFolder(config.folder) for seed, config in configs.items()}
    for seed, config in configs.items():
        if options.table:
            break
        with folders[seed].locked():
            folders[seed].create(config)
            states = step_states(config, steps_of(config, options.arms))
            run_steps(config, folders[seed], states, SilentProgress())
        print(table(folders, options.arms), flush=True)
    recipe = next(iter(configs.values())).train
    names = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"\n{recipe.steps} steps of {recipe.batch_size}; {hardware_line()}; {names}")
    print(table(folders, options.arms))


if __name__ == "__main__":
    main()
