"""Labels of candidates: what each annotator says now, how it is undone, and what all of them say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.review.acts import ActLog, logs_in, now

GOOD, BAD = "good", "bad"
PREFIX = "labels"


@dataclass(frozen=True, slots=True)
class Label:
    """What one annotator says of one pair: a `verdict` (`good`, `bad` or None) on what they saw, and how the
    `instruction` should read (None: as it does)."""

    verdict: str | None = None
    instruction: str | None = None
    time: str = ""


NOTHING = Label()


class Labels:
    """One annotator's labels, in memory and in their file."""

    def __init__(self, log: ActLog) -> None:
        self._log = log
        self._now: dict[str, Label] = {}
        self._before: list[tuple[str, Label]] = []  # what the acts that stand replaced, last one last
        for act in log.read():
            self._replay(act)

    @property
    def by_id(self) -> Mapping[str, Label]:
        """The labels that say something, by the candidate's id."""
        return self._now

    def get(self, row_id: str) -> Label:
        """The label of a candidate; an empty one where there is none."""
        return self._now.get(row_id, NOTHING)

    def set(self, row_id: str, verdict: str | None, instruction: str | None) -> Label:
        """Writes a label down; it replaces the one before. What is said already is not written again.

        Raises:
            WorkspaceError: it could not be written; nothing is changed then.
        """
        before = self.get(row_id)
        if (before.verdict, before.instruction) == (verdict, instruction):
            return before
        act = {"time": now(), "id": row_id, "verdict": verdict, "instruction": instruction}
        self._log.append(act)
        self._replay(act)
        return self.get(row_id)

    def undo(self) -> str | None:
        """Takes the last act back that stands, across restarts too; the candidate's id, or None: there is none.

        Raises:
            WorkspaceError: it could not be written; nothing is changed then.
        """
        if not self._before:
            return None
        row_id = self._before[-1][0]
        act = {"time": now(), "undo": row_id}
        self._log.append(act)
        self._replay(act)
        return row_id

    def _replay(self, act: Mapping[str, Any]) -> None:
        if "undo" in act:
            if self._before:
                self._put(*self._before.pop())
            return
        row_id = str(act.get("id"))
        self._before.append((row_id, self.get(row_id)))
        self._put(row_id, Label(act.get("verdict"), act.get("instruction"), str(act.get("time", ""))))

    def _put(self, row_id: str, label: Label) -> None:
        if label.verdict is None and label.instruction is None:
            self._now.pop(row_id, None)
        else:
            self._now[row_id] = label


@dataclass(frozen=True, slots=True)
class Combined:
    """What all annotators say of one pair as the run has it. `edited` is the newest instruction of theirs."""

    good: int
    bad: int
    edited: str | None
    edit_accepted: bool

    @property
    def verdict(self) -> bool | None:
        """What more of them say; None where neither is."""
        return None if self.good == self.bad else self.good > self.bad


def read_all(folder: Path) -> dict[str, Labels]:
    """The labels of everybody who ever labelled in this folder, by their names."""
    return {name: Labels(log) for name, log in logs_in(folder, PREFIX).items()}


def log_of(folder: Path, annotator: str) -> ActLog:
    """Where the labels of an annotator stand."""
    return ActLog(folder / f"{PREFIX}-{annotator}.jsonl")


def combined(everyone: Mapping[str, Labels]) -> dict[str, Combined]:
    """What annotators say together, by the candidate's id.

    Whoever accepts a pair after editing its instruction says nothing about the pair as it was, so that this is no
    label of it; whoever rejects it even so says that it was bad.
    """
    good: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    edits: dict[str, Label] = {}
    for labels in everyone.values():
        for row_id, label in labels.by_id.items():
            good[row_id] += label.verdict == GOOD and label.instruction is None
            bad[row_id] += label.verdict == BAD
            if label.instruction is not None and label.time >= edits.get(row_id, NOTHING).time:
                edits[row_id] = label
    return {
        row_id: Combined(
            good[row_id],
            bad[row_id],
            edits.get(row_id, NOTHING).instruction,
            edits.get(row_id, NOTHING).verdict == GOOD,
        )
        for row_id in good
    }
