"""What the terminal shows: bars, tables, the summary of a run."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from humpback.cli.printable import PrintableFormatter, printable
from humpback.config import Config
from humpback.errors import HumpbackError
from humpback.pipeline import Explanation, Plan, RunResult, run_state
from humpback.pipeline.progress import gather, read_planned, read_record
from humpback.pipeline.state import Status
from humpback.pipeline.steps import InputDigests, pipeline_steps
from humpback.progress import SilentProgress, Task
from humpback.report.progress_page import TITLES, Cost, RunProgress, clock, rate_text
from humpback.workspace import RunFolder

if TYPE_CHECKING:
    from humpback.pipeline.takedown import Takedown

console = Console(highlight=False)
messages = Console(stderr=True, highlight=False)


def set_up_logging() -> None:
    """One line of log a step on standard error, plain where that is no terminal."""
    handler: logging.Handler
    if messages.is_terminal:
        handler = RichHandler(console=messages, show_path=False, show_level=False, markup=False)
        handler.setFormatter(PrintableFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(PrintableFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("humpback")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # It warns at every import of a kernel that it would have fetched from the hub.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(self._task, amount)

    def note(self, text: str) -> None:
        self._progress.update(self._task, note=text)


class RichProgress:
    """Bars with rate and time left on a terminal; nothing elsewhere, where the log has a line a step."""

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        if not messages.is_terminal:
            with SilentProgress().task(label, total, unit) as silent:
                yield silent
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed}/{task.total}" if total is not None else "{task.completed}"),
            TextColumn(unit),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=messages, transient=True) as progress:
            yield _Bar(progress, progress.add_task(label, total=total, note=""))


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Any) -> Any:
        from rich.text import Text

        return Text(f"{task.speed:.2f}/s" if task.speed else "")


def print_summary(result: RunResult, config: Config, stage: str | None) -> None:
    """What came out, in a dozen lines, and where it is."""
    folder = RunFolder(result.folder)
    if not result.executed:
        console.print("Nothing to do: everything is there for this configuration.")
    if stage is not None and stage not in ("report",):
        names = ", ".join(result.executed) or "nothing"
        console.print(f"Ran {names}; {len(result.reused)} steps were there already. Folder: {result.folder}")
        for number in range(1, config.rounds + 1):
            curated = folder.step(f"curated-{number}").manifest()
            if stage == "curate" and curated is not None and "labels" in curated.facts:
                console.print(f"Round {number}: {labels_text(curated.facts['labels'])}")
        return
    table = Table(title=f"Run {config.name}", show_header=False, title_justify="left", box=None)
    table.add_column()
    table.add_column(overflow="fold")  # paths are there to be copied whole
    for label, text in summary_rows(folder, config):
        table.add_row(label, escape(printable(text)))
    console.print(table)


def summary_rows(folder: RunFolder, config: Config) -> Iterator[tuple[str, str]]:
    """The summary of a finished run as label and text."""
    found = {name: folder.step(name).manifest() for name in _step_names(config)}
    manifests = {name: manifest for name, manifest in found.items() if manifest is not None}
    seed, segments = manifests["seed"], manifests["segments"]
    calibration = seed.facts.get("calibration", 0)
    planted = f", {calibration} for the judge" if calibration else ""
    yield "seed", f"{seed.rows} pairs trained on, {seed.facts['held_out']} held out{planted}"
    documents = manifests["passages"].facts["documents"]
    yield "documents", f"{documents} read, {segments.rows} segments"
    yield "candidates", f"{manifests['candidates'].rows} with an instruction"
    for number in range(1, config.rounds + 1):
        ratings, curated = manifests[f"ratings-{number}"], manifests[f"curated-{number}"]
        mean = ratings.facts["mean"]
        unparsed = sum(ratings.facts["unparsed"].values())
        yield (
            f"round {number}",
            (f"mean rating {mean:.2f}, {unparsed} unparsed; {curated.rows} kept ({curated.facts['rule']})"),
        )
        verdict = manifests.get(f"verdict-{number}")
        if verdict is not None and verdict.facts["stop"]:
            yield "stopped", stopped_text(verdict.facts, number)
            break
    yield from _evaluation_rows(folder, config)
    yield "time", f"{sum(manifest.seconds for manifest in manifests.values()):.0f} s of work"
    yield "dataset", str(folder.path / "dataset" / "train.jsonl")
    yield "model", str(folder.path / "models" / f"m{config.rounds}")
    yield "report", str(folder.path / "report" / "index.html")


def labels_text(facts: Mapping[str, Any]) -> str:
    """How the selection does on the user's labels."""
    share = {name: "none" if facts[name] is None else f"{facts[name]:.2f}" for name in ("precision", "recall", "auc")}
    return (
        f"{facts['labelled']} labelled pairs, {facts['good']} good; of these {facts['kept']} would be kept: precision "
        f"{share['precision']}, recall {share['recall']}; a good one is above a bad one with probability {share['auc']}"
    )


