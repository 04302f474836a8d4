"""The folder of a run: its version, its lock, its configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from humpback.config import Config
from humpback.errors import WorkspaceError
from humpback.workspace import RunFolder

HOLDER = """
import sys, time
from humpback.workspace import RunFolder
with RunFolder(sys.argv[1]).locked():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def config(tmp_path):
    return Config(seed=["s.jsonl"], corpus=["docs"], runs_dir=tmp_path, name="run")


@pytest.fixture
def holder(config):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, config.folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_told_who_holds_the_run(config, holder):
    told = rf"is in use by process {holder.pid} on {os.uname().nodename}; wait"
    with pytest.raises(WorkspaceError, match=told), RunFolder(config.folder).locked():
        pytest.fail("the lock was given twice")


def test_a_killed_process_lets_go(config, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with RunFolder(config.folder).locked():
        assert str(os.getpid()) in (config.folder / ".lock").read_text()


def test_the_lock_is_let_go_after_an_error(config):
    with pytest.raises(RuntimeError), RunFolder(config.folder).locked():
        raise RuntimeError
    with RunFolder(config.folder).locked():
        pass


def test_the_resolved_configuration_comes_back(config):
    folder = RunFolder(config.folder)
    folder.create(config)
    assert folder.config() == config
    changed = config.model_copy(update={"rounds": 1})
    folder.create(changed)
    assert folder.config() == changed


def test_another_layout_version_is_refused(config):
    folder = RunFolder(config.folder)
    folder.create(config)
    (config.folder / "run.json").write_text(json.dumps({"workspace_version": 99}))
    for use in (folder.check_version, folder.config, lambda: folder.create(config)):
        with pytest.raises(WorkspaceError, match=r"another version of Humpback \(folder layout 99;.*another `name`"):
            use()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", "\x00"])
def test_a_damaged_version_file_is_refused(config, text):
    config.folder.mkdir()
    (config.folder / "run.json").write_text(text)
    with pytest.raises(WorkspaceError, match=r"run\.json: is damaged"):
        RunFolder(config.folder).check_version()


def test_a_folder_of_something_else_is_refused_and_left_alone(config):
    config.folder.mkdir()
    (config.folder / "thesis.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="is not empty and not a run's folder"):
        RunFolder(config.folder).create(config)
    assert [file.name for file in config.folder.iterdir()] == ["thesis.txt"]


def test_a_file_in_its_place_is_refused(config):
    config.folder.write_text("")
    with pytest.raises(WorkspaceError, match="is a file"):
        RunFolder(config.folder).create(config)


def test_absent_and_empty_folders_pass(config):
    RunFolder(config.folder).check_version()
    config.folder.mkdir()
    (config.folder / ".lock").write_text("")
    (config.folder / ".run.json.tmp").write_text("{")
    RunFolder(config.folder).check_version()


def test_a_folder_that_is_no_run_has_no_configuration(tmp_path):
    with pytest.raises(WorkspaceError, match="is no run's folder"):
        RunFolder(tmp_path / "absent").config()


def test_metrics_are_lines_of_json(config):
    folder = RunFolder(config.folder)
    folder.create(config)
    folder.log_metrics("seed", rows=3)
    folder.log_metrics("models/m0", loss=1.5)
    lines = [json.loads(line) for line in (config.folder / "metrics.jsonl").read_text().splitlines()]
    assert [(line["name"], line.get("rows"), line.get("loss")) for line in lines] == [
        ("seed", 3, None),
        ("models/m0", None, 1.5),
    ]
