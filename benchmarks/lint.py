"""What the linter of generated instructions finds and what it takes by mistake.

    python benchmarks/lint.py --shared DIR

`DIR/data` holds 150 instructions that another implementation's backward model wrote, of which some leak the prompt;
`lint_labels.jsonl` says of each, by its line, what speaks against it. The labels were given before the rules were
written. The rules' words and thresholds were chosen on the even lines: the odd ones are held out. The prompt of that
implementation is not among the linter's templates, so what it leaks is known by general phrases only.

For false alarms it reads instructions that people wrote. Those that come with a text in a field of its own are left
out; those that hold one, which answers may repeat, are most of the long ones, so the short ones are counted apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.config import LintConfig, PromptsConfig
from humpback.lint import Linter
from humpback.lint.guess import Verdict
from humpback.prompts import BACKWARD_SYSTEM
from humpback.prompts.contract import load_templates

LABELS = Path(__file__).with_name("lint_labels.jsonl")
SHORT_WORDS = 60
"""Longer instructions of people bring a text to work on, with few exceptions (ours)."""

GENERATED = "data/eval/backward_generations_with_leaks_150.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """A generated instruction's line in its file, the reasons on its label, and those of the linter, in its order."""

    number: int
    label: frozenset[str]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Of the lines that ought to go, the share that goes; and of those that go, the share that ought to."""

    recall: float
    precision: float
    bad: int
    lines: int


def make_linter() -> Linter:
    """The linter with the built-in templates and no model's control tokens."""
    return Linter(LintConfig(), [*load_templates(PromptsConfig()).values(), BACKWARD_SYSTEM], ())


def judged_lines(shared: Path) -> list[Line]:
    """The generated instructions with their labels and what the linter says."""
    linter = make_linter()
    labels: dict[int, frozenset[str]] = {row["line"]: frozenset(row["reasons"]) for row in _rows(LABELS)}
    return [
        Line(number, labels[number], reasons(linter, row["generated_instruction"], row["lima_completion"]))
        for number, row in enumerate(_rows(shared / GENERATED), 1)
    ]


def reasons(linter: Linter, instruction: str, output: str) -> tuple[str, ...]:
    """All reasons of the linter against an instruction; the first one is that by which it would go."""
    return tuple(str(reason) for reason, _ in linter.findings(instruction, output))


def score(lines: Sequence[Line]) -> Score:
    """Recall and precision of throwing out, whatever the reason."""
    bad = [line for line in lines if line.label]
    out = [line for line in lines if line.found]
    both = sum(bool(line.label) for line in out)
    return Score(both / max(len(bad), 1), both / max(len(out), 1), len(bad), len(lines))


def human_instructions(shared: Path) -> dict[str, list[tuple[str, str]]]:
    """Instructions of people with their answers, by set, without those that come with a text of their own."""
    seed = shared / "data/seed"
    dolly = json.loads((seed / "dolly_3k.json").read_text(encoding="utf-8"))
    tasks = [(row["instruction"], row["instances"][0]) for row in _rows(seed / "self_instruct_seed_tasks.jsonl")]
    return {
        "OASST": [(row["instruction"], row["output"]) for row in _rows(seed / "oasst_en_first_turn_best.jsonl")],
        "OASST2": [(row["question"], row["answer"]) for row in _rows(seed / "oasst2_ranked_replies_dev.jsonl")],
        "Dolly": [(row["instruction"], row["output"]) for row in dolly if not row["input"].strip()],
        "Self-Instruct": [(text, one["output"]) for text, one in tasks if not one["input"].strip()],
        "LIMA, of the 150": [(row["lima_instruction"], row["lima_completion"]) for row in _rows(shared / GENERATED)],
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _print_scores(lines: Sequence[Line]) -> None:
    parts = {
        "even lines (tuned on)": [line for line in lines if line.number % 2 == 0],
        "odd lines (held out)": [line for line in lines if line.number % 2],
        "all": list(lines),
    }
    print("| lines | n | bad | recall | precision |\n|---|---|---|---|---|")
    for name, part in parts.items():
        of = score(part)
        print(f"| {name} | {of.lines} | {of.bad} | {of.recall:.3f} | {of.precision:.3f} |")


def _print_reasons(lines: Sequence[Line]) -> None:
    print("\n| reason | on labels | found of these | found | first reason |\n|---|---|---|---|---|")
    labelled = Counter(reason for line in lines for reason in line.label)
    both = Counter(reason for line in lines for reason in line.label & set(line.found))
    found = Counter(reason for line in lines for reason in set(line.found))
    first = Counter(line.found[0] for line in lines if line.found)
    for reason in sorted(labelled | found, key=lambda name: (-labelled[name], name)):
        print(f"| {reason} | {labelled[reason]} | {both[reason]} | {found[reason]} | {first[reason]} |")


def _print_misjudged(lines: Iterable[Line]) -> None:
    print("\nmisjudged lines:")
    for line in lines:
        if bool(line.label) != bool(line.found):
            kind = "missed" if line.label else "taken"
            print(f"  {line.number} {kind}: label {sorted(line.label)}, linter {list(line.found)}")


def _print_human(shared: Path, show: bool) -> None:
    linter = make_linter()
    print(f"\n| people's instructions | n | thrown out | n, up to {SHORT_WORDS} words | thrown out | by first reason |")
    print("|---|---|---|---|---|---|")
    for name, pairs in human_instructions(shared).items():
        distinct = list({instruction: (instruction, output) for instruction, output in pairs}.values())
        found = [(text, linter.judge(text, output)) for text, output in distinct]
        short = [(text, verdict) for text, verdict in found if len(text.split()) <= SHORT_WORDS]
        counts = Counter(str(verdict[0]) for _, verdict in short if verdict)
        listed = ", ".join(f"{reason} {count / len(short):.2%}" for reason, count in counts.most_common())
        print(f"| {name} | {len(found)} | {_share_out(found)} | {len(short)} | {_share_out(short)} | {listed} |")
        for text, verdict in found if show else ():
            if verdict:
                print(f"    {verdict[0]}: {verdict[1]} <- {text[:200]!r}")


def _share_out(found: Sequence[tuple[str, Verdict]]) -> str:
    return f"{sum(verdict is not None for _, verdict in found) / len(found):.2%}"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/eval and data/seed")
    parser.add_argument("--show", action="store_true", help="print every instruction of people that is thrown out")
    options = parser.parse_args()
    lines = judged_lines(options.shared)
    _print_scores(lines)
    _print_reasons(lines)
    _print_misjudged(lines)
    _print_human(options.shared, options.show)


if __name__ == "__main__":
    main()
