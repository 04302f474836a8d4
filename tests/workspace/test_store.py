"""The copy of a run's folder: at every moment another machine can go on from it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from humpback.config import Config
from humpback.errors import WorkspaceError
from humpback.inputs import retries
from humpback.records import Example, Source
from humpback.workspace import Manifest, RunFolder, write_json, write_rows
from humpback.workspace.store import WantedStep, check_store, lock, open_copy
from humpback.workspace.store import copy as copying
from humpback.workspace.store.files import StoreFiles
from humpback.workspace.store.kept import fetch, push, read_kept

SOURCE = Source("file", "1", 0, 4, None)
STEPS = [WantedStep("seed", "f1", ()), WantedStep("models/m0", "f2", ("seed",))]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(copying, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(copying, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lock, "STALE_SECONDS", 0.5)
    monkeypatch.setattr(lock, "LOOK_SECONDS", 0.02)


@pytest.fixture
def store(tmp_path) -> str:
    return f"file://{tmp_path / 'store' / 'run'}"


def run_folder(path: Path) -> RunFolder:
    folder = RunFolder(path)
    folder.create(Config(seed=["s.jsonl"], corpus=["docs"], runs_dir=path.parent, name=path.name))
    return folder


def write_part(folder: RunFolder, step: str, number: int, text: str = "a") -> None:
    rows = [Example(str(number), "q", f"{text} {number}", SOURCE)]
    write_rows(folder.step(step).path / "dropped" / f"part-{number:05d}.parquet", [], Example)
    write_rows(folder.step(step).path / f"part-{number:05d}.parquet", rows, Example)


def finish(folder: RunFolder, step: WantedStep) -> None:
    folder.step(step.name).finish(Manifest(step.name, step.fingerprint, {}, 1, {}, 1.0))


def make(folder: RunFolder, step: WantedStep, parts: int = 2, text: str = "a") -> None:
    folder.step(step.name).begin(step.fingerprint)
    for number in range(parts):
        write_part(folder, step.name, number, text)
    finish(folder, step)


def content(path: Path) -> dict[str, bytes]:
    """What a run's folder holds of its steps."""
    files = [file for name in ("seed", "models") for file in (path / name).rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def until(is_so) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_another_machine_gets_what_was_made_and_what_was_begun(store, tmp_path):
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("seed")
        make(one, STEPS[0])
        copy.begins("models/m0")
        one.step("models/m0").begin("f2")
        write_part(one, "models/m0", 0)
    assert not (tmp_path / "store/run/models/m0/stage.json").exists()
    with open_copy(store, other) as copy:
        copy.fetch(STEPS)
        assert content(other.path).keys() == content(one.path).keys()
        assert other.step("seed").is_finished("f1")
        assert other.step("models/m0").is_started("f2")
        other.step("models/m0").begin("f2")
        assert (other.path / "models/m0/part-00000.parquet").exists()  # what is not whole would be removed
        write_part(other, "models/m0", 1)
        finish(other, STEPS[1])
    with open_copy(store, one) as copy:  # which is behind now
        copy.fetch(STEPS)
    assert content(one.path) == content(other.path) == content(tmp_path / "store/run")
    assert not any((tmp_path / "store/run/.locks").iterdir())


def test_files_are_copied_while_a_step_works(store, tmp_path):
    one = run_folder(tmp_path / "one")
    there = tmp_path / "store/run/seed"
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("seed")
        one.step("seed").begin("f1")
        write_part(one, "seed", 0)
        until(lambda: "part-00000" in _text(there / "started.json"))
        write_part(one, "seed", 1)
        until(lambda: "part-00001" in _text(there / "started.json"))
        finish(one, STEPS[0])
        until(lambda: (there / "stage.json").exists() and not (there / "started.json").exists())


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def test_at_every_moment_the_copy_is_one_to_go_on_from(tmp_path, monkeypatch):
    """After each request, what a lost machine leaves gives whole files, and finished steps that are finished."""
    one = run_folder(tmp_path / "one")
    root, shots = tmp_path / "store", []
    files = StoreFiles(f"file://{root}")

    def photographed(method):
        def call(self, *args):
            method(self, *args)
            shots.append(shutil.copytree(root, tmp_path / f"shot-{len(shots)}"))

        return call

    for name in ("put", "write"):
        monkeypatch.setattr(StoreFiles, name, photographed(getattr(StoreFiles, name)))
    written: dict[str, set[bytes]] = {}

    def pushed(there):
        for name, data in content(one.path).items():
            written.setdefault(name, set()).add(data)
        return push(files, one.step("seed"), fingerprint, there)

    there = None
    for fingerprint, text in (("old", "b"), ("f1", "a")):  # the second time, what is there is of no use
        one.step("seed").begin(fingerprint)
        for number in range(3):
            write_part(one, "seed", number, text)
            there = pushed(there)
        write_part(one, "seed", 0, f"{text} again")
        there = pushed(there)
        finish(one, WantedStep("seed", fingerprint, ()))
        there = pushed(there)
    assert len(shots) > 20
    finished = 0
    for number, shot in enumerate(shots):
        left = StoreFiles(f"file://{shot}")
        kept = read_kept(left, "seed", left.names())
        if kept is None:
            continue
        got = RunFolder(tmp_path / f"got-{number}")
        is_whole = fetch(left, got.step("seed"), kept)
        parts = {name: data for name, data in content(got.path).items() if name.endswith(".parquet")}
        assert all(data in written[name] for name, data in parts.items())
        if kept.is_finished and is_whole:
            finished += 1
            assert got.step("seed").is_finished(kept.fingerprint)
            assert len(parts) == 6
        else:
            assert got.step("seed").manifest() is None
    assert finished == 2
    assert content(root) == content(one.path)


def test_a_torn_copy_is_found_and_made_good(store, tmp_path):
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        make(one, STEPS[0])
        make(one, STEPS[1])
        copy.begins("seed")
        copy.begins("models/m0")
    torn = tmp_path / "store/run/seed/part-00001.parquet"
    torn.write_bytes(torn.read_bytes()[:100])
    manifest = tmp_path / "store/run/models/m0/stage.json"
    manifest.write_bytes(manifest.read_bytes()[:50])
    with open_copy(store, other) as copy:
        copy.fetch(STEPS)
        assert not other.step("seed").is_finished("f1")
        other.step("seed").begin("f1")
        assert [file.name for file in (other.path / "seed").glob("part-*")] == ["part-00000.parquet"]
        assert not list((other.path / "models").rglob("*.parquet"))
        copy.begins("seed")
        write_part(other, "seed", 1)
        finish(other, STEPS[0])
        copy.begins("models/m0")
        make(other, STEPS[1])
    assert content(tmp_path / "store/run") == content(other.path)


@pytest.mark.parametrize("name", ["../../../evil", "/tmp/evil", "a/../../../evil", "", "."])
@pytest.mark.parametrize("file", ["stage.json", "started.json"])
def test_names_that_lead_out_of_a_step_are_refused(store, tmp_path, name, file):
    write_json(tmp_path / "store/run/run.json", {"workspace_version": run_version(tmp_path)})
    place = tmp_path / "store/run/seed" / file
    place.parent.mkdir()
    said = {"fingerprint": "f1", "files": {name: 1}, "sums": {name: "0" * 32}}
    lines = [{"fingerprint": "f1"}, [name, "0" * 32]]
    place.write_text(json.dumps(said) if file == "stage.json" else "\n".join(map(json.dumps, lines)))
    before = sorted(tmp_path.rglob("*"))
    one = run_folder(tmp_path / "one")
    with pytest.raises(WorkspaceError, match="lies outside of it"), open_copy(store, one) as copy:
        copy.fetch(STEPS)
    found = {path for path in tmp_path.rglob("*") if not path.is_relative_to(one.path) and ".locks" not in str(path)}
    assert sorted(found) == before
    assert not (one.path / "seed").exists()


def run_version(tmp_path: Path) -> int:
    folder = run_folder(tmp_path / "version")
    found = json.loads((folder.path / "run.json").read_text())["workspace_version"]
    shutil.rmtree(folder.path)
    return found


def test_nothing_beside_the_steps_is_touched(store, tmp_path):
    one = run_folder(tmp_path / "one")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
    theirs = [tmp_path / "store/other/stage.json", tmp_path / "store/run/mine/note.txt", tmp_path / "store/run/note"]
    for file in theirs:
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
    stale = tmp_path / "store/run/seed/part-00007.parquet"  # of an attempt that was stopped
    stale.parent.mkdir()
    stale.write_text("")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("seed")
        make(one, STEPS[0])
    assert [file.read_text() for file in theirs] == ["{}"] * 3
    assert not stale.exists()
    assert not (one.path / "mine").exists()


def test_one_machine_at_a_time(store, tmp_path):
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        told = r"run: is in use by process \d+ on .*wait for it, or use another"
        with pytest.raises(WorkspaceError, match=told), open_copy(store, other):
            pytest.fail("both have it")
        copy.begins("seed")
        make(one, STEPS[0])
    with open_copy(store, other) as copy:
        copy.fetch(STEPS)
    assert other.step("seed").is_finished("f1")


def test_the_lock_of_a_machine_that_has_gone(store, tmp_path, monkeypatch):
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    files = StoreFiles(store)
    with monkeypatch.context() as silent:
        silent.setattr(lock, "BEAT_SECONDS", 1000)
        gone = lock.StoreLock(files, one.place())
        gone.acquire()
    started = time.monotonic()
    with open_copy(store, one):  # the same folder, whose other user has gone for sure
        assert time.monotonic() - started < lock.STALE_SECONDS / 2
    with monkeypatch.context() as silent:
        silent.setattr(lock, "BEAT_SECONDS", 1000)
        gone = lock.StoreLock(files, one.place())
        gone.acquire()
    started = time.monotonic()
    with open_copy(store, other):
        assert time.monotonic() - started > lock.STALE_SECONDS
        time.sleep(lock.STALE_SECONDS)
        assert not gone.is_held()  # it wakes up, and finds that it was taken for gone
    gone.release()


def test_who_has_lost_the_store_stops_and_writes_nothing_there(store, tmp_path):
    one = run_folder(tmp_path / "one")
    with pytest.raises(WorkspaceError, match="another machine has taken over"), open_copy(store, one) as copy:
        copy.fetch(STEPS)
        until(lambda: (tmp_path / "store/run/run.json").exists())
        shutil.rmtree(tmp_path / "store/run/.locks")
        until(lambda: copy._lock.is_lost)
        make(one, STEPS[0])
        copy.begins("seed")
    assert not (tmp_path / "store/run/seed").exists()


def test_a_store_that_goes_away_stops_nothing_and_is_told(store, tmp_path, monkeypatch, caplog):
    one = run_folder(tmp_path / "one")

    def fail(self, name, file):
        raise WorkspaceError("store: cannot be written (gone).")

    told = r"copy is behind .*one, which has all .*gone.*Run the same command"
    with monkeypatch.context() as away:
        with pytest.raises(WorkspaceError, match=told), open_copy(store, one) as copy:
            copy.fetch(STEPS)
            away.setattr(StoreFiles, "put", fail)
            for step in STEPS:
                copy.begins(step.name)
                make(one, step)
                until(lambda: caplog.records)
            time.sleep(0.2)
        assert [record.getMessage().count("the run goes on in") for record in caplog.records] == [1]
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
    assert content(tmp_path / "store/run") == content(one.path)


def test_an_outage_is_one_warning_and_not_one_a_try(store, tmp_path, monkeypatch, caplog):
    one = run_folder(tmp_path / "one")
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.01, 0.01))
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        with monkeypatch.context() as away:
            for files in (copy._files, copy._lock._files):
                for name in ("put_file", "pipe_file", "cat_file", "find"):
                    away.setattr(files._files, name, lambda *arguments, **named: 1 / 0)
            copy.begins("seed")
            make(one, STEPS[0])
            until(lambda: "the run goes on" in caplog.text)
            time.sleep(0.5)
        assert [record.getMessage().count("again in") for record in caplog.records] == [1, 1, 1, 0]
    assert content(tmp_path / "store/run") == content(one.path)


