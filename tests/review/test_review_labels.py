"""Labels: written line by line, taken back, combined, and in the form that `humpback curate --labels` reads."""

from __future__ import annotations

import json
import os

import pytest

from humpback.curation.labels import read_labels
from humpback.errors import InputError, WorkspaceError
from humpback.review import export_edits, export_labels, label_figures
from humpback.review.acts import ActLog, annotator_names
from humpback.review.labels import Labels, combined, log_of, read_all


def labels_of(folder, name="anna"):
    return Labels(log_of(folder, name))


def test_a_label_is_on_disk_when_set_returns_and_is_there_after_a_restart(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    labels_of(tmp_path).set("x", "good", None)
    assert len(flushed) == 1
    lines = (tmp_path / "labels-anna.jsonl").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["good"]
    assert labels_of(tmp_path).get("x").verdict == "good"


def test_undo_goes_back_act_by_act_across_restarts(tmp_path):
    labels = labels_of(tmp_path)
    labels.set("x", "good", None)
    labels.set("y", None, "Better?")
    labels.set("x", "bad", None)
    assert labels.undo() == "x"
    assert labels.get("x").verdict == "good"
    labels = labels_of(tmp_path)
    assert labels.undo() == "y"
    assert labels.undo() == "x"
    assert labels.undo() is None
    assert not labels_of(tmp_path).by_id
    assert len((tmp_path / "labels-anna.jsonl").read_text().splitlines()) == 6  # nothing is ever erased


def test_saying_the_same_again_is_no_act(tmp_path):
    labels = labels_of(tmp_path)
    labels.set("x", "good", None)
    labels.set("x", "good", None)
    assert labels.undo() == "x"
    assert not labels.by_id


def test_a_line_that_a_crash_cut_short_costs_itself_only(tmp_path, caplog):
    labels_of(tmp_path).set("x", "good", None)
    file = tmp_path / "labels-anna.jsonl"
    with file.open("a") as out:
        out.write('{"id": "y", "verd')
    labels = labels_of(tmp_path)
    assert set(labels.by_id) == {"x"}
    assert "line 2" in caplog.text
    labels.set("z", "bad", None)
    assert set(labels_of(tmp_path).by_id) == {"x", "z"}


def test_an_act_that_cannot_be_written_changes_nothing(tmp_path):
    (tmp_path / "labels-anna.jsonl").mkdir()
    log = ActLog(tmp_path / "labels-anna.jsonl" / "deep")
    labels = Labels(log)
    log.path.parent.rmdir()
    log.path.parent.write_text("in the way")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        labels.set("x", "good", None)
    assert not labels.by_id


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 41, "a\nb", "ä", "a b", "\0", "labels-*"])
def test_names_that_could_leave_the_folder_are_refused(name):
    with pytest.raises(InputError, match="cannot be part of a file's name"):
        annotator_names([name])


def test_names_are_distinct_even_where_files_ignore_case():
    with pytest.raises(InputError, match="two names are the same"):
        annotator_names(["Anna", "anna"])
    assert annotator_names(["anna", "ben-2"]) == ["anna", "ben-2"]
    assert len(annotator_names([])) == 1


def test_majority_decides_and_ties_are_left_out(run, tmp_path):
    folder = run / "review"
    said = {"anna": "ggb", "ben": "gbb", "cleo": "bgg"}
    for name, verdicts in said.items():
        for number, verdict in enumerate(verdicts):
            labels_of(folder, name).set(str(number), {"g": "good", "b": "bad"}[verdict], None)
    labels_of(folder, "anna").set("3", "good", None)
    labels_of(folder, "ben").set("3", "bad", None)
    assert export_labels(run, tmp_path / "out.jsonl") == 3
    assert read_labels(tmp_path / "out.jsonl") == {"0": True, "1": True, "2": False}
    figures = label_figures(run)
    assert (figures["good"], figures["bad"], figures["ties"]) == (2, 1, 1)
    assert -1 < figures["krippendorff_alpha"] < 0.5


def test_a_pair_accepted_after_an_edit_is_no_label_of_the_pair_as_it_was(run, tmp_path):
    rows = [f"{number:016x}" for number in range(3)]
    labels = labels_of(run / "review")
    labels.set(rows[0], "good", "A better question?")
    labels.set(rows[1], "bad", "Still hopeless?")
    labels.set(rows[2], "good", None)
    labels_of(run / "review", "ben").set(rows[2], None, "Or so?")
    assert export_labels(run, tmp_path / "labels.jsonl") == 2
    assert read_labels(tmp_path / "labels.jsonl") == {rows[1]: False, rows[2]: True}
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [line["edited_instruction"] for line in lines] == ["Still hopeless?", "Or so?"]
    assert export_edits(run, tmp_path / "edits.jsonl") == 1
    pair = json.loads((tmp_path / "edits.jsonl").read_text())
    assert pair == {"id": rows[0], "instruction": "A better question?", "output": "Answer number 0. "}


def test_nothing_to_write_is_said(run, tmp_path):
    with pytest.raises(InputError, match="holds no labels"):
        export_labels(run, tmp_path / "out.jsonl")
    with pytest.raises(InputError, match="nothing to write"):
        export_edits(run, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_newest_edit_counts(tmp_path):
    labels_of(tmp_path, "anna").set("x", None, "first")
    labels_of(tmp_path, "ben").set("x", "good", "second")
    assert combined(read_all(tmp_path))["x"].edited in ("first", "second")
    lines = (tmp_path / "labels-ben.jsonl").read_text()
    (tmp_path / "labels-ben.jsonl").write_text(lines.replace('"time": "20', '"time": "10'))
    assert combined(read_all(tmp_path))["x"].edited == "first"
