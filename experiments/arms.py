"""Does choosing help? Trains one model for each way to choose training data, all for the same number of steps.

    python experiments/arms.py examples/arms.yaml [--seeds 1 2 3] [--arms random calibrated] [-s KEY=VALUE]
    python experiments/arms.py --table [--results experiments/results/arms]

For every seed: one backward model, one seed model, one set of candidates, rated by the rubric and by the calibrated
judge; then one model an arm, measured on answers that people wrote. Arms that end in `-noisy` choose from the same
candidates with half as many spoilt ones mixed in; `asked-` is the calibrated arm's model under other system prompts
than both tags; `m1` and `m2` are the models of the run's own rounds, whose data the stage `curate` chooses. What is
finished is kept in the runs' folders, and a repeated call goes on there. The loss of every pair goes into a small file
a seed, from which the tables are made: seeds may be run on different days and machines.

A pair's loss is averaged over the seeds; intervals are paired bootstraps over the pairs.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from humpback.config import Config, load_config
from humpback.evaluation import evaluation_sets, pair_losses
from humpback.hardware import hardware_line, versions
from humpback.pipeline.run import run_steps
from humpback.pipeline.state import input_digests, step_states
from humpback.pipeline.steps import Step, pipeline_steps, select_steps
from humpback.progress import SilentProgress
from humpback.prompts import PromptContract
from humpback.records import Candidate, Curated, Example, Rating
from humpback.stages.context import Outcome, StageContext
from humpback.stages.rate import rate
from humpback.stages.rewrite import rewrite
from humpback.stages.train import train_forward
from humpback.training.loss import held_out_loss
from humpback.workspace import RunFolder, read_rows, write_json, write_rows

SHARE = 0.4  # of the candidates; what `curate` keeps unless told otherwise
NOISE = 0.5  # spoilt candidates for each real one, so that a third of all is noise
SPOILT = "spoilt-"  # what their ids begin with
LOSSES = "losses.json"
DIGITS = 5  # of a loss in the results

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
    is_rewritten: bool = False  # the seed model writes what was chosen anew
    is_tagged: bool = True  # trained, and asked, under the tags


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
    "calibrated-rewritten": Arm(by_rating, is_rewritten=True),
    "calibrated-untagged": Arm(by_rating, is_tagged=False),
}
ASKED: dict[str, tuple[str, ...]] = {  # the calibrated arm's model under these tags (paper, table 8)
    "asked-as-seed": ("seed_tag",),
    "asked-as-web": ("web_tag",),
    "asked-without-tag": (),
}
ROUNDS = {"m1": "curated-1", "m2": "curated-2"}  # the models of the run's own rounds, and what each was trained on
ALL = [*ARMS, *ASKED, *ROUNDS]
SEED_ONLY = "seed-only"


def steps_of(config: Config, arms: list[str]) -> list[Step]:
    """Those of the run's own steps that the arms need, and those of the experiment."""
    digests = input_digests(config)
    run = select_steps(pipeline_steps(config, digests), f"models/m{config.rounds}")
    settings = {step.name: step.settings for step in run}
    measuring = {"evaluate": config.evaluate.model_dump(mode="json"), "inputs": dict(digests.evaluation_sets)}
    spoiling = {"noise": NOISE, "seed": config.random_seed}
    rated_noisy = ("candidates-noisy", "models/m0", "judge-1")
    steps = [
        *run,
        _measuring(SEED_ONLY, "models/m0", measuring),
        Step("ratings-rubric", "rate", ("candidates", "models/m0"), {"by": "rubric"}, 1, rate_by_rubric, True),
        Step("candidates-noisy", "augment", ("candidates",), spoiling, 1, add_noise),
        Step("ratings-noisy", "rate", rated_noisy, settings["ratings-1"], 1, rate_noisy, True),
    ]
    for name, arm in ARMS.items():
        steps += _arm_steps(name, arm, config.random_seed, settings["models/m0"])
        steps.append(_measuring(name, f"models/{name}", measuring, None if arm.is_tagged else ()))
    steps += [_measuring(name, f"models/{name}", measuring) for name in ROUNDS]
    steps += [_measuring(name, "models/calibrated", measuring, tags) for name, tags in ASKED.items()]
    wanted = {f"losses-{name}" for name in (SEED_ONLY, *arms)}
    for step in reversed(steps):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in steps if step.name in wanted]


