"""Where rows went: every stage with what came in, what stayed, and what was set aside for which reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from humpback.config import Config
from humpback.report.reasons import reason_text, rule_sentence
from humpback.report.samples import Sample, dropped_samples, unparsed_samples
from humpback.workspace import Manifest

CARRIED = "carried_over"  # the fact of a step that is an earlier one once more (stages/verdict.py)


@dataclass(frozen=True, slots=True)
class Reason:
    """Rows set aside for one reason, and a few of them."""

    code: str
    meaning: str
    count: int
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Stage:
    """One narrowing: `incoming` rows, `kept` of them, the others by reason."""

    key: str
    title: str
    explanation: str
    incoming: int
    kept: int
    kept_name: str
    reasons: list[Reason]

    @property
    def aside(self) -> int:
        """Rows set aside."""
        return sum(reason.count for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Funnel:
    """All stages in order."""

    documents: int | None
    stages: list[Stage]


def funnel(config: Config, inputs: Mapping[str, Path], manifests: Mapping[str, Manifest]) -> Funnel:
    """The stages from documents to the last curated set."""
    passages, segments, candidates = (manifests[name] for name in ("passages", "segments", "candidates"))
    stages = [
        Stage(
            "passages",
            "Documents to passages",
            "Every document is cut along its headers; a section whose length, header and text pass the filters is a "
            "passage. Sections lie inside one another, so one text can be counted more than once here.",
            passages.rows + sum(passages.dropped.values()),
            passages.rows,
            "passages",
            _reasons(config, inputs["passages"], passages),
        ),
        Stage(
            "segments",
            "Passages to segments",
            "Of equal texts the first stays; a configured limit is filled by lot.",
            passages.rows,
            segments.rows,
            "segments",
            _reasons(config, inputs["segments"], segments),
        ),
        Stage(
            "candidates",
            "Instructions to candidates",
            "The backward model writes instructions that each segment would answer; of a segment's, the one that fits "
            "best stays.",
            candidates.rows + sum(candidates.dropped.values()),
            candidates.rows,
            "candidates",
            _reasons(config, inputs["candidates"], candidates),
        ),
    ]
    for number in range(1, config.rounds + 1):
        stages += _round(config, inputs, manifests, number)
    return Funnel(passages.facts.get("documents"), stages)


def seed_stage(config: Config, folder: Path, manifest: Manifest) -> Stage:
    """The seed's own narrowing; pairs held out, for losses or for the judge, count as kept."""
    kept = manifest.rows + sum(int(manifest.facts.get(name, 0)) for name in ("held_out", "calibration"))
    reasons = _reasons(config, folder, manifest)
    return Stage("seed", "Seed pairs", "", kept + sum(manifest.dropped.values()), kept, "pairs", reasons)


def _round(config: Config, inputs: Mapping[str, Path], manifests: Mapping[str, Manifest], number: int) -> list[Stage]:
    rating, curated = manifests[f"ratings-{number}"], manifests[f"curated-{number}"]
    unparsed: dict[str, int] = rating.facts.get("unparsed", {})
    samples = unparsed_samples(inputs[f"ratings-{number}"], config.random_seed) if unparsed else {}
    return [
        Stage(
            f"ratings-{number}",
            f"Round {number}: candidates to ratings",
            _carried(rating)
            or f"The model m{number - 1} rates every candidate from 1 to 5. What could not be rated has no rating; it "
            "is not a low one.",
            rating.rows,
            rating.rows - sum(unparsed.values()),
            "rated",
            _listed(config, unparsed, samples),
        ),
        Stage(
            f"curated-{number}",
            f"Round {number}: candidates to the curated set",
            _carried(curated)
            or rule_sentence(str(curated.facts.get("rule", ""))) + "Every round chooses from all candidates anew.",
            curated.rows + sum(curated.dropped.values()),
            curated.rows,
            "kept",
            _reasons(config, inputs[f"curated-{number}"], curated),
        ),
    ]


def _carried(manifest: Manifest) -> str:
    source = manifest.facts.get(CARRIED)
    return f"The loop had stopped: this is {source} once more." if source else ""


def _reasons(config: Config, folder: Path, manifest: Manifest) -> list[Reason]:
    samples = dropped_samples(folder, config.random_seed) if manifest.dropped else {}
    return _listed(config, manifest.dropped, samples)


def _listed(config: Config, counts: Mapping[str, int], samples: Mapping[str, list[Sample]]) -> list[Reason]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Reason(code, reason_text(code, config), count, samples.get(code, [])) for code, count in ordered]
