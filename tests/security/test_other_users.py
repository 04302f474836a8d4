"""Other users of the machine: what they can read, what they could have put in our way, and what is started for them."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from humpback.cli import app as cli
from humpback.config import HttpConfig
from humpback.engines.http.serve import StartedServer
from humpback.errors import ModelError
from humpback.models import builtin

PACKAGE = Path(cli.__file__).parents[1]


def test_a_run_gives_others_no_more_than_the_umask_does(careful_run):
    assert (careful_run.folder / "report" / "index.html").exists()
    files = [careful_run.folder, *careful_run.folder.rglob("*")]
    assert not [file for file in files if stat.S_IMODE(file.lstat().st_mode) & 0o077]


def test_nothing_of_a_run_stays_in_the_folder_for_temporary_files(careful_run):
    assert not [file for file in careful_run.temporary.rglob("*") if file.is_file()]


def test_the_log_of_a_started_server_is_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    os.umask(before := os.umask(0))
    server = StartedServer(HttpConfig(start=f"{sys.executable} -c pass"), tmp_path)
    server.stop()
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600
    assert os.umask(before) == before


@pytest.mark.parametrize(("owner", "is_refused"), [(0, False), (os.getuid(), False), (os.getuid() + 1, True)])
def test_a_built_in_model_that_another_user_put_there_is_refused(tmp_path, monkeypatch, owner, is_refused):
    monkeypatch.setenv("HUMPBACK_CACHE", str(tmp_path))
    monkeypatch.setattr(builtin, "builtin_gguf", lambda: tmp_path / "x.gguf")
    monkeypatch.setattr(builtin.importlib.metadata, "version", lambda _: "1")
    folder = tmp_path / "models" / f"{builtin.FOLDER_NAME}-1"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    real = Path.stat

    def stat_of(self: Path, **options: bool) -> os.stat_result:
        found = real(self, **options)
        if self != folder:
            return found
        return os.stat_result([*found[:4], owner, *found[5:10]])

    monkeypatch.setattr(Path, "stat", stat_of)
    if not is_refused:
        assert builtin.builtin_model() == folder
        return
    with pytest.raises(ModelError, match=r"belongs to another user .* set HUMPBACK_CACHE to a folder of your own"):
        builtin.builtin_model()


def test_looking_at_somebody_elses_run_starts_nothing(monkeypatch, small_inputs, tmp_path, capsys):
    from humpback.records import Candidate
    from humpback.workspace import read_rows

    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            assert not end.code, capsys.readouterr().err
        return capsys.readouterr().out

    call("run", small_inputs.config)
    run = small_inputs.folder / "runs" / "small"
    sprung = tmp_path / "sprung"
    settings = (run / "humpback.yaml").read_text()
    (run / "humpback.yaml").write_text(settings.replace("start: null", f"start: touch {sprung}"))
    assert "touch" in (run / "humpback.yaml").read_text()
    row = next(iter(read_rows(run / "candidates", Candidate)))
    assert row.instruction in call("explain", run, row.id)
    assert "steps to do" in call("status", run)
    call("report", run / "humpback.yaml")
    call("compare", run, run)
    assert "0 rows" in call("takedown", run, "--domain", "nowhere.example", "--dry-run")
    assert not sprung.exists()


def package_files(*words: str) -> list[str]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [
        file.relative_to(PACKAGE).as_posix()
        for file in files
        if any(word in file.read_text(encoding="utf-8") for word in words)
    ]


def test_one_place_alone_listens_on_a_port():
    """It is the review's, whose tests hold it to the loopback."""
    assert package_files("create_server(", "HTTPServer(", ".listen(") == ["review/serve.py"]


def test_a_training_on_several_machines_alone_looks_for_a_free_port():
    assert package_files(".bind(") == ["cluster/machines.py"]
