"""No text of a document, a model or a server drives the terminal: not in logs, messages, tracebacks or `explain`."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from pathlib import Path

import pytest

from humpback.cli import app as cli
from humpback.cli import console
from humpback.records import Candidate
from humpback.workspace import read_rows

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r"
DRIVING = set("\x1b\x07\x9b\u202e\r")


@pytest.fixture
def humpback(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("humpback")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def test_every_command_that_shows_rows_shows_them_harmless(humpback, small_inputs):
    for file in small_inputs.corpus.glob("*.md"):
        text = file.read_text().replace("\n\n", f" {ESCAPES}\n\n", 3)
        file.with_name(f"\x1b[31m{file.name}").write_text(text)
        file.unlink()
    code, printed = humpback("run", small_inputs.config)
    assert code == 0, printed
    run = small_inputs.folder / "runs" / "small"
    row = next(iter(read_rows(run / "candidates", Candidate)))
    assert "\x1b[31m" in row.source.uri
    for arguments in (["explain", run, row.id], ["status", run], ["compare", run, run], ["plan", small_inputs.config]):
        printed += humpback(*arguments)[1]
    assert "<1b>[31mdocument-" in printed
    assert not DRIVING & set(printed)


def test_a_log_line_shows_what_it_names(capsys, monkeypatch):
    logger = logging.getLogger("humpback")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    for is_terminal in (False, True):
        monkeypatch.setattr(console.messages, "_force_terminal", is_terminal)
        console.set_up_logging()
        logging.getLogger("humpback.corpus").warning("%s: is odd", f"file{ESCAPES}")
        try:
            raise ValueError(ESCAPES)
        except ValueError:
            logging.getLogger("humpback.corpus").exception("failed")
        printed = capsys.readouterr().err
        assert "file<1b>]0;owned<7>" in printed
        assert not DRIVING - {"\x1b"} & set(printed)
        assert is_terminal or "\x1b" not in printed
        assert "\x1b]0;" not in printed
        assert "\x1b[2J" not in printed


def test_a_message_and_a_traceback_show_what_they_name(humpback, small_inputs, monkeypatch):
    code, printed = humpback("check", small_inputs.config, "-s", f"name=a{json.dumps(ESCAPES)}")
    assert code == 1
    assert not DRIVING & set(printed)

    def fail(*_: object) -> None:
        raise RuntimeError(f"document {ESCAPES}")

    monkeypatch.setattr("humpback.pipeline.preflight", fail)
    code, printed = humpback("check", small_inputs.config)
    assert code == 1
    assert "RuntimeError: document <1b>]0;owned<7>" in printed
    assert not DRIVING & set(printed)


def test_a_folder_with_an_odd_name_is_shown_harmless(humpback, small_inputs, tmp_path):
    humpback("run", small_inputs.config)
    odd = tmp_path / "run\x1b[31m"
    shutil.copytree(small_inputs.folder / "runs" / "small", odd)
    for arguments in (["status", odd], ["status", Path("no\x1b[31msuch")]):
        assert "\x1b" not in humpback(*arguments)[1]
