"""From a finished run to a file of preference pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from humpback.errors import InputError, NothingLeftError
from humpback.preferences.answers import Wanted, rate_answers, sample_answers
from humpback.preferences.choose import Choice, NoPair, choose
from humpback.preferences.file import write_pairs
from humpback.preferences.material import Asked, run_material
from humpback.progress import Progress, SilentProgress
from humpback.records import DropReason
from humpback.workspace import RunFolder, dropped_counts, row_count

WORK_SUFFIX = ".work"


@dataclass(frozen=True, slots=True)
class Made:
    """What came out: instructions, pairs, the reasons of those without one, and what became of sampled answers.

    `documents_chosen` and `documents_rejected` count pairs in which the document's own text won or lost; `answers` are
    the sampled ones that contended, `set_aside` counts the others by reason.
    """

    instructions: int
    pairs: int
    no_pair: dict[str, int]
    documents_chosen: int
    documents_rejected: int
    answers: int
    set_aside: dict[str, int]


def make_preferences(
    run: Path,
    out: Path,
    wanted: Wanted,
    *,
    with_seed: bool = False,
    limit: int | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> Made:
    """Writes preference pairs to `out`: to each instruction of the run's last curated set the best and worst answer.

    The run's last model answers, the judge of its last round rates, with the model which that judge was fitted to.
    Answers and ratings stay in a folder beside `out`: a stopped call goes on there, and one with another margin asks
    no model again.

    Raises:
        HumpbackError: the run is not finished, or its engine cannot rate.
        NothingLeftError: no instruction gave a pair; the message says why.
    """
    if wanted.samples < 2 and not wanted.documents:
        raise InputError("--samples 1 leaves one answer an instruction, and a pair takes two; give --samples 2 or more")
    if out.is_dir():
        raise InputError(f"{out}: is a folder; give --out a file, e.g. {out / 'pairs.jsonl'}")
    material = run_material(run, with_seed=with_seed, limit=limit, overrides=overrides)
    work = out.with_name(out.name + WORK_SUFFIX)
    shown = progress or SilentProgress()
    with RunFolder(work).locked():
        answers = sample_answers(material, wanted, work, shown)
        contenders = rate_answers(material, answers, wanted, work, shown)
        found = [(row, choose(contenders.get(row.id, []), wanted.margin)) for row in material.rows]
        pairs = [(row, choice) for row, choice in found if isinstance(choice, Choice)]
        made = _counted(found, pairs, row_count(answers.path), dropped_counts(answers.path))
        if not pairs:
            raise NothingLeftError(_explained(made, wanted))
        write_pairs(out, pairs, material.model.prompts)
    return made


def _counted(
    found: Sequence[tuple[Asked, Choice | NoPair]],
    pairs: Sequence[tuple[Asked, Choice]],
    answers: int,
    set_aside: dict[str, int],
) -> Made:
    no_pair = Counter(str(choice) for _, choice in found if isinstance(choice, NoPair))
    return Made(
        instructions=len(found),
        pairs=len(pairs),
        no_pair=dict(sorted(no_pair.items())),
        documents_chosen=sum(choice.chosen.is_document for _, choice in pairs),
        documents_rejected=sum(choice.rejected.is_document for _, choice in pairs),
        answers=answers,
        set_aside=set_aside,
    )


def counts_text(counts: dict[str, int]) -> str:
    """Counts by reason, for people; `none` without any."""
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "none"


def _explained(made: Made, wanted: Wanted) -> str:
    hints = [f"more --samples than {wanted.samples}"]
    if DropReason.UNFINISHED in made.set_aside:
        hints.insert(0, f"more --max-new-tokens than {wanted.max_new_tokens}")
    if NoPair.TOO_CLOSE in made.no_pair:
        hints.insert(0, f"a smaller --margin than {wanted.margin:g}")
    return (
        f"none of {made.instructions} instructions gave a pair ({counts_text(made.no_pair)}; sampled answers set "
        f"aside: {counts_text(made.set_aside)}); give {' or '.join(hints)}; what was answered and rated is kept"
    )
