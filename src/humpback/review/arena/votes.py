"""Votes of one annotator: written at once, taken back, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.review.acts import ActLog, logs_in, now
from humpback.review.arena.pairs import CHOICES, FIRST, SAME, Arena, Question

PREFIX = "votes"


@dataclass(frozen=True, slots=True)
class Vote:
    """`winner` is the better answer's model, None for no difference; for screening questions, `better` or `worse`."""

    winner: str | None
    reason: str | None


class Votes:
    """One annotator's votes, in memory and in their file; a question's last vote counts."""

    def __init__(self, log: ActLog) -> None:
        self._log = log
        self._order: list[str] = []
        self.by_key: dict[str, Vote] = {}
        self.ended = False
        for act in log.read():
            self._replay(act)

    def vote(self, arena: Arena, annotator: str, question: Question, choice: str, reason: str | None) -> None:
        """Writes down a vote for the first answer, the second, or neither.

        Raises:
            WorkspaceError: it could not be written; nothing is changed then.
        """
        assert choice in CHOICES
        a_first = arena.a_is_first(annotator, question)
        a, b = ("better", "worse") if question.is_screening else (arena.name_a, arena.name_b)
        winner = None if choice == SAME else a if (choice == FIRST) == a_first else b
        self._write({"key": question.key, "winner": winner, "first": a if a_first else b, "reason": reason})

    def undo(self) -> str | None:
        """Takes the last vote back that stands; its question's key, or None: there is none.

        Raises:
            WorkspaceError: it could not be written; nothing is changed then.
        """
        if not self._order:
            return None
        key = self._order[-1]
        self._write({"undo": key})
        return key

    def end(self) -> None:
        """Closes the votes: the names are shown from now on, so nothing can be changed any more.

        Raises:
            WorkspaceError: it could not be written; nothing is changed then.
        """
        self._write({"end": True})

    def _write(self, act: dict[str, Any]) -> None:
        act = {"time": now(), **act}
        self._log.append(act)
        self._replay(act)

    def _replay(self, act: Mapping[str, Any]) -> None:
        if "end" in act:
            self.ended = True
        elif "undo" in act:
            key = str(act["undo"])
            self.by_key.pop(key, None)
            self._order = [one for one in self._order if one != key]
        else:
            key = str(act.get("key"))
            self.by_key[key] = Vote(act.get("winner"), act.get("reason"))
            self._order = [one for one in self._order if one != key] + [key]


def votes_in(folder: Path) -> dict[str, Votes]:
    """Everybody's votes in a comparison's folder, by annotator."""
    return {name: Votes(log) for name, log in logs_in(folder, PREFIX).items()}


def votes_of(folder: Path, annotator: str) -> Votes:
    """The votes of one annotator, who may have none yet."""
    return Votes(ActLog(folder / f"{PREFIX}-{annotator}.jsonl"))
