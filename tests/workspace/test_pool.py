"""Rows in child processes: one that hangs, crashes or eats memory costs itself and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from humpback.records import Dropped, DropReason, Segment, Source
from humpback.workspace import (
    RowLimits,
    Shard,
    StepFolder,
    ThisProcess,
    Workers,
    dropped_rows,
    map_rows,
    read_part,
    read_rows,
)

SOURCE = Source("file")
LIMITS = RowLimits(seconds=1.0, memory_gib=0.5)


def keep(number: int, bad: dict[int, str] | None = None) -> Shard:
    """Keeps every number, unless it is one of those that misbehave."""
    match (bad or {}).get(number):
        case "hangs":
            while True:  # as C code does, which no Python signal handler interrupts
                signal.pthread_sigmask(signal.SIG_SETMASK, [])
        case "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exits":
            os._exit(3)
        case "eats":
            bytearray(2 << 30)
        case "raises":
            raise RuntimeError("a defect of ours")
    return Shard([Segment(str(number), "text", [], SOURCE)])


def give_up(number: int, why: str) -> Dropped:
    return Dropped(str(number), DropReason.STOPPED, why, "", SOURCE)


def run(folder: Path, bad: dict[int, str], rows: int = 30) -> StepFolder:
    step = StepFolder(folder, "step")
    step.begin("key")
    counted: list[int] = []
    work = partial(keep, bad=bad)
    shards = {"rows_per_shard": 10, "bytes_per_shard": 1000, "size": lambda row: 1}
    workers = Workers(2, LIMITS)
    map_rows(range(rows), step, Segment, work, give_up, ThisProcess(), workers, **shards, advance=counted.append)
    assert sum(counted) == rows
    return step


def test_each_bad_row_is_set_aside_with_its_reason_and_the_rest_stays(tmp_path):
    step = run(tmp_path / "step", {3: "hangs", 4: "crashes", 15: "eats", 16: "exits"})
    assert [int(row.id) for row in read_rows(step.path, Segment)] == [n for n in range(30) if n not in (3, 4, 15, 16)]
    assert [(row.id, row.detail) for row in dropped_rows(step.path)] == [
        ("3", "took longer than 1 s"),
        ("4", "killed its process (SIGSEGV)"),
        ("15", "needed more than 0.5 GiB of memory"),
        ("16", "ended its process (exit code 3)"),
    ]


def test_a_defect_of_the_work_itself_is_not_hidden(tmp_path):
    with pytest.raises(RuntimeError, match="a defect of ours"):
        run(tmp_path / "step", {12: "raises"})


def test_finished_shards_are_not_worked_on_again(tmp_path):
    step = run(tmp_path / "step", {})
    part = step.path / "part-00001.parquet"
    part.unlink()
    before = {file: file.stat().st_mtime_ns for file in step.path.rglob("*.parquet") if "00001" not in file.name}
    shards = {"rows_per_shard": 10, "bytes_per_shard": 1000, "size": lambda row: 1}
    map_rows(range(30), step, Segment, keep, give_up, ThisProcess(), Workers(1, LIMITS), **shards)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert [int(row.id) for row in read_rows(step.path, Segment)] == list(range(30))


def test_workers_end_with_the_run_that_started_them(tmp_path):
    # A plain script, which the workers must not run again.
    (tmp_path / "tasks.py").write_text("import os\n\ndef pid(_):\n    return os.getpid()\n")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import time
            from humpback.workspace import RowLimits, Workers
            from tasks import pid

            with Workers(1, RowLimits(60, 1)) as workers:
                print(workers.submit(pid, 0).result(), flush=True)
                time.sleep(60)
        """)
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as run:
        worker = int(run.stdout.readline())
        run.kill()
        assert run.stdout.read() == ""
    for _ in range(100):
        if not Path(f"/proc/{worker}").exists():
            return
        time.sleep(0.1)
    raise AssertionError("the worker outlived its run by ten seconds")


def test_a_shard_ends_at_its_bytes_too(tmp_path):
    step = StepFolder(tmp_path / "step", "step")
    step.begin("key")
    sizes = [1, 1, 98, 200, 5, 5]
    shards = {"rows_per_shard": 10, "bytes_per_shard": 100, "size": sizes.__getitem__}
    map_rows(range(6), step, Segment, keep, give_up, ThisProcess(), Workers(1, LIMITS), **shards)
    parts = [[row.id for row in read_part(part, Segment)] for part in sorted(step.path.glob("part-*.parquet"))]
    assert parts == [["0", "1", "2"], ["3"], ["4", "5"]]