def test_it_answers_again(store, tmp_path, monkeypatch, caplog):
    one = run_folder(tmp_path / "one")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        with monkeypatch.context() as away:
            away.setattr(StoreFiles, "put", lambda self, name, file: StoreFiles(store).remove([f"{name}/.."]))
            copy.begins("seed")
            make(one, STEPS[0])
            until(lambda: "the run goes on" in caplog.text)
        until(lambda: "answers again" in caplog.text)
    assert content(tmp_path / "store/run") == content(one.path)


def test_an_error_of_the_run_is_told_and_not_that_of_the_store(store, tmp_path, monkeypatch, caplog):
    one = run_folder(tmp_path / "one")
    with pytest.raises(ZeroDivisionError), open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("seed")
        make(one, STEPS[0])
        1 / 0  # noqa: B018
    assert content(tmp_path / "store/run") == content(one.path)


def test_the_stores_output_wins_and_takes_what_was_made_from_the_other_along(store, tmp_path):
    """Two machines made a step while the store was away, and their arithmetic differs."""
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("seed")
        make(one, STEPS[0])
    make(other, STEPS[0], text="b")
    make(other, STEPS[1], text="b")
    with open_copy(store, other) as copy:
        copy.fetch(STEPS)
    assert content(other.path) == content(one.path)
    assert not (tmp_path / "store/run/models").exists()


