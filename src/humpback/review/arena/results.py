"""What a comparison came to: wins, ties and losses with intervals, agreement, and who passed the screening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.winrate.annotations import read_annotations
from humpback.review.agreement import krippendorff_alpha, wilson
from humpback.review.arena.pairs import Arena, Question
from humpback.review.arena.votes import Vote, Votes, votes_in

WIN, TIE, LOSS = 1, 0, -1
OUTCOMES = {"win": WIN, "tie": TIE, "loss": LOSS}
DRAW = 1.5  # of a preference from 1, the first output, to 2, the second

Values = dict[str, int]
"""WIN where model A is better, LOSS where B is, by question."""


def arena_results(arena: Arena, folder: Path, judgements: Path | None = None) -> dict[str, Any]:
    """The figures of all votes in a comparison's folder, as JSON takes them.

    Wins are those of `model_a`. A share of several annotators' votes gets its interval as if every question had one
    vote, since votes on one question are not independent: it is then rather too wide than too narrow.

    Raises:
        InputError: `judgements` cannot be used or are about other answers.
    """
    judged = None if judgements is None else _judgements(arena, judgements)
    everyone = votes_in(folder)
    annotators = {name: _annotator(arena, votes) for name, votes in everyone.items()}
    passed = {name: _values(arena, everyone[name]) for name, found in annotators.items() if found["passed"]}
    counted = [values for values in passed.values() if values]
    found: dict[str, Any] = {
        "model_a": arena.name_a,
        "model_b": arena.name_b,
        "questions": len(arena.questions),
        "screening_questions": len(arena.screening),
        "pass_mark": arena.pass_mark if arena.screening else None,
        "left_out": [name for name, one in annotators.items() if not one["passed"]],
        **_shares(counted),
        "krippendorff_alpha": krippendorff_alpha(counted, ordinal=True),
        "annotators": annotators,
    }
    if judged is not None:
        found["automatic_judge"] = _agreement(majority(counted), judged)
    return found


def majority(everyone: Sequence[Values]) -> Values:
    """What most annotators say of each question; a tie where wins and losses are equally many."""
    sums: Counter[str] = Counter()
    for values in everyone:
        for key, value in values.items():
            sums[key] += value
    return {key: (total > 0) - (total < 0) for key, total in sums.items()}


def screened(arena: Arena, votes: Votes) -> tuple[int, int]:
    """How many screening questions an annotator answered, and how many of these rightly."""
    said = [votes.by_key[one.key] for one in arena.screening if one.key in votes.by_key]
    return len(said), sum(vote.winner == "better" for vote in said)


def _annotator(arena: Arena, votes: Votes) -> dict[str, Any]:
    asked, right = screened(arena, votes)
    why = None
    if arena.screening and not asked:
        why = "has answered no screening question"
    elif arena.screening and right < arena.pass_mark * asked - 1e-9:
        why = f"{right} of {asked} screening questions right, less than {arena.pass_mark:.0%}"
    return {
        "passed": why is None,
        "why_left_out": why,
        "screening_asked": asked,
        "screening_right": right,
        "ended": votes.ended,
        **_shares([_values(arena, votes)]),
        "reasons": [
            {"question": question.instruction, "winner": vote.winner, "reason": vote.reason}
            for question, vote in _said(arena, votes)
            if vote.reason
        ],
    }


def _said(arena: Arena, votes: Votes) -> list[tuple[Question, Vote]]:
    return [(one, votes.by_key[one.key]) for one in arena.questions if one.key in votes.by_key]


def _values(arena: Arena, votes: Votes) -> Values:
    outcomes = {arena.name_a: WIN, arena.name_b: LOSS, None: TIE}
    return {question.key: outcomes[vote.winner] for question, vote in _said(arena, votes)}


def _shares(everyone: Sequence[Values]) -> dict[str, Any]:
    counts = Counter(value for values in everyone for value in values.values())
    total, questions = counts.total(), len({key for values in everyone for key in values})
    return {
        "votes": total,
        "questions_voted": questions,
        **{
            name: {
                "votes": counts[value],
                "share": counts[value] / total if total else None,
                "interval": wilson(counts[value] / total * questions, questions) if total else None,
            }
            for name, value in OUTCOMES.items()
        },
    }


def _judgements(arena: Arena, file: Path) -> Values:
    """What the automatic judge says, by question, whichever model its file names first."""
    questions = {(one.instruction, one.a, one.b): one.key for one in arena.questions}
    found: Values = {}
    rows = read_annotations(file)
    for row in rows:
        straight = questions.get((row.instruction, row.output_1, row.output_2))
        key = straight or questions.get((row.instruction, row.output_2, row.output_1))
        if key is None or row.preference is None:
            continue
        better = (row.preference < DRAW) - (row.preference > DRAW)
        found[key] = better if straight else -better
    if not found:
        raise InputError(
            f"--judgements: {file}: none of its {len(rows)} annotations is of a pair of answers that is compared here"
        )
    return found


def _agreement(people: Values, judge: Values) -> dict[str, Any]:
    both = [(people[key], judge[key]) for key in people if key in judge]
    decided = [(one, other) for one, other in both if one and other]
    same, same_decided = sum(a == b for a, b in both), sum(a == b for a, b in decided)
    return {
        "questions": len(both),
        "agreement": same / len(both) if both else None,
        "interval": wilson(same, len(both)),
        "questions_decided_by_both": len(decided),
        "agreement_where_decided": same_decided / len(decided) if decided else None,
        "interval_where_decided": wilson(same_decided, len(decided)),
        "krippendorff_alpha": krippendorff_alpha([people, judge], ordinal=True),
    }
