"""All benchmarks of one model: the harness's, and IFEval with checks of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from humpback.config import BenchmarksConfig, EvaluateConfig
from humpback.engines import Sampling
from humpback.errors import InputError
from humpback.evaluation.asking import Model
from humpback.evaluation.following import Following, FollowingPrompt, measure_following, read_following_prompts
from humpback.evaluation.generations import answer_all
from humpback.evaluation.harness.files import Source, find_source
from humpback.evaluation.harness.measure import Measured, measure_benchmarks
from humpback.evaluation.harness.suites import BENCHMARKS
from humpback.evaluation.harness.tables import Line, paper_tables
from humpback.evaluation.outputs import Output, OutputHealth, output_health, prompt_pieces
from humpback.evaluation.prompt_sets import Prompt
from humpback.progress import Progress
from humpback.records import content_id
from humpback.workspace import fingerprint

IFEVAL = "ifeval"
IFEVAL_PATTERNS = ("ifeval*/input_data.jsonl", "ifeval*.jsonl")
IFEVAL_SAMPLING = Sampling(temperature=0.0, top_p=1.0, max_new_tokens=1280)
"""The likeliest tokens, at most so many, as in the harness's task."""

NAMES = (*BENCHMARKS, IFEVAL)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured from a folder; `missing` names the wanted benchmarks of which it holds nothing."""

    sources: list[Source]
    ifeval: list[FollowingPrompt]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class IFEval:
    """How far a model follows instructions that can be checked, and the health of those answers."""

    following: Following
    health: OutputHealth


@dataclass(frozen=True, slots=True)
class Results:
    """The paper's tables by their numbers, what was measured on each of the harness's tasks, and IFEval."""

    tables: dict[int, list[Line]]
    measured: list[Measured]
    ifeval: IFEval | None

    def as_json(self) -> dict[str, Any]:
        """For a file: the tables as `table_N`, and each task's figures without its rows."""
        tables = {f"table_{number}": [asdict(line) for line in lines] for number, lines in self.tables.items()}
        ifeval = {} if self.ifeval is None else {IFEVAL: asdict(self.ifeval)}
        return {**tables, **ifeval, "tasks": [one.figures() for one in self.measured]}


def plan_benchmarks(
    folder: Path, names: Sequence[str] | None, *, among: Sequence[str] = NAMES, option: str = "--data"
) -> Plan:
    """What of the benchmarks `names`, by default of all `among`, can be measured from a folder that `option` named.

    Raises:
        InputError: there is no such folder or benchmark, nothing is found, or not all that `names` wants.
    """
    if not folder.is_dir():
        raise InputError(f"{option}: {folder}: no such folder; name the one that holds the benchmarks' files")
    wanted = set(among if names is None else names)
    if unknown := sorted(wanted - set(among)):
        raise InputError(f"--tasks: {', '.join(unknown)}: no such benchmark; choose among {', '.join(among)}")
    patterns = {**{name: one.patterns for name, one in BENCHMARKS.items()}, IFEVAL: IFEVAL_PATTERNS}
    found = {name: find_source(folder, benchmark) for name, benchmark in BENCHMARKS.items() if name in wanted}
    sources = [source for source in found.values() if source is not None]
    prompts = _ifeval_file(folder) if IFEVAL in wanted else None
    missing = [name for name, source in found.items() if source is None]
    if IFEVAL in wanted and prompts is None:
        missing.append(IFEVAL)
    if len(missing) == len(wanted) or (missing and names is not None):
        told = "; ".join(f"{name} ({' or '.join(patterns[name])})" for name in missing)
        raise InputError(f"{option}: {folder}: holds no file of {told or 'any benchmark: --tasks names none'}")
    return Plan(sources, [] if prompts is None else read_following_prompts(prompts), missing)


def configured_plan(chosen: BenchmarksConfig) -> Plan:
    """What a run measures of the folder that it names, IFEval apart; nothing where it names none.

    Raises:
        InputError: as `plan_benchmarks`.
    """
    if chosen.data is None:
        return Plan([], [], [])
    return plan_benchmarks(chosen.data, chosen.tasks, among=tuple(BENCHMARKS), option="evaluate.benchmarks.data")


def measured_files(evaluate: EvaluateConfig) -> dict[str, str]:
    """All tables that a run's models are measured on, by name: nothing of them may be trained on.

    MMLU is left out where it comes as an archive or in a file for each subject: its unpacked folder can be named in
    `ingest.decontaminate.against`.
    """
    sources = configured_plan(evaluate.benchmarks).sources
    tables = {source.benchmark.name: str(source.files[0]) for source in sources if source.benchmark.name != "mmlu"}
    return tables | evaluate.measured_on


def _ifeval_file(folder: Path) -> Path | None:
    return next((file for pattern in IFEVAL_PATTERNS for file in sorted(folder.rglob(pattern))), None)


def run_benchmarks(
    model: Model,
    plan: Plan,
    work: Path,
    progress: Progress,
    *,
    limit: int | None = None,
    shots: int = 0,
    batch_size: int = 8,
) -> Results:
    """What the model does on the planned benchmarks; `limit` takes so many rows of each task, the first.

    Answers stand in folder `work` until the caller removes it: a run that was stopped goes on. Models that are asked
    one after the other may share it, and with it the harness's own copies of the tables.
    """
    measured: list[Measured] = []
    if plan.sources:
        measured = measure_benchmarks(
            model, plan.sources, work, progress, limit=limit, shots=shots, batch_size=batch_size
        )
    prompts = plan.ifeval[:limit]
    ifeval = _measure_ifeval(model, prompts, work, progress) if prompts else None
    return Results(paper_tables(measured), measured, ifeval)


def _measure_ifeval(model: Model, prompts: Sequence[FollowingPrompt], work: Path, progress: Progress) -> IFEval:
    """Asked as the model is asked in use, under both tags: a bare text would not be taken for a request."""
    asked = [Prompt(content_id("prompt", one.text), one.text, IFEVAL, "") for one in prompts]
    own = work / f"{IFEVAL}-{fingerprint(model.identity)}"
    answers = answer_all(model, asked, "both", IFEVAL_SAMPLING, own, progress)
    outputs = [Output(answer.output, answer.finish) for answer in answers]
    return IFEval(
        measure_following(prompts, [one.text for one in outputs]),
        output_health(outputs, prompt_pieces(model.config.prompts, model.prompts.chat)),
    )
