"""Models of a user beside the paper's, never two judges in one column."""

from __future__ import annotations

import json

import pytest

from humpback.errors import InputError
from humpback.evaluation.leaderboard import PAPER, Kind, leaderboard, read_entry


def entry(folder, model="mine", judge="alpaca_eval_gpt4", baseline="text_davinci_003", rate=70.0, n_total=803):
    file = folder / f"{model}.json"
    values = {"model": model, "annotator": judge, "baseline": baseline, "win_rate": rate, "standard_error": 1.5}
    values |= {"n_total": n_total, "n_unparsed": 2}
    file.write_text(json.dumps(values))
    return read_entry(file, Kind.NON_DISTILLED, 400)


def test_the_same_judge_stands_among_the_papers_models(tmp_path):
    (found,) = leaderboard([entry(tmp_path)])
    assert len(found) == len(PAPER) + 1
    assert [row.win_rate for row in found] == sorted((row.win_rate for row in found), reverse=True)
    names = [row.model for row in found]
    assert names[names.index("mine") - 1] == "Guanaco 65B"
    assert found[names.index("mine")].labelled == 400


@pytest.mark.parametrize("values", [{"judge": "m2"}, {"baseline": "gpt4_1106_preview"}, {"n_total": 78}])
def test_what_was_judged_otherwise_stands_in_a_table_of_its_own(tmp_path, values):
    ours, paper = leaderboard([entry(tmp_path, rate=60.0, **values), entry(tmp_path, "other", **values)])
    assert [row.model for row in ours] == ["other", "mine"]
    assert len(paper) == len(PAPER)
    assert {row.terms for row in paper} == {("alpaca_eval_gpt4", "text_davinci_003", 805)}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"judge": "m2"}, r"different judges in one column \(mine: alpaca_eval_gpt4; other: m2\)"),
        ({"judge": ""}, r"mine: alpaca_eval_gpt4; other: \(no name\)"),
        ({"baseline": "gpt4"}, "different baselines"),
        ({"n_total": 78}, r"different numbers of prompts in one column \(mine: 805; other: 80\)"),
    ],
)
def test_models_that_were_not_judged_alike_are_refused(tmp_path, values, wrong):
    with pytest.raises(InputError, match=wrong):
        leaderboard([entry(tmp_path), entry(tmp_path, "other", **values)])


@pytest.mark.parametrize("text", ["", "[]", '{"model": "x"}', '{"model": 1, "annotator": 2, "baseline": 3}'])
def test_a_file_of_another_form(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(InputError, match="is not what `humpback evaluate winrate` prints"):
        read_entry(file, Kind.DISTILLED, None)


def test_the_papers_classes():
    counts = {kind: sum(row.kind is kind for row in PAPER) for kind in Kind}
    assert counts == {Kind.NON_DISTILLED: 7, Kind.DISTILLED: 4, Kind.PROPRIETARY: 4}
