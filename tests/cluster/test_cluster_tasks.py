"""Which item goes to which worker, without a cluster."""

from __future__ import annotations

import pytest

from humpback.cluster import require_ray, tasks
from humpback.cluster.tasks import Tasks
from humpback.config import load_config
from humpback.errors import MissingDependencyError
from humpback.pipeline import preflight


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(tasks.time, "monotonic", found.monotonic)
    return found


def test_items_go_out_in_order_and_none_is_forgotten():
    found = Tasks("abc")
    given = [found.take() for _ in range(4)]
    assert [task and task.item for task in given] == ["a", "b", "c", None]
    assert not found.is_empty
    assert [found.finish(task) for task in given[:3]] == [True, True, True]
    assert found.is_empty


def test_a_lost_item_goes_out_first_and_not_for_ever():
    found = Tasks("ab")
    for _ in range(tasks.MOST_LOST - 1):
        task = found.take()
        assert task.item == "a"
        assert found.lose(task)
    assert not found.lose(found.take())


def test_a_slow_item_is_given_out_once_more_and_counts_once(clock):
    found = Tasks("ab")
    slow, quick = found.take(), found.take()
    assert found.take() is None
    clock.now = 1.0
    found.finish(quick)
    assert found.take() is None
    clock.now = tasks.SLOW_SECONDS + 0.1
    copy = found.take()
    assert copy is slow
    assert found.take() is None
    assert found.finish(copy)
    assert not found.finish(slow)
    assert found.is_empty
    assert (found.finished, found.repeated) == (2, 1)


def test_a_copy_that_is_lost_leaves_the_other_at_work(clock):
    found = Tasks("ab")
    slow, quick = found.take(), found.take()
    found.finish(quick)
    clock.now = tasks.SLOW_SECONDS + 1
    assert found.take() is slow
    assert found.lose(slow)
    assert not found.is_empty
    assert found.finish(slow)
    assert found.is_empty


def test_without_ray_the_command_that_installs_it_is_named(small_inputs, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "humpback\[ray\]"'):
        require_ray()
    config = load_config(small_inputs.config, ["cluster.address=auto"])
    assert [str(problem) for problem in preflight(config)] == ['cluster.address needs Ray: pip install "humpback[ray]"']


def test_servers_are_not_started_by_every_worker(small_inputs):
    pytest.importorskip("ray", reason='needs Ray: pip install "humpback[ray]"')
    settings = ["cluster.address=auto", "engine.kind=http", "engine.http.start=python serve.py"]
    found = [str(problem) for problem in preflight(load_config(small_inputs.config, settings))]
    assert any("engine.http.start: would start a server in every worker" in problem for problem in found)
