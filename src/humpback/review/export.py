"""What labels are good for: a table for `humpback curate --labels`, edited pairs, and figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.records import Candidate
from humpback.review.acts import REVIEW_FOLDER
from humpback.review.agreement import krippendorff_alpha
from humpback.review.labels import BAD, GOOD, Combined, Labels, combined, read_all
from humpback.workspace import RunFolder, read_rows, write_text


def export_labels(run: Path, out: Path) -> int:
    """Writes the majority's labels as JSON Lines with `id` and `good`; how many there are.

    Ties have no line. `good_votes`, `bad_votes` and `edited_instruction` (null: nobody edited it) are for people.

    Raises:
        InputError: nobody has labelled anything that could be written.
    """
    rows = [
        {
            "id": row_id,
            "good": label.verdict,
            "good_votes": label.good,
            "bad_votes": label.bad,
            "edited_instruction": label.edited,
        }
        for row_id, label in sorted(_labelled(run).items())
        if label.verdict is not None
    ]
    if not rows:
        raise InputError(f"{run}: holds no labels that annotators agree on; label some pairs: humpback review {run}")
    _write_lines(out, rows)
    return len(rows)


def export_edits(run: Path, out: Path) -> int:
    """Writes the pairs that were accepted with an edited instruction, as JSON Lines that can be a seed; how many.

    Raises:
        InputError: there are none.
    """
    edits = {row_id: label.edited for row_id, label in _labelled(run).items() if label.edit_accepted}
    rows = [
        {"id": row.id, "instruction": edits[row.id], "output": row.output}
        for row in read_rows(run / "candidates", Candidate)
        if row.id in edits
    ]
    if not rows:
        raise InputError(f"{run}: no pair was accepted with an edited instruction; there is nothing to write")
    _write_lines(out, rows)
    return len(rows)


def label_figures(run: Path) -> dict[str, Any]:
    """How much each annotator labelled, what all say together, and how far they agree."""
    RunFolder(run).config()  # a folder that is no run is refused
    everyone = read_all(run / REVIEW_FOLDER)
    together = combined(everyone).values()
    return {
        "annotators": {name: _counts(labels) for name, labels in everyone.items()},
        "good": sum(label.verdict is True for label in together),
        "bad": sum(label.verdict is False for label in together),
        "ties": sum(label.verdict is None and label.good > 0 for label in together),
        "krippendorff_alpha": krippendorff_alpha([_values(labels) for labels in everyone.values()], ordinal=False),
    }


def _labelled(run: Path) -> dict[str, Combined]:
    RunFolder(run).config()
    return combined(read_all(run / REVIEW_FOLDER))


def _counts(labels: Labels) -> dict[str, int]:
    found = labels.by_id.values()
    return {
        GOOD: sum(label.verdict == GOOD for label in found),
        BAD: sum(label.verdict == BAD for label in found),
        "edited": sum(label.instruction is not None for label in found),
    }


def _values(labels: Labels) -> dict[str, int]:
    """1 and 0 for what is said of pairs as the run has them, by id."""
    return {
        row_id: int(label.verdict == GOOD)
        for row_id, label in labels.by_id.items()
        if label.verdict == BAD or (label.verdict == GOOD and label.instruction is None)
    }


def _write_lines(out: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_text(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
