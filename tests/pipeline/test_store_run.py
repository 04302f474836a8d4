"""A run that keeps a copy in a bucket: killed on one machine, it goes on at another to the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from humpback.cli import app as cli
from humpback.config import load_config
from humpback.errors import ConfigError
from humpback.pipeline import preflight, run_pipeline
from humpback.pipeline.takedown import takedown
from humpback.workspace.store import copy as copying
from humpback.workspace.store import lock
from run_content import NOT_COMPARED, content

# The command, in a child for each run so that the imports are paid for once; it kills itself when its n-th file is
# moved into place. With a wait after each file the copy keeps up, otherwise it is behind as it happens.
DRIVER = """
import json, os, pathlib, signal, sys, time
import humpback.cli.console, humpback.pipeline, humpback.report, pyarrow.parquet
from humpback.cli.app import main
from humpback.workspace.store import copy, lock

copy.POLL_SECONDS = lock.BEAT_SECONDS = lock.LOOK_SECONDS = 0.05
lock.STALE_SECONDS = 1.0
config, orders = sys.argv[1], json.loads(sys.argv[2])


def child(runs_dir, store, moment):
    moves = 0
    replace = pathlib.Path.replace

    def counted(self, target):
        nonlocal moves
        moves += 1
        if moves == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return replace(self, target)

    pathlib.Path.replace = counted
    os.fsync = lambda descriptor: None
    changes = [f"runs_dir={runs_dir}", f"store={store}", "rounds=1"]
    sys.argv = ["humpback", "run", config, *(word for one in changes for word in ("-s", one))]
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
for order in orders:
    process = os.fork()
    if process == 0:
        child(*order)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
