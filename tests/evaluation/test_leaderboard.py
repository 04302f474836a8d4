"""Models of a user beside the paper's, never two judges in one column."""

from __future__ import annotations

import json

import pytest

from humpback.errors import InputError
from humpback.evaluation.leaderboard import PAPER, Kind, leaderboard, read_entry


def entry(folder, model="mine", judge="alpaca_eval_gpt4", baseline="text_davinci_003", rate=70.0):
    file = folder / f"{model}.json"
    values = {"model": model, "annotator": judge, "baseline": baseline, "win_rate": rate, "standard_error": 1.5}
    file.write_text(json.dumps(values))
    return read_entry(file, Kind.NON_DISTILLED, 400)


def test_the_same_judge_stands_among_the_papers_models(tmp_path):
    found = leaderboard([entry(tmp_path)])
    assert len(found) == len(PAPER) + 1
    assert [row.win_rate for row in found] == sorted((row.win_rate for row in found), reverse=True)
    names = [row.model for row in found]
    assert names[names.index("mine") - 1] == "Guanaco 65B"
    assert found[names.index("mine")].labelled == 400


@pytest.mark.parametrize("values", [{"judge": "m2"}, {"baseline": "gpt4_1106_preview"}])
def test_another_judge_or_baseline_stands_alone(tmp_path, values):
    assert [row.model for row in leaderboard([entry(tmp_path, **values)])] == ["mine"]


def test_two_judges_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"2 judges in one column \(mine: alpaca_eval_gpt4; other: m2\)"):
        leaderboard([entry(tmp_path), entry(tmp_path, "other", judge="m2")])
    with pytest.raises(InputError, match="2 baselines"):
        leaderboard([entry(tmp_path), entry(tmp_path, "other", baseline="gpt4")])


@pytest.mark.parametrize("text", ["", "[]", '{"model": "x"}', '{"model": 1, "annotator": 2, "baseline": 3}'])
def test_a_file_of_another_form(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(InputError, match="is not what `humpback evaluate winrate` prints"):
        read_entry(file, Kind.DISTILLED, None)


def test_the_papers_classes():
    counts = {kind: sum(row.kind is kind for row in PAPER) for kind in Kind}
    assert counts == {Kind.NON_DISTILLED: 7, Kind.DISTILLED: 4, Kind.PROPRIETARY: 4}
