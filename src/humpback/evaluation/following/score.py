"""Strict and loose accuracy, by prompt and by instruction (Zhou et al. 2023, sections 2.2 and 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from humpback.evaluation.following.prompts import FollowingPrompt, Instruction
from humpback.evaluation.shares import Share, grouped_share, proportion


@dataclass(frozen=True, slots=True)
class KindAccuracy:
    """Strict and loose accuracy on the instructions of one kind."""

    strict: Share
    loose: Share


@dataclass(frozen=True, slots=True)
class Following:
    """The four accuracies, with bootstrap intervals over prompts; and by kind, with Wilson's intervals.

    A prompt counts when all of its instructions are followed. Loose accuracy also accepts a response that follows
    without its first line, its last line, both, or its asterisks: what often is an introduction, a close, Markdown.
    """

    prompts: int
    prompt_strict: Share
    instruction_strict: Share
    prompt_loose: Share
    instruction_loose: Share
    groups: dict[str, KindAccuracy]
    kinds: dict[str, KindAccuracy]


def measure_following(prompts: Sequence[FollowingPrompt], responses: Sequence[str], seed: int = 0) -> Following:
    """How far `responses`, one a prompt, follow the instructions of `prompts`; `seed` is the bootstrap's."""
    strict, loose = [], []
    by_kind: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    by_group: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for prompt, response in zip(prompts, responses, strict=True):
        relaxed = loosened(response)
        marks = [(one.holds(response), _any_holds(one, relaxed)) for one in prompt.instructions]
        strict.append([mark for mark, _ in marks])
        loose.append([mark for _, mark in marks])
        for instruction, mark in zip(prompt.instructions, marks, strict=True):
            by_kind[instruction.kind].append(mark)
            by_group[instruction.kind.partition(":")[0]].append(mark)
    return Following(
        prompts=len(prompts),
        prompt_strict=grouped_share([[all(marks)] for marks in strict], seed),
        instruction_strict=grouped_share(strict, seed),
        prompt_loose=grouped_share([[all(marks)] for marks in loose], seed),
        instruction_loose=grouped_share(loose, seed),
        groups=_accuracies(by_group),
        kinds=_accuracies(by_kind),
    )


def loosened(response: str) -> list[str]:
    """The response and what is left of it without its first line, its last line, both; and these without asterisks."""
    lines = response.split("\n")
    cut = [response, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return [*cut, *(text.replace("*", "") for text in cut)]


def _any_holds(instruction: Instruction, responses: Sequence[str]) -> bool:
    return any(instruction.holds(response) for response in responses)


def _accuracies(marks: dict[str, list[tuple[bool, bool]]]) -> dict[str, KindAccuracy]:
    return {
        name: KindAccuracy(proportion([strict for strict, _ in found]), proportion([loose for _, loose in found]))
        for name, found in sorted(marks.items())
    }