print(json.dumps(ends))
"""


def drive(config: Path, orders: list[tuple[Path, str | None, int]]) -> list[int]:
    """The exit codes of runs into the given folders; minus 9 where one killed itself."""
    listed = json.dumps([(str(folder), store or "null", moment) for folder, store, moment in orders])
    done = subprocess.run([sys.executable, "-c", DRIVER, config, listed], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def content_there(s3, prefix: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="mine", Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    keys = [key for key in keys if key.rpartition("/")[2] not in NOT_COMPARED and ".locks" not in key]
    return {key.removeprefix(prefix): s3.get_object(Bucket="mine", Key=key)["Body"].read() for key in keys}


def test_a_machine_that_is_lost_is_replaced_by_another(small_inputs, s3):
    whole = small_inputs.folder / "whole"
    assert drive(small_inputs.config, [(whole, None, 0)]) == [0]
    wanted = content(whole / "small")
    assert "dataset/train.jsonl" in wanted
    moves = int(Path(f"{whole}.moves").read_text())
    assert moves > 60
    moments = [moves // 3, moves - 8]
    orders = []
    for moment in moments:
        for number, at in enumerate((moment, 0)):
            orders.append((small_inputs.folder / f"{moment}-{number}", f"s3://mine/killed-{moment}", at))
    assert drive(small_inputs.config, orders) == [-9, 0] * 2
    for moment in moments:
        assert content(small_inputs.folder / f"{moment}-1" / "small") == wanted
        assert content_there(s3, f"killed-{moment}/small/") == wanted
        told = Path(small_inputs.folder / f"{moment}-1.log").read_text()
        assert "waiting up to 1 s to see whether it is still at work" in " ".join(told.split())
    last = Path(small_inputs.folder / f"{moments[-1]}-1.log").read_text()
    assert last.count("fetched from") > 8


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(copying, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(lock, "STALE_SECONDS", 1.0)


def test_a_finished_run_is_fetched_and_nothing_is_run(small_inputs, s3, quick):
    one, other = (
        load_config(small_inputs.config, ["rounds=1", "store=s3://mine/a/b", f"runs_dir={small_inputs.folder / name}"])
        for name in ("one", "other")
    )
    assert run_pipeline(one, target="ingest").executed == ["seed", "passages", "segments"]
    assert len(run_pipeline(one).reused) == 3
    assert run_pipeline(other).executed == []
    assert content(other.folder) == content(one.folder) == content_there(s3, "a/b/small/")
    assert (other.folder / "report/index.html").read_bytes() == (one.folder / "report/index.html").read_bytes()
    without = load_config(small_inputs.config, ["rounds=1", f"runs_dir={small_inputs.folder / 'one'}"])
    assert run_pipeline(without).executed == []  # where the copy is kept changes nothing


def test_a_takedown_reaches_the_store(small_inputs, s3, quick):
    row = {"url": "https://example.org/a", "title": "A", "text": (small_inputs.corpus / "document-0.md").read_text()}
    (small_inputs.corpus / "web.jsonl").write_text(json.dumps(row) + "\n")
    (small_inputs.corpus / "document-0.md").unlink()
    settings = ["rounds=1", "store=s3://mine/runs", f"runs_dir={small_inputs.folder / 'one'}"]
    config = load_config(small_inputs.config, settings)
    run_pipeline(config)
    assert takedown(config.folder, "example.org").rows
    there = content_there(s3, "runs/small/")
    assert there == content(config.folder)
    assert "example.org" in there["takedown.json"].decode()
    assert b"example.org" not in there["dataset/train.jsonl"]
    other = load_config(small_inputs.config, [*settings, f"runs_dir={small_inputs.folder / 'other'}"])
    assert run_pipeline(other).executed == ["report"]
    assert {name: data for name, data in content(other.folder).items() if "report" not in name} == there


def problem(config: Path, *settings: str) -> str:
    found = [str(problem) for problem in preflight(load_config(config, settings))]
    assert len(found) == 1
    return found[0]


def test_what_is_wrong_is_told_before_anything_runs(small_inputs, s3, monkeypatch):
    assert "there is no bucket 'yours', or none that you may see" in problem(
        small_inputs.config, "store=s3://yours/runs"
    )
    s3.put_object(Bucket="mine", Key="runs/small/thesis.txt", Body=b"mine")
    assert "is not empty and no copy of a run" in problem(small_inputs.config, "store=s3://mine/runs")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "gcsfs", None)
        assert 'pip install "humpback[remote]"' in problem(small_inputs.config, "store=gs://mine/runs")
    with monkeypatch.context() as without:
        without.delenv("AWS_ACCESS_KEY_ID")
        without.delenv("AWS_SECRET_ACCESS_KEY")
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        told = problem(small_inputs.config, "store=s3://mine/other")
        s3fs.S3FileSystem.clear_instance_cache()
    assert "AWS_ACCESS_KEY_ID" in told
    assert not (small_inputs.folder / "runs").exists()


@pytest.mark.parametrize("store", ["runs", "https://example.org/runs", "simplecache::s3://mine/runs", ""])
def test_what_cannot_be_written_to_is_refused(small_inputs, store):
    with pytest.raises(ConfigError, match="store: must be an address that can be written to"):
        load_config(small_inputs.config, [f"store={store!r}"])


def test_a_secret_in_the_address_is_refused(small_inputs):
    with pytest.raises(ConfigError, match="store holds a user with a password") as caught:
        load_config(small_inputs.config, ["store=s3://me:hunter2@mine/runs"])
    assert "hunter2" not in str(caught.value)


def test_what_may_not_be_written_is_one_message(small_inputs, s3, monkeypatch, capsys):
    from humpback.workspace.store.files import StoreFiles

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError("Access Denied")

    files = StoreFiles("s3://mine/runs/small")
    monkeypatch.setattr(files._files, "pipe_file", refuse)
    monkeypatch.setattr(sys, "argv", ["humpback", "run", str(small_inputs.config), "-s", "store=s3://mine/runs"])
    monkeypatch.setenv("COLUMNS", "5000")
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr().err
    assert end.value.code == 1
    assert told.count("error:") == 1
    assert (
        "'s3://mine/runs/small' cannot be written (PermissionError: Access Denied). Check the address and the" in told
    )
    assert [file.name for file in (small_inputs.folder / "runs" / "small").iterdir()] == [".lock"]