def stopped_text(facts: Mapping[str, Any], number: int) -> str:
    """That a round's model was worse than the one before, and what is kept."""
    difference = "{mean:+.4f} [{low:+.4f}, {high:+.4f}]".format(**facts["difference"])
    return f"m{number} is worse than the model before by {difference} nats a token: {facts['kept']} is kept"


def _evaluation_rows(folder: RunFolder, config: Config) -> Iterator[tuple[str, str]]:
    if config.engine.kind == "scripted":
        yield "evaluation", "none: the scripted engine trains no model"
        return
    result = json.loads((folder.path / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    last = f"m{config.rounds}"
    for name, part in result["sets"].items():
        models = part["models"]
        losses = ", ".join(f"{model} {models[model]['loss']['mean']:.3f}" for model in ("base", "m0", last))
        difference = models[last]["against_m0"]
        yield (
            f"loss on {name}",
            f"{losses} (nats a token, {part['pairs']} held-out pairs)",
        )
        interval = f"{difference['mean']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]"
        yield "", f"{last} against m0: {interval}: {verdict(difference)}"


def verdict(difference: dict[str, float]) -> str:
    """What a paired difference and its 95 % interval say, in a word or two."""
    if difference["high"] < 0:
        return "better"
    if difference["low"] > 0:
        return "worse"
    return "no difference that this many pairs can tell"


def print_plan(plan: Plan, config: Config) -> None:
    """The plan as a table, and its sums."""
    table = Table(title=f"Plan of {config.name}", title_justify="left")
    for column in ("step", "state", "rows", "tokens", "time", "disk"):
        table.add_column(column, justify="left" if column in ("step", "state") else "right")
    for step in plan.steps:
        table.add_row(
            step.name,
            step.status,
            "" if step.rows is None else f"{step.rows:,}",
            "" if step.tokens is None else f"{step.tokens:,}",
            "" if step.seconds is None else duration(step.seconds),
            "" if step.bytes is None else f"{step.bytes / 1e6:,.0f} MB",
        )
    console.print(table)
    todo = [step for step in plan.steps if step.status != "done"]
    if not todo:
        console.print("Everything is there; a run would execute nothing.")
        return
    time = f"about {duration(plan.seconds)} by a short probe" if plan.probed else "time not estimated (no probe)"
    console.print(f"To do: {len(todo)} steps, {time}, {plan.bytes / 1e9:.1f} GB of models.")


def print_status(path: Path) -> None:
    """Each step of a run with its state, rows, time and planned time, and how far the run is in all."""
    folder = RunFolder(path)
    config = folder.config()
    record = read_record(path)
    is_running = record is not None and record.state == "running" and folder.is_locked()
    states = _states(folder, config)
    manifests = {name: folder.step(name).manifest() for name, state in states.items() if state == "done"}
    there = {name: manifest for name, manifest in manifests.items() if manifest is not None}
    found = gather(config, states, there, record, read_planned(path), is_running=is_running)
    table = Table(title=escape(printable(str(path))), title_justify="left")
    for column in ("step", "state", "rows", "set aside", "time", "planned"):
        table.add_column(column, justify="left" if column in ("step", "state") else "right")
    for step in found.steps:
        figures = (str(step.rows or ""), str(step.aside or ""), _time(step.seconds), _time(step.planned))
        table.add_row(step.name, step.status, *figures)
    console.print(table)
    for line in status_lines(found):
        console.print(escape(printable(line)))
    left = len(states) - found.done
    goes_on = "" if is_running else "; `humpback run` goes on"
    console.print("All done." if not left else f"{left} of {len(states)} steps to do{goes_on}.")


def status_lines(found: RunProgress) -> Iterator[str]:
    """What the page of progress says above and below its table, in a line each."""
    if found.state not in ("done", "not started"):
        yield f"{TITLES[found.state]}: {found.step}" if found.step else TITLES[found.state]
    if found.bar is not None:
        bar = found.bar
        total = "" if bar.total is None else f" of {bar.total:,}"
        left = "" if bar.left is None else f"about {duration(bar.left)} left"
        yield ", ".join(filter(None, (f"{bar.label}: {bar.done:,}{total} {bar.unit}", rate_text(bar), left, bar.note)))
    for step in found.steps:
        if step.cluster:
            yield f"{step.name}: {step.cluster}"
    if found.spent:
        yield f"{duration(found.spent)} of work so far; {cost_text(found.cost)}"
    if found.left is not None and found.forecast is not None:  # without a plan it is known of one step at most
        end = f", end at about {clock(found.left + time.time(), time.time())}" if found.state == "running" else ""
        yield f"about {duration(found.left)} left{end}; in the end {cost_text(found.forecast)}"
    for message in found.messages:
        yield f"{clock(message.time, found.updated)} {message.level}: {message.text}"
    if found.error:
        yield f"error: {found.error}"


def cost_text(cost: Cost) -> str:
    """E.g. `1 h 30 min of machines, 6 h 0 min of GPUs, price 15.00`."""
    gpus = f", {duration(cost.gpu_seconds)} of GPUs" if cost.gpu_seconds or cost.price is not None else ""
    price = "" if cost.price is None else f", price {cost.price:,.2f}"
    return f"{duration(cost.machine_seconds)} of machines{gpus}{price}"


def print_explanation(found: Explanation) -> None:
    """The life of a row, as plain text whose control characters cannot drive the terminal."""
    blocks = [
        ("row", f"{found.row_id} ({found.kind})"),
        ("source", str(found.source)),
        ("licence", found.source.licence or "not stated"),
        ("headers", " > ".join(found.headers)),
        ("instruction", found.instruction),
        ("text", found.text),
        ("prompt of the backward model", found.backward_prompt),
        ("prompt of the rating", found.rating_prompt),
    ]
    for label, text in blocks:
        if text:
            console.print(f"[bold]{label}[/bold]")
            console.print(escape(_indent(printable(text))), soft_wrap=True)
    console.print("[bold]what happened[/bold]")
    for event in found.events:
        console.print(escape(_indent(f"{event.step}: {printable(event.text)}")), soft_wrap=True)


def print_takedown(found: Takedown, *, dry_run: bool) -> None:
    """The rows of a site, one a line, then the models that were trained on them."""
    for row in found.rows:
        console.print(escape(f"{row.step}  {row.id}  {printable(row.uri)}"), soft_wrap=True, highlight=False)
    verb = "would be removed" if dry_run else "removed"
    console.print(f"{len(found.rows)} rows of {escape(found.domain)} {verb}.")
    for model, count in found.models.items():
        console.print(f"{escape(model)} was trained on {count} of them; it stays as it is.")
    if found.rows and not found.models:
        console.print("No model was trained on them.")
    for step in found.again:
        console.print(f"{escape(step)} is half done and {'would begin' if dry_run else 'begins'} again without them.")
    if found.rows and not dry_run:
        console.print("The report showed rows and is gone; `humpback report` writes it anew.")


def _states(folder: RunFolder, config: Config) -> dict[str, Status]:
    """How far each step is; where an input is gone, by what stands in the folder alone."""
    try:
        return {state.step.name: state.status for state in run_state(config)}
    except HumpbackError as error:
        messages.print(
            f"[yellow]note:[/yellow] {escape(printable(str(error)))} The states below do not look at inputs."
        )
        finished = {name: folder.step(name).manifest() is not None for name in _step_names(config)}
        return {name: "done" if done else "to do" for name, done in finished.items()}


def _time(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _step_names(config: Config) -> list[str]:
    return [step.name for step in pipeline_steps(config, InputDigests("", "", {}))]


def duration(seconds: float) -> str:
    """A time for people, e.g. `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
