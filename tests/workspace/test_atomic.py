"""A file is there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from humpback.errors import WorkspaceError
from humpback.workspace import write_bytes, write_json, write_text
from humpback.workspace.atomic import write_with


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_json_are_written_into_new_folders(tmp_path):
    write_text(tmp_path / "a" / "b" / "text.txt", "grüße\n")
    write_json(tmp_path / "a" / "value.json", {"name": "grün", "count": 2})
    assert (tmp_path / "a/b/text.txt").read_bytes() == "grüße\n".encode()
    assert json.loads((tmp_path / "a/value.json").read_text()) == {"name": "grün", "count": 2}
    assert names(tmp_path / "a") == ["b", "value.json"]


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    file = tmp_path / "file"
    write_bytes(file, b"old")

    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_with(file, fail)
    assert file.read_bytes() == b"old"
    write_bytes(file, b"new")
    assert file.read_bytes() == b"new"
    assert names(tmp_path) == ["file"], "what the stopped writer left is used up"


def test_data_reaches_the_disk_before_the_name_does(tmp_path, monkeypatch):
    events = []
    replace, fsync = Path.replace, os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (events.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(Path, "replace", lambda self, target: (events.append("replace"), replace(self, target)))
    write_bytes(tmp_path / "file", b"data")
    assert events == ["fsync", "replace", "fsync"]


def failing(number: int):
    def write(temporary: Path) -> None:
        raise OSError(number, os.strerror(number), str(temporary))

    return write


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_explained(tmp_path, number):
    with pytest.raises(WorkspaceError, match=r"file: the disk is full; free some space and run the same command"):
        write_with(tmp_path / "file", failing(number))
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_an_unwritable_disk_is_explained(tmp_path, number):
    with pytest.raises(WorkspaceError, match=r"file: cannot be written \(.+\); choose another `runs_dir`"):
        write_with(tmp_path / "file", failing(number))


def test_a_full_disk_at_the_flush_is_explained_and_leaves_the_old_file(tmp_path, monkeypatch):
    write_bytes(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match="the disk is full"):
        write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_path_below_a_file_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="choose another `runs_dir`"):
        write_text(tmp_path / "file" / "below.txt", "text")


def test_other_errors_of_the_system_pass_through(tmp_path):
    with pytest.raises(OSError, match="Input/output error"):
        write_with(tmp_path / "file", failing(errno.EIO))
