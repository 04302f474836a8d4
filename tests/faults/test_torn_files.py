"""Files that were not flushed before a power cut: checksums find them, in finished steps and in unfinished ones."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from humpback.records import Example, Source
from humpback.workspace import Manifest, RunFolder, Shard, StepFolder, folder, map_shards, read_rows
from humpback.workspace.sums import file_sum

ROWS = [Example(f"id-{number}", f"q{number}", f"a{number}", Source("file", "1", 0, 4, None)) for number in range(12)]
PARTS = [f"part-0000{number}.parquet" for number in range(4)]


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeroed(data: bytes) -> bytes:
    return halved(data).ljust(len(data), b"\0")


DAMAGES = {"cut": halved, "zeroed": zeroed, "emptied": lambda data: b""}


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


def made(step: StepFolder) -> list[str]:
    """Makes the step's shards that are not there; the first row of each that was worked on."""
    worked_on = []

    def work(rows: list[Example]) -> Shard:
        worked_on.append(rows[0].id)
        return Shard([replace(row, output=row.output.upper()) for row in rows], [])

    step.begin("key")
    map_shards(iter(ROWS), step, Example, work, rows_per_shard=3, advance=lambda count: None)
    return worked_on


def content(step: StepFolder) -> dict[str, bytes]:
    return {str(file.relative_to(step.path)): file.read_bytes() for file in step.path.rglob("*.parquet")}


def spoil(step: StepFolder, name: str, damage: str) -> None:
    file = step.path / name
    file.write_bytes(DAMAGES[damage](file.read_bytes()))


@pytest.mark.parametrize("damage", DAMAGES)
def test_torn_shards_of_an_unfinished_step_are_made_again_and_no_others(run, damage):
    step = run.step("segments")
    assert made(step) == ["id-0", "id-3", "id-6", "id-9"]
    whole = content(step)
    spoil(step, PARTS[1], damage)
    spoil(step, PARTS[3], damage)
    assert made(step) == ["id-3", "id-9"]
    assert content(step) == whole
    assert [row.output for row in read_rows(step.path, Example)] == [row.output.upper() for row in ROWS]


def test_a_shard_of_which_nothing_is_noted_is_made_again(run):
    step = run.step("segments")
    made(step)
    started = step.path / "started.json"
    lines = started.read_bytes().splitlines(keepends=True)
    # The file of notes was not flushed either: its last line, of the last shard, is torn.
    started.write_bytes(b"".join(lines[:-1]) + lines[-1][:7])
    assert made(step) == ["id-9"]
    assert made(step) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_torn_file_of_a_finished_step_is_found_after_the_next_start_of_the_machine(run, monkeypatch, caplog, damage):
    boot = run.path / "boot"
    monkeypatch.setattr(folder, "BOOT_ID", boot)
    for name in ("passages", "segments"):
        made(run.step(name))
        run.step(name).finish(Manifest(name, "key", {}, rows=len(ROWS), dropped={}, seconds=0.1))
    boot.write_text("one")
    whole = content(run.step("segments"))
    assert run.check_files() == {}
    spoil(run.step("segments"), PARTS[2], damage)
    boot.write_text("two")
    with caplog.at_level(logging.WARNING, "humpback"):
        found = run.check_files()
    assert run.step("passages").is_finished("key")
    assert not run.step("segments").is_finished("key")
    if damage == "zeroed":  # the others are of another size, so that the step counts as unfinished anyway
        assert found == {"segments": [PARTS[2]]}
        assert f"not what was written: {PARTS[2]}; it is made again" in caplog.text
    made(run.step("segments"))
    assert content(run.step("segments")) == whole


def test_finished_files_are_read_once_for_each_start_of_the_machine(run, monkeypatch):
    boot = run.path / "boot"
    monkeypatch.setattr(folder, "BOOT_ID", boot)
    step = run.step("segments")
    made(step)
    step.finish(Manifest("segments", "key", {}, rows=len(ROWS), dropped={}, seconds=0.1))
    boot.write_text("one")
    read = []
    monkeypatch.setattr("humpback.workspace.step.file_sum", lambda path: (read.append(path.name), file_sum(path))[1])
    run.check_files()
    run.check_files()
    assert sorted(read) == sorted(PARTS * 2)  # what was kept, and what was dropped
    boot.write_text("two")
    run.check_files()
    assert sorted(read) == sorted(PARTS * 4)


def test_a_checksum_is_what_xxhsum_prints(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert file_sum(file) == "06b05ab6733a618578af5f94892f3950"  # `printf abc | xxhsum -H2`
