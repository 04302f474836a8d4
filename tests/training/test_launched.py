"""One training in two processes on this machine."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_training import LORA, PLAIN, assert_same, changed, cross_entropy, tiny_rows, train

from humpback.errors import ConfigError, ModelError
from humpback.models import inspect_model
from humpback.prompts import TokenRow
from humpback.training import launched

TWO = {"processes": 2}


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


@pytest.fixture
def shared_out(monkeypatch):
    """Lets the processes share out weights, gradients and optimiser, as they do on GPUs."""
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])))
    monkeypatch.setattr(launched, "MODULE", "fsdp_on_cpu")


def children() -> list[str]:
    """Command lines of the training processes that run."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "humpback.training.launched" in line or "fsdp_on_cpu" in line:
            found.append(line)
    return found


def test_two_processes_end_with_the_weights_of_one(tiny_model, rows, tmp_path):
    seen = []
    one = train(tiny_model, rows, tmp_path / "one", steps=3, micro=2)
    two = train(tiny_model, rows, tmp_path / "two", changed(PLAIN, **TWO), steps=3, micro=2, on_step=seen.append)
    assert_same(tmp_path / "one", tmp_path / "two", tolerance=1e-5)
    losses = [[entry["loss"] for entry in result.history] for result in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert [entry["step"] for entry in seen] == [1, 2, 3]
    assert two.recipe == one.recipe
    assert {file.name for file in (tmp_path / "two").iterdir()} == {file.name for file in (tmp_path / "one").iterdir()}
    assert inspect_model(tmp_path / "two").parameters == inspect_model(tiny_model).parameters
    assert children() == []


def test_shared_weights_and_a_stop_in_the_middle(tiny_model, rows, tmp_path, shared_out):
    train(tiny_model, rows, tmp_path / "one", steps=4, micro=1)
    config = changed(PLAIN, checkpoint_minutes=1e-9, **TWO)

    def stop(entry):
        if entry["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_model, rows, tmp_path / "two", config, steps=4, micro=1, on_step=stop)
    assert children() == [], "they end with what started them"
    assert list((tmp_path / "two/checkpoints").glob("checkpoint-*/complete"))
    steps = []
    train(
        tiny_model,
        rows,
        tmp_path / "two",
        config,
        steps=4,
        micro=1,
        on_step=lambda entry: steps.append(entry["step"]),
    )
    assert steps[0] > 1, "they went on from a checkpoint"
    assert steps[-1] == 4
    assert_same(tmp_path / "one", tmp_path / "two", tolerance=1e-5)
    assert not (tmp_path / "two/checkpoints").exists()


def test_stopping_early_with_shared_weights_and_packed_rows(tiny_model, rows, tmp_path, shared_out):
    config = changed(PLAIN, early_stop=2, eval_steps=2, packing=True, max_tokens=160)
    options = {"steps": 60, "batch": 2, "micro": 1, "rate": 2e-2, "held_out": rows[4:]}
    one = train(tiny_model, rows[:2], tmp_path / "one", config, **options)
    two = train(tiny_model, rows[:2], tmp_path / "two", changed(config, **TWO), **options)
    losses = [[entry["eval_loss"] for entry in result.evaluations] for result in (one, two)]
    assert len(two.history) == len(one.history) < 60
    assert losses[0] == pytest.approx(losses[1], abs=1e-2)
    assert cross_entropy(tmp_path / "two", rows[4:]) == pytest.approx(min(losses[1]), abs=1e-3)


def test_adapters_with_shared_weights(tiny_model, rows, tmp_path, shared_out):
    train(tiny_model, rows, tmp_path / "one", LORA, steps=3, micro=2)
    train(tiny_model, rows, tmp_path / "two", changed(LORA, **TWO), steps=3, micro=2)
    assert_same(tmp_path / "one", tmp_path / "two", tolerance=1e-5)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_processes_end_with_a_parent_that_is_killed(tiny_model, rows, tmp_path, how):
    script = tmp_path / "script.py"
    script.write_text(
        "import pickle, sys\n"
        "from pathlib import Path\n"
        "from tiny_training import PLAIN, changed, train\n"
        "if __name__ == '__main__':\n"
        "    base, rows, output = pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "    config = changed(PLAIN, processes=2)\n"
        "    train(base, rows, output, config, steps=100_000, on_step=lambda entry: (output / 'step').touch())\n"
    )
    output = tmp_path / "out"
    output.mkdir()
    (tmp_path / "job").write_bytes(pickle.dumps((tiny_model, rows, output)))
    here = str(Path(__file__).parent)
    parent = subprocess.Popen([sys.executable, script, tmp_path / "job"], env=os.environ | {"PYTHONPATH": here})
    try:
        wait_for((output / "step").exists, 90)
        assert len(children()) >= 3, "the launcher and two processes"
    finally:
        parent.send_signal(how)
        parent.wait(30)
    wait_for(lambda: children() == [], 30)


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_error_in_a_process_comes_back_in_its_own_words(tiny_model, rows, tmp_path):
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"the loss at step \d+ is (nan|inf) in the micro-batches of rows row-"):
        train(tiny_model, rows, tmp_path, changed(PLAIN, **TWO), steps=50, rate=1e37)
    assert time.monotonic() - started < 60
    assert children() == []


def test_processes_that_end_without_a_word_leave_the_end_of_their_log(tiny_model, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(launched, "MODULE", "humpback.no_such_module")
    with pytest.raises(ModelError, match=r"ended without a result; the end of their log: [\s\S]*no_such_module"):
        train(tiny_model, rows, tmp_path, changed(PLAIN, **TWO))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed(PLAIN, processes=3), r"train\.processes: 3 does not divide train\.batch_size \(4\)"),
        (changed(LORA, processes=2, method="qlora"), r"train\.processes: weights of 4 bits cannot be shared out"),
    ],
)
def test_what_cannot_be_shared_out_is_told_before_anything_starts(
    tiny_model, rows, tmp_path, monkeypatch, config, message
):
    monkeypatch.setattr(launched, "_here", lambda *arguments: pytest.fail("started"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: object())
    with pytest.raises(ConfigError, match=message):
        train(tiny_model, rows, tmp_path, config)


def test_memory_that_runs_out_starts_again_with_half_the_rows(tiny_model, rows, tmp_path, monkeypatch):
    micros = []

    def run(folder, started, on_step):
        micros.append(launched._read_job(folder).recipe.micro_batch_size)
        return [{"kind": "ModelError", "message": "out of memory in training, ...", "is_memory": True}]

    monkeypatch.setattr(launched, "_run", run)
    with pytest.raises(ModelError, match="out of memory in training"):
        train(tiny_model, rows, tmp_path, changed(PLAIN, **TWO), batch=8, micro=8)
    assert micros == [8, 2, 1]


def test_a_job_comes_back_as_it_was_written(tmp_path):
    rows = [TokenRow([1, 2, 3], [-100, 2, 3], is_cut=True, row_id="a"), TokenRow([4], [4], is_cut=False)]
    for number, some in enumerate((rows, [], rows[1:])):
        launched._write_rows(tmp_path / f"{number}.npz", some)
        assert launched._read_rows(tmp_path / f"{number}.npz") == some
