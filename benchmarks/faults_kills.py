"""Kills and power cuts at moments drawn by lot, and whether the run that goes on ends with the same bytes."""

from __future__ import annotations

import importlib
import random
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from faults_driver import GROUP, KILL, WORKER, End, Order, drive

TESTS = Path(__file__).parents[1] / "tests"
CALIBRATED = ["rate.judge=calibrated", "rate.unfit=warn", "ingest.calibration_fraction=0.5", "curate.rewrite=true"]
NAME = "run"  # of every run, since it stands in the dataset's card
WITH_WORKERS = ("passages",)
WITH_CHILDREN = ("passages", "segments")
TORN_CHUNK = 4096  # bytes that a disk writes at once


def test_code(name: str, *folders: str) -> ModuleType:
    """A module of the tests, which has the inputs and the servers that misbehave."""
    for folder in (str(TESTS.joinpath(*folders)), str(TESTS)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return importlib.import_module(name)


content = test_code("run_content").content


@dataclass(slots=True)
class Reference:
    """A run to which nothing happened: its content, and the moments in each of its steps."""

    config: str
    changes: list[str]
    wanted: dict[str, bytes]
    moments: dict[str, list[int]]

    @classmethod
    def of(cls, config: Path, scratch: Path, changes: Sequence[str] = ()) -> Reference:
        """Runs it."""
        folder = scratch / "whole" / NAME
        (end,) = drive([Order(str(config), str(folder), changes=list(changes))], scratch)
        if end.code:
            raise RuntimeError(end.said)
        moments = defaultdict(list)
        for moment, step in enumerate(end.steps, 1):
            if (folder / step / "stage.json").exists():
                moments[step].append(moment)
            else:
                moments["between steps"].append(moment)
        return cls(str(config), list(changes), content(folder), dict(moments))

    def draw(self, count: int, generator: random.Random, steps: Sequence[str] = ()) -> list[tuple[str, int]]:
        """Moments by lot, as many in each step as in any other."""
        names = list(steps or self.moments)
        generator.shuffle(names)
        return [(name, generator.choice(self.moments[name])) for name in (names[n % len(names)] for n in range(count))]

    def order(self, folder: Path, moment: int = 0, fault: str = KILL) -> Order:
        """A run of the same configuration in another folder."""
        return Order(self.config, str(folder), moment, fault, changes=self.changes)


@dataclass(slots=True)
class Tally:
    """What came of one kind of fault: how many were done and how many ends were the same, by step."""

    done: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def count(self, step: str, run: Path, wanted: dict[str, bytes], what: str, end: End) -> None:
        """Counts one fault and compares what it led to."""
        self.done[step] += 1
        found = content(run) if end.code == 0 else {}
        if found == wanted:
            self.same[step] += 1
            return
        names = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        self.problems.append(f"{what}: exit code {end.code}, {names[:5]} differ; it said: {end.said[-500:]}")


def kills(reference: Reference, scratch: Path, count: int, generator: random.Random, fault: str = KILL) -> Tally:
    """Kills the process, or its whole group, with SIGKILL, each time in a new folder; then runs the same command."""
    tally = Tally()
    drawn = reference.draw(count, generator, WITH_CHILDREN if fault == GROUP else ())
    orders = []
    for number, (_, moment) in enumerate(drawn):
        folder = scratch / f"kill-{number}" / NAME
        orders += [reference.order(folder, moment, fault), reference.order(folder)]
    ends = drive(orders, scratch)
    for number, (step, moment) in enumerate(drawn):
        killed, again = ends[2 * number : 2 * number + 2]
        folder = scratch / f"kill-{number}" / NAME
        if killed.code == -9:
            tally.count(step, folder, reference.wanted, f"killed at moment {moment} in {step}", again)
        shutil.rmtree(folder.parent)
    return tally


def worker_kills(reference: Reference, scratch: Path, count: int, generator: random.Random) -> Tally:
    """Kills one of the processes that work on shards; the run itself must go on to the same end."""
    tally = Tally()
    drawn = reference.draw(count, generator, WITH_WORKERS)
    folders = [scratch / f"worker-{number}" / NAME for number in range(count)]
    orders = [reference.order(folder, moment, WORKER) for folder, (_, moment) in zip(folders, drawn, strict=True)]
    for (step, moment), folder, end in zip(drawn, folders, drive(orders, scratch), strict=True):
        if end.did:
            tally.count(step, folder, reference.wanted, f"worker killed at moment {moment} in {step}", end)
            tally.notes["shards taken row by row"] += end.said.count("its rows are taken one by one")
        shutil.rmtree(folder.parent)
    return tally


def power_cuts(
    reference: Reference, scratch: Path, count: int, generator: random.Random, window_s: float = 1.0
) -> Tally:
    """Kills the process, tears files that were written in the last `window_s`, and runs again after a new boot."""
    tally = Tally()
    for number, (step, moment) in enumerate(reference.draw(count, generator)):
        folder = scratch / f"cut-{number}" / NAME
        (killed,) = drive([reference.order(folder, moment)], scratch)
        if killed.code != -9:
            shutil.rmtree(folder.parent)
            continue
        torn = tear(folder, generator, window_s)
        boot_again(folder)
        (end,) = drive([reference.order(folder)], scratch)
        if end.code and "run.json: is damaged" in end.said:  # nothing is lost in a second, and it says what to do
            tally.notes["told to remove the folder"] += 1
            shutil.rmtree(folder.parent)
            (end,) = drive([reference.order(folder)], scratch)
        tally.notes["files torn"] += len(torn)
        tally.notes["finished steps found damaged"] += end.said.count("not what was written")
        tally.count(step, folder, reference.wanted, f"power cut at moment {moment} in {step}, torn {torn}", end)
        shutil.rmtree(folder.parent)
    return tally


def tear(run: Path, generator: random.Random, window_s: float) -> list[str]:
    """Cuts off or zeroes the tails of half of the files that were written in the last `window_s`; which ones."""
    files = sorted(file for file in run.rglob("*") if file.is_file() and file.stat().st_size and file.name != ".lock")
    latest = max((file.stat().st_mtime for file in files), default=0.0)
    torn = []
    for file in files:
        if file.stat().st_mtime < latest - window_s or generator.random() < 0.5:
            continue
        size = file.stat().st_size
        left = generator.choice([0, generator.randrange(size), size // TORN_CHUNK * TORN_CHUNK])
        with file.open("r+b") as opened:
            opened.truncate(left)
            if generator.random() < 0.5:  # its length was on the disk, its bytes were not
                opened.truncate(size)
        torn.append(str(file.relative_to(run)))
    return torn


def boot_again(run: Path) -> None:
    """Makes the folder look as if the machine had been started since the last run."""
    (run / ".checked.json").unlink(missing_ok=True)
