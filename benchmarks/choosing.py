"""What it does to choose among several instructions for one text.

    python benchmarks/choosing.py --run runs/NAME [--texts 60] [--samples 4]

The run's backward model samples instructions for its segments, its seed model reads the texts after them, and its first
round's judge, where there is one, says how good the pairs are. Prints how much each likelihood varies among the
instructions of one text, and a table for the first one, the first two, and so on: the likelihoods, the length in words
beside the seed's, and the judge's mean probability of a good pair. The judge reads the same forward likelihood that
chooses, so its word is no proof.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from humpback.augmentation.choosing import Chooser, Lengths, chosen_of
from humpback.augmentation.sampling import Sampled, Sampler, candidates_of, run_linter
from humpback.config import Config, load_config
from humpback.corpus.words import words
from humpback.engines import Engine, LikelihoodRequest, Sampling, chat_format, open_engine
from humpback.hardware import hardware_line, versions
from humpback.judge.fit import Judge
from humpback.judge.reader import Question, read_signals
from humpback.models import model_folder
from humpback.prompts import PromptContract
from humpback.records import Example, Segment
from humpback.workspace import read_rows


def main() -> None:
    """Samples, reads, and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="a run with segments and models")
    parser.add_argument("--texts", type=int, default=60)
    parser.add_argument("--samples", type=int, default=4)
    options = parser.parse_args()
    config = load_config(options.run / "humpback.yaml")
    prompts = PromptContract(chat_format(config.engine, config.prompts, model_folder(config.model)), config.prompts)
    segments = list(read_rows(options.run / "segments", Segment))[: options.texts]
    seed = [pair.instruction for pair in read_rows(options.run / "seed", Example)]
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"{hardware_line()}; {torch.get_num_threads()} threads; {config.model}; {packages}\n")
    started = time.monotonic()
    sampled = _sample(options.run, config, prompts, segments, options.samples)
    count, seconds = sum(map(len, sampled.values())), time.monotonic() - started
    print(f"{count} different instructions for {len(segments)} texts in {seconds:.0f} s.")
    with closing(open_engine(config.engine, options.run / "models" / "m0", prompts.chat.end)) as engine:
        _table(sampled, Chooser(engine, prompts, Lengths.of(seed)), seed, _judge(options.run), options.samples)


def _sample(
    run: Path, config: Config, prompts: PromptContract, segments: list[Segment], samples: int
) -> dict[str, list[Sampled]]:
    settings = config.augment
    sampling = Sampling(settings.temperature, settings.top_p, settings.max_new_tokens)
    with closing(open_engine(config.engine, run / "models" / "backward", prompts.chat.end)) as engine:
        linter = run_linter(prompts, settings.lint)
        limit = config.prompts.max_text_tokens
        sampler = Sampler(engine, prompts, sampling, limit, config.random_seed, linter, settings.resample, samples)
        found: dict[str, list[Sampled]] = defaultdict(list)
        for one in candidates_of(segments, sampler).kept:
            if isinstance(one, Sampled):
                found[one.segment].append(one)
    return found


def _judge(run: Path) -> Judge | None:
    file = run / "judge-1" / "judge.json"
    return Judge.from_json(file.read_text(encoding="utf-8")) if file.exists() else None


def _table(
    sampled: dict[str, list[Sampled]], chooser: Chooser, seed: Sequence[str], judge: Judge | None, samples: int
) -> None:
    everything = [one for several in sampled.values() for one in several]
    forward = _forward(everything, chooser)
    good = _p_good(everything, chooser.engine, chooser.prompts, judge)
    several = [group for group in sampled.values() if len(group) > 1]
    backward_spread = np.mean([np.std([one.likelihood or 0.0 for one in group]) for group in several])
    forward_spread = np.mean([np.std([forward[one.id] for one in group]) for group in several])
    print(
        f"Among the instructions of one text, the standard deviation is {backward_spread:.3f} nats a token of the "
        f"instruction and {forward_spread:.3f} nats a token of the text: 1 to {backward_spread / forward_spread:.1f}.\n"
    )
    lengths = [len(words(instruction)) for instruction in seed]
    print("| sampled | mean log p(x given y) | mean log p(y given x) | words | good by the judge |")
    print("|---|---|---|---|---|")
    for count in range(1, samples + 1):
        offered = [one for group in sampled.values() for one in group[:count]]
        lost = {one.id for one in chosen_of(offered, chooser).dropped} if count > 1 else set()
        kept = [one for one in offered if one.id not in lost]
        asked = [len(words(one.instruction)) for one in kept]
        judged = f"{np.mean([good[one.id] for one in kept]):.3f}" if good else "-"
        likely = np.mean([one.likelihood for one in kept if one.likelihood is not None])
        reads = np.mean([forward[one.id] for one in kept])
        print(f"| {count} | {likely:.3f} | {reads:.3f} | {np.mean(asked):.1f} ± {np.std(asked):.1f} | {judged} |")
    print(
        f"\nThe seed's instructions have {np.mean(lengths):.1f} ± {np.std(lengths):.1f} words, median "
        f"{np.median(lengths):.0f}."
    )


def _forward(candidates: Sequence[Sampled], chooser: Chooser) -> dict[str, float]:
    tag = chooser.prompts.config.seed_tag
    requests = [
        LikelihoodRequest(one.id, chooser.prompts.forward(one.instruction, tag), chooser.prompts.answer(one.output))
        for one in candidates
    ]
    return {found.row_id: found.logprob / found.tokens for found in chooser.engine.loglikelihood(requests)}


def _p_good(
    candidates: Sequence[Sampled], engine: Engine, prompts: PromptContract, judge: Judge | None
) -> dict[str, float]:
    if judge is None:
        return {}
    signals = read_signals(engine, prompts, [Question(one.id, one.instruction, one.output) for one in candidates])
    return {
        one.id: float(judge.p_good([found])[0])
        for one, found in zip(candidates, signals, strict=True)
        if found is not None
    }


if __name__ == "__main__":
    main()
