"""A run that is killed anywhere and started again ends with the same bytes as one that was not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from run_content import content

# Runs the command in children of one process, so that the imports are paid for once. A child that is told to dies at
# the moment when its n-th file would be moved into place, with half of that file written.
DRIVER = """
import json, os, pathlib, signal, sys
import humpback.cli.console, humpback.pipeline, humpback.report, humpback.training.loss, pyarrow.parquet
import transformers.utils.chat_template_utils
from humpback.cli.app import main

config, orders, overrides = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])


def child(runs_dir, moment, action):
    moves = 0
    replace = pathlib.Path.replace

    def counted(self, target):
        nonlocal moves
        moves += 1
        if moves == moment:
            if action == "kill":
                self.write_bytes(self.read_bytes()[: self.stat().st_size // 2])
            os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGINT)
        return replace(self, target)

    pathlib.Path.replace = counted
    os.fsync = lambda descriptor: None  # the machine stays up
    signal.signal(signal.SIGINT, signal.default_int_handler)
    changes = [word for one in (f"runs_dir={runs_dir}", "rounds=1", *overrides) for word in ("-s", one)]
    sys.argv = ["humpback", "run", config, *changes]
    output = os.open(f"{runs_dir}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 0
    try:
        main()
    except SystemExit as exit:
        code = exit.code or 0
    pathlib.Path(f"{runs_dir}.moves").write_text(str(moves))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


ends = []
for runs_dir, moment, action in orders:
    process = os.fork()
    if process == 0:
        child(runs_dir, moment, action)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
print(json.dumps(ends))
"""


CALIBRATED = ["rate.judge=calibrated", "rate.unfit=warn", "ingest.calibration_fraction=0.5", "curate.rewrite=true"]


def drive(config: Path, orders: list[tuple[Path, int, str]], overrides: list[str] | None = None) -> list[int]:
    """The exit codes of runs into the given folders; minus 9 where one killed itself."""
    listed = json.dumps([(str(folder), moment, action) for folder, moment, action in orders])
    command = [sys.executable, "-c", DRIVER, config, listed, json.dumps(overrides or [])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def inputs(write_inputs_to, tmp_path_factory):
    return write_inputs_to(tmp_path_factory.mktemp("kill") / "inputs")


@pytest.fixture(scope="module")
def whole(inputs):
    """An uninterrupted run, and how many files it moved into place."""
    folder = inputs.folder / "whole"
    assert drive(inputs.config, [(folder, 0, "")]) == [0]
    return folder, int(Path(f"{folder}.moves").read_text())


def test_a_killed_run_goes_on_to_the_same_bytes(inputs, whole):
    folder, moves = whole
    wanted = content(folder / "small")
    assert moves > 60
    assert "dataset/train.jsonl" in wanted
    moments = [1 + round(number * (moves - 1) / 9) for number in range(10)]
    orders = []
    for moment in moments:
        killed = inputs.folder / f"killed-{moment}"
        orders += [(killed, moment, "kill"), (killed, 0, "")]
    assert drive(inputs.config, orders) == [-9, 0] * 10
    stopped_in = set()
    for moment in moments:
        killed = inputs.folder / f"killed-{moment}"
        assert content(killed / "small") == wanted, f"killed at file {moment} of {moves}"
        again = int(Path(f"{killed}.moves").read_text())
        assert again <= moves - moment + 6, "what was finished is not made again"
        stopped_in.add(again)
    assert len(stopped_in) > 5


def test_a_killed_run_with_a_calibrated_judge_and_rewriting_too(inputs):
    folder = inputs.folder / "calibrated"
    assert drive(inputs.config, [(folder, 0, "")], CALIBRATED) == [0]
    wanted = content(folder / "small")
    assert {"judge-1/judge.json", "rewritten-1/part-00000.parquet"} <= wanted.keys()
    moves = int(Path(f"{folder}.moves").read_text())
    moments = [1 + round(number * (moves - 1) / 4) for number in range(1, 5)]
    orders = []
    for moment in moments:
        killed = inputs.folder / f"calibrated-{moment}"
        orders += [(killed, moment, "kill"), (killed, 0, "")]
    assert drive(inputs.config, orders, CALIBRATED) == [-9, 0] * 4
    for moment in moments:
        assert content(inputs.folder / f"calibrated-{moment}" / "small") == wanted, (
            f"killed at file {moment} of {moves}"
        )


def test_a_run_that_is_killed_again_and_again_gets_there(inputs, whole):
    folder, _ = whole
    often = inputs.folder / "often"
    ends = drive(inputs.config, [(often, 20, "kill")] * 8)
    assert ends[0] == -9
    assert ends[-1] == 0
    assert content(often / "small") == content(folder / "small")


def test_ctrl_c_says_that_the_run_goes_on_from_there(inputs, whole):
    folder, moves = whole
    stopped = inputs.folder / "stopped"
    assert drive(inputs.config, [(stopped, moves // 2, "interrupt"), (stopped, 0, "")]) == [130, 0]
    log = Path(f"{stopped}.log").read_text()
    assert "Stopped. What is finished is kept; the same command goes on from there." in log
    assert "Traceback" not in log
    assert content(stopped / "small") == content(folder / "small")
