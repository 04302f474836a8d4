"""Everything that goes wrong with machines, disks and servers, many times over: what came of it, in tables.

    python benchmarks/faults.py --kills 100 --seed 0 [--only kills power disks endpoint load] [--model-kills 10]

Runs are small ones with the scripted engine (those of the tests), so that each ends in seconds; `--model-kills` adds
real ones with the built-in model. Exits with 1 where an end differs from that of the run to which nothing happened, or
a row was lost, doubled or mixed up.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from faults_disks import can_mount, clock_rows, copy_rows, disk_rows, slow_row, two_at_once
from faults_driver import GROUP
from faults_endpoint import Answered, ask, certificate, scenarios
from faults_kills import CALIBRATED, Reference, Tally, kills, power_cuts, test_code, worker_kills
from faults_load import load
from faults_server import server_kills

from humpback.hardware import hardware_line, versions

PARTS = ("kills", "power", "disks", "endpoint", "load")
AT_ONCE = 1000  # requests
DELAY_S = 0.2  # of each answer, while a thousand are asked at once


class Campaign:
    """The inputs, the options, and what went wrong."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options = options
        self.scratch = scratch
        self.problems: list[str] = []
        code = test_code("conftest")
        self.config = Path(code.write_inputs(scratch / "inputs").config)
        self.make_model: Callable[[Path, str], Path] = code.save_tiny_model
        self.template: str = code.CHATML
        self._model = scratch / "tiny"

    @property
    def model(self) -> Path:
        """A tiny model, made when it is first asked for."""
        return self._model if self._model.exists() else self.make_model(self._model, self.template)

    def generator(self, what: str) -> random.Random:
        """A source of chance that is the same each time."""
        return random.Random(f"{self.options.seed} {what}")

    def folder(self, name: str) -> Path:
        """A folder for one part."""
        return self.scratch / name

    def kills(self) -> None:
        """Of the process, of a worker, of the inference server; then with the real model."""
        count = self.options.kills
        scratch = self.folder("kills")
        plain = Reference.of(self.config, scratch)
        calibrated = Reference.of(self.config, self.folder("calibrated"), CALIBRATED)
        self.tally("process killed", kills(plain, scratch, count - count // 4, self.generator("kills")))
        found = kills(calibrated, self.folder("calibrated"), count // 4, self.generator("calibrated"))
        self.tally("process killed, calibrated judge and rewriting", found)
        found = kills(plain, scratch, max(count // 5, 1), self.generator("groups"), GROUP)
        self.tally("process killed with all of its children", found)
        self.tally("worker killed", worker_kills(plain, scratch, max(count // 5, 1), self.generator("workers")))
        served = server_kills(
            str(self.config), self.model, self.folder("served"), max(count // 10, 1), self.generator("server")
        )
        self.tally("inference server killed", served)
        if self.options.model_kills:
            self.with_the_real_model(self.options.model_kills)

    def with_the_real_model(self, count: int) -> None:
        """Runs `experiments/kill_and_resume.py`, which says itself what it found."""
        root = Path(__file__).parents[1]
        command = [sys.executable, "-W", "ignore", "experiments/kill_and_resume.py", "examples/quickstart.yaml"]
        changes = ["-s", "train.steps=2", "-s", "ingest.max_segments=12"]
        done = subprocess.run(
            [*command, "--kills", str(count), *changes], cwd=root, capture_output=True, text=True, check=False
        )
        print(f"\nWith the built-in model:\n\n{done.stdout}", flush=True)
        if done.returncode:
            self.problems.append(f"real model: {done.stdout[-500:]}{done.stderr[-500:]}")

    def power(self) -> None:
        """Files of the last second torn."""
        scratch = self.folder("power")
        reference = Reference.of(self.config, scratch)
        found = power_cuts(reference, scratch, max(self.options.kills // 2, 1), self.generator("power"))
        self.tally("power cut", found)

    def disks(self) -> None:
        """Full, without inodes, read-only, slow; folders that come from elsewhere."""
        scratch = self.folder("disks")
        reference = Reference.of(self.config, scratch)
        rows = []
        if can_mount():
            rows += list(disk_rows(reference, scratch))
        else:
            print("\nSmall disks: skipped, since this process may not mount one.")
        rows += [slow_row(reference, scratch), two_at_once(reference, scratch)]
        rows += [*clock_rows(reference, scratch), *copy_rows(reference, scratch)]
        table(("what", "after it was mended", "said"), [(a, b, c.replace(str(scratch), "...")) for a, b, c in rows])
        self.problems += [
            f"{what}: {came}, {said}"
            for what, came, said in rows
            if "same bytes" not in came and "another version of Humpback" not in said
        ]

    def endpoint(self) -> None:
        """Servers that fail."""
        found = [
            ask(f"{what} ({manner})", self.model, self.options.rows, fault_of, manner=manner)
            for manner in ("vllm", "openai")
            for what, fault_of in scenarios(self.options.seed, self.options.rows).items()
        ]
        self.answered(found)
        self.folder("endpoint").mkdir()
        refused = certificate(self.model, self.folder("endpoint"))
        print(f"\n{refused.what}: after {refused.seconds:.1f} s: {refused.said}", flush=True)

    def load(self) -> None:
        """Many candidates, many requests at once."""
        scratch = self.folder("load")
        found = load(str(self.config), scratch, self.options.candidates)
        steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.steps.items())
        table(
            ("candidates", "kept", "time", "of that", "peak memory", "report", "run on disk"),
            [
                (
                    f"{found.candidates:,}",
                    f"{found.kept:,}",
                    f"{found.seconds:.0f} s",
                    steps,
                    f"{found.memory / 2**30:.2f} GiB",
                    f"{found.page / 1e6:.2f} MB",
                    f"{found.run / 1e9:.2f} GB",
                )
            ],
        )
        delay = test_code("manners", "engines", "http").Fault("delay", DELAY_S)
        at_once = ask(
            f"{AT_ONCE} requests at once",
            self.model,
            self.options.rows * 10,
            lambda number: delay,
            AT_ONCE,
            timeout_s=60,
        )
        self.answered([at_once])

    def answered(self, found: Sequence[Answered]) -> None:
        """Prints what came of servers."""
        table(
            ("server", "rows", "requests", "lost", "doubled", "wrong", "time", "lines", "summary"),
            [
                (
                    *(one.what, str(one.rows), str(one.requests), str(one.lost), str(one.doubled), str(one.wrong)),
                    *(f"{one.seconds:.1f} s", str(one.lines), one.said),
                )
                for one in found
            ],
        )
        self.problems += [f"{one.what}: {one}" for one in found if not one.is_right]

    def tally(self, title: str, found: Tally) -> None:
        """Prints kills by step."""
        rows = [(step, str(count), str(found.same[step])) for step, count in found.done.items()]
        rows.append(("together", str(found.done.total()), str(found.same.total())))
        table((title, "times", "same bytes"), rows)
        for what, count in found.notes.items():
            print(f"{what}: {count}", flush=True)
        self.problems += found.problems


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table in Markdown."""
    print()
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    for row in rows:
        print("|", " | ".join(cell.replace("|", "\\|") for cell in row), "|")
    print(flush=True)


def main() -> None:
    """Runs the campaign and says what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="of the process; other faults are fewer in proportion")
    parser.add_argument("--model-kills", type=int, default=0, help="with the built-in model; takes minutes each")
    parser.add_argument("--rows", type=int, default=2000, help="asked of each server")
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--scratch", type=Path, help="where runs are made; takes some 3 GB for a million candidates")
    options = parser.parse_args()
    began = time.monotonic()
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    print(f"{hardware_line()}; {packages}; seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        campaign = Campaign(options, Path(folder))
        for part in options.only:
            print(f"\n## {part}", flush=True)
            getattr(campaign, part)()
    print(f"\n{time.monotonic() - began:.0f} s; {len(campaign.problems)} problems")
    for problem in campaign.problems:
        print(f"- {problem}")
    sys.exit(1 if campaign.problems else 0)


if __name__ == "__main__":
    main()