def test_what_a_machine_left_that_was_lost_right_after_a_step_was_finished_goes(store, tmp_path):
    one = run_folder(tmp_path / "one")
    there = tmp_path / "store/run/seed"
    make(one, STEPS[0])
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
    (there / ".work/sampled").mkdir(parents=True)
    for name in ("started.json", ".work/sampled/part-00000.parquet"):
        (there / name).write_text("")
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
    assert content(tmp_path / "store/run") == content(one.path)


def test_what_was_taken_out_does_not_come_back(store, tmp_path):
    one, other, third = (run_folder(tmp_path / name) for name in ("one", "other", "third"))
    for folder in (one, other):
        with open_copy(store, folder) as copy:
            copy.fetch(STEPS)
            copy.begins("seed")
            if folder is one:
                make(one, STEPS[0])
                make(one, STEPS[1])
                copy.begins("models/m0")
    write_part(one, "seed", 1, "taken out")
    one.step("seed").amend(rows=1)
    request = {"requests": [{"domain": "example.org", "asked": "2026-01-01"}]}
    write_json(one.path / "takedown.json", request)
    with open_copy(store, one) as copy:  # here it was done, there not yet
        copy.fetch(STEPS)
    assert content(tmp_path / "store/run") == content(one.path)
    assert json.loads((tmp_path / "store/run/takedown.json").read_text()) == request
    make(third, STEPS[0])  # made before it heard of the request
    write_part(third, "seed", 0, "older")
    third.step("seed").amend(rows=1)
    for folder in (other, third):
        with open_copy(store, folder) as copy:
            copy.fetch(STEPS)
        assert content(folder.path) == content(one.path)
        assert json.loads((folder.path / "takedown.json").read_text()) == request


