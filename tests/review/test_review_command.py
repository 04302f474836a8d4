"""`humpback review` as it is typed: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import httpx
import pytest
from review_run import row_id

from humpback.cli import app as cli
from humpback.curation.labels import read_labels
from humpback.review.labels import Labels, log_of


@pytest.fixture
def review(monkeypatch, capsys, run):
    """Runs the command on the run; returns its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "5000")

    def call(*arguments: object, folder=run) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", "review", str(folder), *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return call


def started(run, *arguments):
    """The command as a process, with the address that it printed and what came before."""
    command = [sys.executable, "-m", "humpback", "review", str(run), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = ""
    while "Ctrl-C" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line
    return process, told


def stopped(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "Everything is kept" in out
    assert err == ""


def test_it_serves_everybody_named_until_it_is_stopped(run):
    process, told = started(run, "--annotator", "anna", "--annotator", "ben")
    assert "12 candidates, 0 labelled by anna, 0 labelled by ben" in told
    addresses = re.findall(r"(anna|ben): (http://127\.0\.0\.1:\d+)/\?token=(\S+)", told)
    assert [name for name, _, _ in addresses] == ["anna", "ben"]
    for name, origin, token in addresses:
        with httpx.Client(
            base_url=origin, headers={"origin": origin}, follow_redirects=True, trust_env=False
        ) as client:
            assert f'<p class="me">{name}</p>' in client.get("/", params={"token": token}).text
            assert client.post("/label", json={"id": row_id(1), "verdict": "good"}).status_code == 200
            assert "server" not in client.get("/").headers
    stopped(process)
    process, told = started(run, "--annotator", "anna")
    assert "1 labelled by anna" in told
    stopped(process)


def test_a_second_server_on_a_run_is_refused(run, review):
    process, _ = started(run)
    code, out, err = review("--port", 0)
    assert (code, out) == (1, "")
    assert "is being reviewed by another process" in err
    stopped(process)


def test_labels_are_written_in_the_form_that_curate_takes(review, run, tmp_path):
    Labels(log_of(run / "review", "anna")).set(row_id(1), "good", None)
    Labels(log_of(run / "review", "anna")).set(row_id(2), "good", "Better?")
    code, out, _ = review("--export-labels", tmp_path / "labels.jsonl", "--export-edits", tmp_path / "edits.jsonl")
    assert code == 0
    assert "labels.jsonl: 1 labels. Next: humpback curate CONFIG --labels" in out
    assert "edits.jsonl: 1 edited pairs" in out
    assert read_labels(tmp_path / "labels.jsonl") == {row_id(1): True}
    code, out, _ = review("--results")
    assert json.loads(out)["annotators"] == {"anna": {"good": 2, "bad": 0, "edited": 1}}


def test_results_of_an_arena_are_json(review, outputs, screening):
    code, out, _ = review("--arena", outputs("whale"), outputs("minnow"), "--screening", screening, "--results")
    assert code == 0
    found = json.loads(out)
    assert (found["model_a"], found["questions"], found["screening_questions"]) == ("whale", 6, 2)
    assert found["win"] == {"votes": 0, "share": None, "interval": None}


def test_options_that_do_not_go_together_are_told_at_once(review, screening):
    code, _, err = review("--screening", screening, "--judgements", "x.json", "--export-labels", "y", "--results")
    assert code == 1
    assert err.count("error: ") == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--annotator", "../../etc/cron"], "cannot be part of a file's name"),
        (["--host", "0.0.0.0"], "give the one address"),
        (["--host", "no-such-host.invalid"], "cannot listen on no-such-host.invalid"),
        (["--arena", "a.json", "b.json"], "a.json: no such file"),
        (["--export-labels", "labels.jsonl"], "holds no labels"),
    ],
)
def test_wrong_options_are_one_message(review, arguments, told):
    code, out, err = review(*arguments)
    assert (code, out) == (1, "")
    assert err.count("error: ") == 1
    assert told in err


@pytest.mark.parametrize("arguments", [[], ["--results"], ["--export-labels", "labels.jsonl"]])
def test_a_folder_that_is_no_run_is_refused(review, tmp_path, arguments):
    code, _, err = review(*arguments, folder=tmp_path / "absent")
    assert code == 1
    assert "is no run's folder" in err
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("name", ["uvicorn", "starlette"])
def test_a_missing_package_names_the_extra(review, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    code, _, err = review()
    assert code == 1
    assert f'the review pages need {name}; install it with `pip install "humpback[review]"`' in err


def test_a_missing_krippendorff_names_the_extra(review, monkeypatch, run):
    for name in ("anna", "ben"):
        Labels(log_of(run / "review", name)).set(row_id(1), "good" if name == "anna" else "bad", None)
    monkeypatch.setitem(sys.modules, "krippendorff", None)
    code, _, err = review("--results")
    assert code == 1
    assert 'pip install "humpback[review]"' in err