def _arm_steps(name: str, arm: Arm, seed: int, training: Mapping[str, Any]) -> list[Step]:
    """Choosing, rewriting if the arm wants it, and training."""
    chosen = {"arm": [arm.score.__name__, arm.share, arm.with_seed], "seed": seed}
    curated, rewritten = f"curated-{name}", f"rewritten-{name}"
    steps = [Step(curated, "curate", (arm.candidates, arm.ratings), chosen, 1, partial(choose, arm=arm))]
    if arm.is_rewritten:
        steps.append(Step(rewritten, "curate", (curated, "models/m0"), {"seed": seed}, 1, rewrite, True))
    how = {**training, **chosen, **({} if arm.is_tagged else {"tags": ()})}
    needs = ("seed", rewritten if arm.is_rewritten else curated)
    run = partial(train, arm=arm)
    return [*steps, Step(f"models/{name}", "train", needs, how, 1, run, uses_prompts=True, uses_base_model=True)]


def _measuring(name: str, model: str, settings: Mapping[str, Any], tags: tuple[str, ...] | None = None) -> Step:
    """Measures a model asked with both tags, or with those of `tags` alone."""
    how = {**settings, **({} if tags is None else {"tags": tags})}
    return Step(f"losses-{name}", "evaluate", ("seed", model), how, 1, partial(measure, tags=tags), uses_prompts=True)


def tagged(prompts: PromptContract, tags: tuple[str, ...]) -> PromptContract:
    """The same prompts, with those tags alone; the others are empty."""
    empty = {tag: "" for tag in ("seed_tag", "web_tag") if tag not in tags}
    return PromptContract(prompts.chat, prompts.config.model_copy(update=empty))


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


def train(context: StageContext, arm: Arm) -> Outcome:
    """A forward model on the seed and what was chosen, or on that alone."""
    if not arm.is_tagged:
        context = replace(context, prompts=tagged(context.prompts, ()))
    if arm.with_seed:
        return train_forward(context)
    nothing = context.output.path / "no-seed"
    write_rows(nothing / "part-00000.parquet", [], Example)
    return train_forward(replace(context, inputs={**context.inputs, "seed": nothing}))


def measure(context: StageContext, tags: tuple[str, ...] | None) -> Outcome:
    """Writes the loss of every pair of every set by the pair's id; `tags` None asks with both."""
    prompts = context.prompts if tags is None else tagged(context.prompts, tags)
    sets = evaluation_sets(context.config, context.inputs["seed"] / "held-out")
    with context.engine(context.model) as engine:
        losses = {part.name: pair_losses(engine, prompts, part, context.config, "forward") for part in sets}
    by_id = {part.name: dict(zip((pair.id for pair in part.pairs), losses[part.name], strict=True)) for part in sets}
    write_json(context.output.path / LOSSES, by_id)
    return Outcome({name: sum(values) / len(values) for name, values in losses.items()})


Losses = dict[str, dict[int, dict[str, dict[str, float]]]]


@dataclass(frozen=True)
class Measured:
    """What one seed gave: `rows` says of each arm how many it kept and how many of these were spoilt."""

    seed: int
    settings: dict[str, Any]
    where: str
    rows: dict[str, dict[str, int]]
    losses: dict[str, dict[str, dict[str, float]]]  # by arm, set, pair


def measured(config: Config, folder: RunFolder, arms: list[str]) -> Measured:
    """What is finished in a run's folder."""
    names = ", ".join(f"{name} {number}" for name, number in versions().items())
    found = Measured(config.random_seed, settings_of(config), f"{hardware_line()}; {names}", {}, {})
    for arm in (SEED_ONLY, *arms):
        file = folder.step(f"losses-{arm}").path / LOSSES
        if file.exists():
            values = json.loads(file.read_text(encoding="utf-8"))
            found.losses[arm] = {
                name: {pair: round(loss, DIGITS) for pair, loss in by_pair.items()} for name, by_pair in values.items()
            }
            if arm != SEED_ONLY:
                chosen = "curated-calibrated" if arm in ASKED else ROUNDS.get(arm, f"curated-{arm}")
                kept = list(read_rows(folder.step(chosen).path, Curated))
                found.rows[arm] = {"kept": len(kept), "spoilt": sum(row.id.startswith(SPOILT) for row in kept)}
    return found


def settings_of(config: Config) -> dict[str, Any]:
    """What must be the same in all seeds of one table."""
    told = config.model_dump(mode="json", include={"ingest", "prompts", "augment", "rate", "train"})
    return told | {
        "model": Path(config.model).name,
        "engine": config.engine.kind,
        "sets": sorted(config.evaluate.sets),
    }