def checkpoint(folder: RunFolder, number: int) -> Path:
    made = folder.path / "models/m0/checkpoints" / f"checkpoint-{number}"
    made.mkdir(parents=True)
    for name in ("model.bin", "optimizer.bin"):
        (made / name).write_bytes(f"{name} {number}".encode() * 100)
    return made


def test_the_newest_complete_checkpoint_of_a_training_is_copied(store, tmp_path):
    one = run_folder(tmp_path / "one")
    there = tmp_path / "store/run/models/m0/checkpoints"
    with open_copy(store, one) as copy:
        copy.fetch(STEPS)
        copy.begins("models/m0")
        one.step("models/m0").begin("f2")
        time.sleep(10 * copying.POLL_SECONDS)  # a training begins with nothing to copy
        (checkpoint(one, 5) / "complete").touch()
        until(lambda: (there / "checkpoint-5/complete").exists())
        (checkpoint(one, 10) / "complete").touch()
        until(lambda: (there / "checkpoint-10/complete").exists() and not (there / "checkpoint-5/model.bin").exists())
        checkpoint(one, 15)
    assert not (there / "checkpoint-15").exists()
    for is_torn in (False, True):
        if is_torn:
            (there / "checkpoint-10/model.bin").write_bytes(b"half")
        other = run_folder(tmp_path / f"other-{is_torn}")
        with open_copy(store, other) as copy:
            copy.fetch(STEPS)
        other.step("models/m0").begin("f2")
        got = {file.parent.name for file in other.path.rglob("checkpoint-*/complete")}
        assert got == (set() if is_torn else {"checkpoint-10"})
        if not is_torn:
            assert (other.path / "models/m0/checkpoints/checkpoint-10/model.bin").read_bytes()[:12] == b"model.bin 10"


def test_the_log_of_two_machines_is_one(store, tmp_path):
    one, other = run_folder(tmp_path / "one"), run_folder(tmp_path / "other")
    for folder, name in ((one, "a"), (other, "b"), (one, "c")):
        with open_copy(store, folder) as copy:
            copy.fetch(STEPS)
            folder.log_metrics(name)
    lines = [json.loads(line)["name"] for line in (tmp_path / "store/run/metrics.jsonl").read_text().splitlines()]
    assert lines == ["a", "b", "c"]


def test_what_is_no_copy_is_refused(store, tmp_path):
    files = StoreFiles(store)
    check_store(files)
    (tmp_path / "store/run").mkdir(parents=True)
    (tmp_path / "store/run/thesis.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="is not empty and no copy of a run"):
        check_store(files)
    (tmp_path / "store/run/run.json").write_text("{")
    with pytest.raises(WorkspaceError, match=r"run\.json is damaged"):
        check_store(files)
    (tmp_path / "store/run/run.json").write_text('{"workspace_version": 99}')
    with pytest.raises(WorkspaceError, match="made with another version of Humpback"):
        check_store(files)
    with pytest.raises(WorkspaceError, match="lies outside of it"):
        files.read("../other/run.json")
