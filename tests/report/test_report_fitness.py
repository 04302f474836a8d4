"""The table of a judge's fitness."""

from __future__ import annotations

from humpback.report.fitness import Area, JudgeKind, judge_kinds

ONE = {"kinds": [{"kind": "cut_end", "auc": 0.9, "low": 0.8, "high": 1.0}], "mean": 0.9}
TWO = {"kinds": [{"kind": "echo", "auc": 0.7, "low": 0.6, "high": 0.8}], "mean": 0.7}


def test_kinds_by_rounds():
    assert judge_kinds([ONE, TWO]) == [
        JudgeKind("cut end", [Area(0.9, 0.8, 1.0), None]),
        JudgeKind("echo", [None, Area(0.7, 0.6, 0.8)]),
        JudgeKind("mean of the kinds", [Area(0.9), Area(0.7)]),
    ]


def test_without_a_judge_there_is_no_table():
    assert judge_kinds([]) == []
