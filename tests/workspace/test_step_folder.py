"""Done means done for one fingerprint and with every byte there."""

from __future__ import annotations

import shutil

import pytest

from humpback.workspace import Manifest, StepFolder, fingerprint, write_text
from humpback.workspace.fingerprint import file_digest


def manifest(name: str, key: str) -> Manifest:
    return Manifest(name, key, {}, rows=2, dropped={"too_short": 1}, seconds=0.5)


@pytest.fixture
def step(tmp_path):
    step = StepFolder(tmp_path / "segments", "segments")
    step.begin("one")
    write_text(step.path / "part-00000.parquet", "rows")
    write_text(step.path / "dropped" / "part-00000.parquet", "others")
    return step


def test_a_step_is_finished_for_its_fingerprint_only(step):
    assert step.is_started("one")
    assert not step.is_finished("one")
    step.finish(manifest("segments", "one"))
    assert step.is_finished("one")
    assert not step.is_started("one")
    assert not step.is_finished("two")
    found = step.manifest()
    assert found.dropped == {"too_short": 1}
    assert found.files == {"part-00000.parquet": 4, "dropped/part-00000.parquet": 6}


@pytest.mark.parametrize("name", ["part-00000.parquet", "dropped/part-00000.parquet"])
def test_a_missing_or_truncated_file_means_not_finished(step, name):
    step.finish(manifest("segments", "one"))
    file = step.path / name
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert not step.is_finished("one")
    file.unlink()
    assert not step.is_finished("one")
    file.write_bytes(content)
    assert step.is_finished("one")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": "segments"}', '{"colour": 1}'])
def test_a_damaged_manifest_means_not_finished(step, text):
    step.finish(manifest("segments", "one"))
    (step.path / "stage.json").write_text(text)
    assert not step.is_finished("one")


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_damaged_start_mark_means_not_started(step, text):
    (step.path / "started.json").write_text(text)
    assert not step.is_started("one")


def test_beginning_again_keeps_what_is_there(step):
    step.begin("one")
    assert (step.path / "part-00000.parquet").read_text() == "rows"


def test_beginning_another_output_removes_everything(step):
    step.begin("two")
    assert [file.name for file in step.path.iterdir()] == ["started.json"]
    assert step.is_started("two")
    assert not step.is_started("one")


def test_a_stopped_removal_is_not_taken_for_a_start(step, monkeypatch):
    """A removal that is cut short may leave a shard without the rows it dropped; it must not be gone on from."""

    def stopped(path, **options):
        (path / "dropped" / "part-00000.parquet").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        step.begin("two")
    assert not step.is_started("one")
    assert not step.is_started("two")


def test_a_damaged_output_is_not_gone_on_from(step):
    step.finish(manifest("segments", "one"))
    (step.path / "started.json").write_text('{"fingerprint": "one"}')  # stopped right after it was finished
    assert step.is_finished("one")
    (step.path / "part-00000.parquet").write_text("ro")
    step.begin("one")
    assert [file.name for file in step.path.iterdir()] == ["started.json"]


def test_half_written_files_of_a_killed_attempt_are_removed(step):
    (step.path / ".stage.json.tmp").write_text("{")
    (step.path / "dropped" / ".part-00001.parquet.tmp").write_text("half")
    step.begin("one")
    step.finish(manifest("segments", "one"))
    assert step.is_finished("one")
    assert set(step.manifest().files) == {"part-00000.parquet", "dropped/part-00000.parquet"}
    assert not list(step.path.rglob("*.tmp"))


def test_fingerprints_do_not_depend_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    values = [{"a": 1}, {"a": 2}, {"a": "1"}, {"a": 1.5}, {"b": 1}, ["a", 1], {"a": None}, {"a": [1]}, {}]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert len(fingerprint("grün")) == 32


def test_file_digests_depend_on_bytes_only(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    (tmp_path / "c").write_bytes(b"x" * 2_999_999 + b"y")
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b") != file_digest(tmp_path / "c")


def test_what_is_computed_on_the_way_stays_until_the_output_is_finished(step):
    work = step.work("halves")
    write_text(work.path / "part-00000.parquet", "half")
    step.begin("one")
    assert (work.path / "part-00000.parquet").exists()
    step.finish(manifest("segments", "one"))
    assert not work.path.exists()
    assert set(step.manifest().files) == {"part-00000.parquet", "dropped/part-00000.parquet"}