def save(results: Path, new: Measured) -> None:
    """Puts what a seed gave beside what an earlier call left of it."""
    file = results / f"seed-{new.seed}.json"
    if file.exists():
        old = read_measured(file)
        if old.settings == new.settings:
            new = replace(new, rows=old.rows | new.rows, losses=old.losses | new.losses)
    results.mkdir(parents=True, exist_ok=True)
    write_json(file, asdict(new))


def read_measured(file: Path) -> Measured:
    """What `save` wrote."""
    return Measured(**json.loads(file.read_text(encoding="utf-8")))


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


def mean_loss(losses: Losses, arm: str, sets: list[str]) -> float:
    """Mean loss over the pairs of all `sets` and all seeds, in nats a token."""
    return float(np.mean([loss for seed in losses[arm].values() for name in sets for loss in seed[name].values()]))


def table(found: Sequence[Measured]) -> str:
    """Losses of the seed alone; each arm against it and against random choice from the same candidates; as Markdown."""
    losses: Losses = defaultdict(dict)
    for one in found:
        for arm, values in one.losses.items():
            losses[arm][one.seed] = values
    sets = list(next(iter(losses[SEED_ONLY].values())))
    columns = ["arm", "rows", *sets, "all sets", "against random", "seeds"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    means = [mean_loss(losses, SEED_ONLY, [name]) for name in sets] + [mean_loss(losses, SEED_ONLY, sets)]
    lines.append(f"| {SEED_ONLY} | 0 | {' | '.join(f'{mean:.4f}' for mean in means)} | | {len(losses[SEED_ONLY])} |")
    for arm in (arm for arm in ALL if losses[arm]):
        lot = "random-noisy" if arm.endswith("noisy") else "random"
        kept = [one.rows[arm] for one in found if arm in one.rows]
        rows = f"{np.mean([facts['kept'] for facts in kept]):.0f}"
        if arm.endswith("noisy"):
            rows += f", {np.mean([facts['spoilt'] for facts in kept]):.0f} spoilt"
        cells = [difference(losses, arm, SEED_ONLY, [name]) for name in sets]
        cells += [difference(losses, arm, SEED_ONLY, sets), "" if arm == lot else difference(losses, arm, lot, sets)]
        lines.append(f"| {arm} | {rows} | {' | '.join(cells)} | {len(losses[arm])} |")
    if losses["m1"] and losses["m2"]:
        lines.append(f"\nm2 against m1, all sets: {difference(losses, 'm2', 'm1', sets)}")
    return "\n".join(lines)


def print_table(results: Path) -> None:
    """The table of all seeds that were run with the settings of the last one, and where each was run."""
    files = sorted(results.glob("seed-*.json"), key=lambda file: file.stat().st_mtime)
    if not files:
        raise SystemExit(f"{results}: no results; run the experiment first")
    found = [read_measured(file) for file in files]
    same = sorted((one for one in found if one.settings == found[-1].settings), key=lambda one: one.seed)
    print(table(same))
    recipe = same[0].settings["train"]
    print(f"\n{SEED_ONLY}: mean loss; the others: difference from it, with the 95 % interval")
    print(f"{recipe['steps']} steps of {recipe['batch_size']}")
    for one in same:
        print(f"seed {one.seed}: {one.where}")
    for one in found:
        if one not in same:
            print(f"seed {one.seed}: left out, its settings are others")


def main() -> None:
    """Runs what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?")
    parser.add_argument("--set", "-s", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", choices=ALL, default=ALL)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "arms")
    parser.add_argument("--table", action="store_true", help="print what there is and run nothing")
    options = parser.parse_args()
    if options.table:
        print_table(options.results)
        return
    if options.config is None:
        parser.error("give the configuration, or --table")
    name = load_config(options.config, options.set).name
    for seed in options.seeds:
        settings = [*options.set, f"random_seed={seed}", f"name={name}-{seed}", "rate.judge=calibrated"]
        config = load_config(options.config, settings)
        if "m2" in options.arms and config.rounds < len(ROUNDS):
            parser.error("the arm m2 is the model of a second round: set `rounds: 2`, or leave it out of --arms")
        folder = RunFolder(config.folder)
        with folder.locked():
            folder.create(config)
            run_steps(config, folder, step_states(config, steps_of(config, options.arms)), SilentProgress())
        save(options.results, measured(config, folder, options.arms))
        print_table(options.results)


if __name__ == "__main__":
    main()
