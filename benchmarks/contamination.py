"""Decontamination: recall of planted evaluation prompts, false alarms, speed, and the overlap of seed files.

    python benchmarks/contamination.py --shared DIR

needs `eval/`, `seed/` and `corpora/usgov.tar.gz`, `corpora/openstax.tar.gz` in DIR; prints Markdown.
"""

from __future__ import annotations

import argparse
import random
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from near_duplicates import corpus_texts

from humpback.config import DecontaminateConfig, IngestConfig
from humpback.corpus.contamination import EvaluationIndex, build_index, load_sets
from humpback.seed import read_seed

SETS = (
    "alpaca_eval/gpt4.json.gz",
    "fastchat/vicuna_bench_question.jsonl",
    "fastchat/mt_bench_question.jsonl",
    "koala/koala_test_set.jsonl",
    "self-instruct-user/user_oriented_instructions.jsonl",
    "ifeval/input_data.jsonl",
    "commonsense",
    "crows-pairs/crows_pairs_anonymized.csv",
)
SEEDS = ("oasst_trees_100.jsonl", "oasst_en_first_turn_best.jsonl", "dolly_3k.json", "self_instruct_seed_tasks.jsonl")
MOST_PLANTED = 800  # of each set
MIN_WORDS = 8  # shorter prompts only count where they stand alone, so they cannot be planted in a text
EDITED = 0.1


def main() -> None:
    """Prints recall by set, false alarms by corpus, and the prompts that seed files hit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    shared = parser.parse_args().shared
    config = DecontaminateConfig(against=[str(shared / "eval" / name) for name in SETS], defaults=False)
    index = build_index(load_sets(config, {}), config)
    texts = _texts(shared)
    _recall(config, index, texts)
    _false_alarms(index, texts)
    _seeds(shared)


def _texts(shared: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        for archive in ("usgov", "openstax"):
            with tarfile.open(shared / "corpora" / f"{archive}.tar.gz") as packed:
                packed.extractall(name, filter="data")
        return corpus_texts(40_000, Path(name))


def _recall(config: DecontaminateConfig, index: EvaluationIndex, texts: Sequence[str]) -> None:
    generator = random.Random(0)
    vocabulary = [word for text in texts[:500] for word in text.split()]
    hosts = [text for text in texts if len(text) > 1200]
    ways: dict[str, Callable[[str], str]] = {
        "verbatim": lambda text: text,
        "case and punctuation": lambda text: _recased(text, generator),
        "one word in ten edited": lambda text: _edited(text, vocabulary, generator),
    }
    print("| set | prompts | " + " | ".join(ways) + " |\n|---|---|" + "---|" * len(ways))
    for one in load_sets(config, {}):
        prompts = [prompt for prompt in one.prompts if len(prompt.text.split()) >= MIN_WORDS]
        prompts = generator.sample(prompts, min(len(prompts), MOST_PLANTED))
        row = []
        for change in ways.values():
            found = 0
            for prompt in prompts:
                host = generator.choice(hosts)
                middle = host.find(" ", len(host) // 2)
                hits = index.hits(f"{host[:middle]}\n{change(prompt.text)}\n{host[middle:]}")
                found += any(hit.set == one.name for hit in hits)
            row.append(f"{found / max(len(prompts), 1):.3f}")
        print(f"| {'/'.join(Path(one.name).parts[-2:])} | {len(prompts)} | {' | '.join(row)} |")
    print()


def _false_alarms(index: EvaluationIndex, texts: Sequence[str]) -> None:
    started = time.process_time()
    flagged = sum(bool(index.hits(text)) for text in texts)
    each = (time.process_time() - started) / sum(map(len, texts)) * 1500
    print(f"Of {len(texts):,} texts of usgov and openstax {flagged} are flagged ({flagged / len(texts):.3%}); ", end="")
    print(f"{1000 * each:.2f} ms of CPU time for 1,500 characters.\n")


def _seeds(shared: Path) -> None:
    config = DecontaminateConfig(against=[str(shared / "eval" / SETS[0])], defaults=False)
    index = build_index(load_sets(config, {}), config)
    print("| seed file | pairs that overlap AlpacaEval | its prompts, by line |\n|---|---|---|")
    for name in SEEDS:
        pairs = read_seed([str(shared / "seed" / name)], IngestConfig(max_broken_fraction=1.0)).examples
        hits = [index.hits(f"{pair.instruction}\n{pair.output}") for pair in pairs]
        prompts = sorted({int(hit.prompt) for found in hits for hit in found})
        print(f"| {name} | {sum(map(bool, hits))} of {len(pairs)} | {', '.join(map(str, prompts))} |")


def _recased(text: str, generator: random.Random) -> str:
    cased = text.upper() if generator.random() < 0.5 else text.lower()
    return re.sub(r"(?<!\w)[^\w\s]+|[^\w\s]+(?!\w)", lambda match: generator.choice(["", " ", "!", "–"]), cased)


def _edited(text: str, vocabulary: Sequence[str], generator: random.Random) -> str:
    words = text.split()
    for place in generator.sample(range(len(words)), max(1, round(EDITED * len(words)))):
        new = generator.choice(vocabulary)
        words[place] = generator.choice([new, "", f"{words[place]} {new}"])
    return " ".join(words)


if __name__ == "__main__":
    main()
