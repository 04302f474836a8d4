"""What a run tells of itself while it works, when it ends, and when its page cannot be written."""

from __future__ import annotations

import errno
import logging
import time

import pytest

from humpback.cluster import Figures
from humpback.config import load_config
from humpback.errors import EngineError
from humpback.pipeline import make_plan, run_pipeline, tracker
from humpback.pipeline.progress import (
    PAGE_FILE,
    RECORD_FILE,
    Planned,
    Record,
    Spent,
    gather,
    read_planned,
    read_record,
    spent_in,
)
from humpback.pipeline.tracker import Tracker
from humpback.progress import SilentProgress
from humpback.report.progress_page import Bar
from humpback.workspace import Manifest, RunFolder


@pytest.fixture
def config(small_inputs):
    return load_config(small_inputs.config, ["rounds=1"])


def manifest(name: str, seconds: float) -> Manifest:
    return Manifest(name, "", {}, 10, {}, seconds)


def figures(**values) -> Figures:
    return Figures(**({"shards": 4, "workers": 2, "nodes": 2, "work_seconds": 9.0, "repeated": 1} | values))


def test_a_finished_run_says_so_and_what_it_took(config):
    run_pipeline(config)
    page = (config.folder / PAGE_FILE).read_text(encoding="utf-8")
    assert "Finished" in page
    assert "refresh" not in page
    assert 'href="report/index.html"' in page
    record = read_record(config.folder)
    assert record.state == "done"
    assert record.step is record.bar is None
    for name in ("seed", "candidates", "report"):
        taken = RunFolder(config.folder).step(name).manifest().seconds
        assert taken <= record.spent[name].seconds == record.spent[name].machine_seconds < taken + 5
        assert record.spent[name].gpu_seconds == 0


def test_a_run_that_fails_says_why_and_goes_on_with_what_was_spent(config, monkeypatch, caplog):
    from humpback.stages import rate

    def fail(context):
        logging.getLogger("humpback.stages").warning("first <b>this</b>")
        time.sleep(0.2)
        raise EngineError("the server <script>is gone</script>")

    with monkeypatch.context() as patch:
        patch.setattr(rate, "run_shards", lambda *args, **values: fail(None))
        with pytest.raises(EngineError):
            run_pipeline(config)
    page = (config.folder / PAGE_FILE).read_text(encoding="utf-8")
    assert "Failed: ratings-1" in page
    assert "refresh" not in page
    assert "the server &lt;script&gt;is gone" in page
    assert "first &lt;b&gt;this" in page
    assert read_record(config.folder).spent["ratings-1"].seconds >= 0.2
    run_pipeline(config)
    record = read_record(config.folder)
    assert (record.state, record.error, record.messages) == ("done", "", [])
    assert record.spent["ratings-1"].seconds >= 0.2, "of the same output"


def test_an_output_that_is_made_again_is_timed_anew_and_paid_for_twice(config, small_inputs):
    run_pipeline(config)
    first = read_record(config.folder)
    run_pipeline(load_config(small_inputs.config, ["rounds=1", "curate.keep_fraction=0.5"]))
    second = read_record(config.folder)
    assert second.spent["seed"] == first.spent["seed"]
    assert second.before.seconds >= first.spent["curated-1"].seconds


def test_a_page_that_cannot_be_written_stops_nothing(config, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(tracker, "_replace", full)
    assert run_pipeline(config).executed
    assert not (config.folder / PAGE_FILE).exists()


def test_a_page_that_was_left_running_is_put_right_and_then_left_alone(config):
    run_pipeline(config)
    file = config.folder / RECORD_FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"done"', '"running"'), encoding="utf-8")
    run_pipeline(config)
    assert read_record(config.folder).state == "done"
    before = file.stat().st_mtime_ns
    run_pipeline(config)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"spent": 3}', '{"state": "odd"}'])
def test_a_damaged_record_is_none(config, tmp_path, text):
    (tmp_path / RECORD_FILE).write_text(text, encoding="utf-8")
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    assert read_record(tmp_path) is None
    assert read_planned(tmp_path) == Planned({})


def test_the_plan_leaves_the_price(config):
    make_plan(config, probe=False, gpu_hour=2.5)
    assert read_planned(config.folder).gpu_hour == 2.5


def test_what_is_left_is_the_plan_times_what_its_like_took(config):
    record = Record(started=100, updated=200, step="ratings-2", bar=Bar("rating", "pairs", 5, 10, 0.5, 10.0))
    record.spent = {"ratings-1": Spent(20, 40, 80), "ratings-2": Spent(10, 20, 40)}
    planned = Planned({"ratings-1": 10, "ratings-2": 10, "ratings-3": 10, "evaluation": 7}, gpu_hour=3600)
    statuses = {"ratings-1": "done", "ratings-2": "started", "ratings-3": "to do", "evaluation": "to do", "x": "to do"}
    found = gather(config, statuses, {"ratings-1": manifest("ratings-1", 20)}, record, planned, is_running=True)
    assert [step.status for step in found.steps] == ["done", "running", "to do", "to do", "to do"]
    assert [step.left for step in found.steps] == [None, 10, 20, 7, None]
    assert (found.left, found.end, found.untimed) == (37, 237, 1)
    assert (found.planned, found.taken, found.spent, found.elapsed) == (10, 20, 30, 100)
    assert (found.cost.machine_seconds, found.cost.price) == (60, 120)
    assert found.forecast.machine_seconds == 60 + 20 + 40 + 7
    assert found.forecast.gpu_seconds == 120 + 40 + 80


def test_a_start_that_said_nothing_at_its_end_was_killed(config):
    states = {"seed": "to do"}
    assert gather(config, states, {}, Record(), Planned({}), is_running=False).state == "killed"
    assert gather(config, states, {}, Record(), Planned({}), is_running=True).state == "running"
    assert gather(config, states, {}, None, Planned({}), is_running=False).state == "not started"


def test_work_on_a_cluster_counts_its_nodes_and_gpus(config):
    work = [figures(seconds=10, gpus=4, began=1), figures(seconds=5, gpus=4, began=2)]
    found = spent_in("ratings-1", 20, work, config)
    assert (found.seconds, found.machine_seconds, found.gpu_seconds) == (20, 5 + 2 * 15, 4 * 15)
    assert str(found.cluster) == ("cluster: 8 shards by 2 workers on 2 nodes, 18.0 s of work, 2 handed out again")


def test_a_piece_of_work_is_counted_once_however_often_it_is_told(config):
    step = tracker._Stretch("ratings-1", Spent(), config)
    for shards in (1, 2, 3):
        step.worked(figures(shards=shards, seconds=shards, gpus=0, began=1))
    assert step.spent().cluster.shards == 3


def test_what_was_there_already_is_not_in_the_rate(config, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(tracker.time, "monotonic", lambda: now[0])
    following = Tracker(config, RunFolder(config.folder), [], SilentProgress())
    with following.task("rating", 1000, "pairs") as task:
        assert following._meter.bar() == Bar("rating", "pairs", 0, 1000)
        task.advance(500)
        assert following._meter.bar().rate is None
        now[0] = 20.0  # a model was loaded
        task.advance(10)
        assert following._meter.bar().rate == 0.5
        for now[0] in (22.0, 24.0):
            task.advance(10)
        bar = following._meter.bar()
        assert (bar.done, bar.rate, bar.left) == (530, 5.0, 94.0)
        now[0] = 26.0
        assert following._meter.bar().left == 92.0
    assert following._meter is None
