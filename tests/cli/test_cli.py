"""The commands, with the scripted engine; and one clear message for every bad input."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from humpback.cli import app as cli
from humpback.version import __version__
from humpback.workspace import RunFolder


@pytest.fixture
def humpback(monkeypatch, capsys, tmp_path):
    """Runs the command in this process; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "5000")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return call


@pytest.fixture
def refused(humpback, small_inputs):
    """Runs `run` and returns the one error message of it."""

    def call(*overrides: str, config=None, lines: int = 1) -> str:
        options = [word for override in overrides for word in ("-s", override)]
        code, out, err = humpback("run", config or small_inputs.config, *options)
        assert (code, out) == (1, "")
        told = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(told) == lines, err
        return "\n".join(line.removeprefix("error: ") for line in told)

    return call


def test_init_writes_a_configuration_that_loads(humpback, tmp_path):
    code, out, _ = humpback("init", "new.yaml", "--seed", "s.jsonl", "--corpus", "docs", "--model", "my/model")
    assert code == 0
    assert "new.yaml written" in out
    from humpback.config import load_config

    config = load_config(tmp_path / "new.yaml")
    assert (config.seed, config.corpus, config.model) == (["s.jsonl"], ["docs"], "my/model")
    code, _, err = humpback("init", "new.yaml")
    assert code == 1
    assert "is there already" in err
    assert humpback("init", "new.yaml", "--force")[0] == 0


def test_check_names_no_problem_or_every_problem(humpback, small_inputs):
    code, out, _ = humpback("check", small_inputs.config)
    assert code == 0
    assert "no problem found" in out
    code, _, err = humpback("check", small_inputs.config, "-s", "seed=absent.jsonl", "-s", "corpus=absent")
    assert code == 1
    assert err.count("error: ") == 2


def test_a_run_from_start_to_chat(humpback, small_inputs):
    run = small_inputs.folder / "runs/small"
    code, out, _ = humpback("plan", small_inputs.config)
    assert code == 0
    assert "To do: 15 steps" in out
    code, out, err = humpback("run", small_inputs.config)
    assert code == 0
    assert "8 read, 24 segments" in out
    assert str(run / "dataset/train.jsonl") in out
    assert len(re.findall(r"curated-2: \d+ rows, \d+ set aside", err)) == 1
    code, out, err = humpback("run", small_inputs.config)
    assert code == 0
    assert "Nothing to do" in out
    code, out, _ = humpback("status", run)
    assert code == 0
    assert "All done." in out
    row = json.loads((run / "dataset/train.jsonl").read_text().splitlines()[0])
    code, out, _ = humpback("explain", run, row["id"])
    assert code == 0
    for part in (row["source"]["uri"], "rated", "curated-2: kept", "prompt of the backward model"):
        assert part in out
    code, out, _ = humpback("chat", run, "-q", "What about silver windows?")
    assert code == 0
    assert out.strip()
    code, compared, _ = humpback("chat", run, "-q", "What about silver windows?", "--compare")
    assert code == 0
    assert compared.startswith("m0: ")
    assert f"m2: {out.strip()}" in compared


def test_plan_at_another_size_says_what_the_scripted_engine_cannot(humpback, small_inputs):
    code, out, _ = humpback("plan", small_inputs.config, "--at", "10x")
    assert code == 0
    assert "80 documents, 240 segments" in out
    assert "the scripted engine is no model" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "tenfold"], "--at tenfold: give a multiple"),
        (["--at", "10x", "--gpus", "8"], "give both, or neither"),
        (["--size", "7B", "--gpus", "8"], "give --at too"),
        (["--at", "10x", "--cores", "8"], "give --size and --gpus too"),
        (["--at", "10x", "--size", "8B", "--gpus", "8"], "--size 8B: is not one of 7B"),
        (["--at", "10x", "--size", "7B", "--gpus", "8", "--gpu", "b9"], "--gpu b9: is not one of a100"),
    ],
)
def test_plan_at_refuses_what_it_does_not_know(humpback, small_inputs, options, message):
    code, out, err = humpback("plan", small_inputs.config, *options)
    assert (code, out) == (1, "")
    assert message in err


def test_chat_reads_questions_line_by_line(humpback, small_inputs, monkeypatch):
    import io

    humpback("run", small_inputs.config)
    monkeypatch.setattr(sys, "stdin", io.StringIO("What about windows?\nAnd silver ones?\n\nnot this\n"))
    code, out, _ = humpback("chat", small_inputs.folder / "runs/small")
    assert code == 0
    assert len(out.strip().splitlines()) == 2


def test_chat_needs_a_finished_model(humpback, small_inputs):
    humpback("ingest", small_inputs.config)
    code, _, err = humpback("chat", small_inputs.folder / "runs/small", "-q", "Hello")
    assert code == 1
    assert "has no finished model m2 yet" in err


def test_a_stage_says_what_it_ran(humpback, small_inputs):
    code, out, _ = humpback("ingest", small_inputs.config)
    assert code == 0
    assert "Ran seed, passages, segments" in out
    code, out, _ = humpback("status", small_inputs.folder / "runs/small")
    assert "12 of 15 steps to do; `humpback run` goes on." in out
    assert re.search(r"s of work so far; \S+ s of machines", out)


def test_status_tells_a_run_at_work_from_one_that_was_killed(humpback, small_inputs):
    humpback("ingest", small_inputs.config)
    run = small_inputs.folder / "runs/small"
    record = json.loads((run / "progress.json").read_text())
    bar = {
        "label": "writing \x1b[31m",
        "unit": "segments",
        "done": 30,
        "total": 100,
        "rate": 2.0,
        "left": 35.0,
        "note": "",
    }
    message = {"time": record["updated"], "level": "warning", "text": "a worker ended"}
    (run / "progress.json").write_text(
        json.dumps(record | {"state": "running", "step": "candidates", "bar": bar, "messages": [message]})
    )
    code, out, _ = humpback("status", run)
    assert code == 0
    assert "Was killed, or its machine stopped: candidates" in out
    assert "segments, 2.0" not in out
    with RunFolder(run).locked():
        code, out, _ = humpback("status", run)
    assert code == 0
    assert "Running: candidates" in out
    assert "30 of 100 segments, 2.0 segments a second, about 35.0 s left" in out
    assert "\x1b[31m" not in out
    assert "warning: a worker ended" in out
    assert "goes on" not in out


def test_a_price_goes_with_a_plan_or_a_cluster(humpback, small_inputs):
    code, _, _ = humpback("plan", small_inputs.config, "--gpu-hour", "2.5")
    assert code == 0
    assert json.loads((small_inputs.folder / "runs/small/plan.json").read_text())["gpu_hour"] == 2.5
    code, _, err = humpback("plan", small_inputs.config, "--at", "10x", "--gpu-hour", "2.5")
    assert code == 1
    assert "give --size and --gpus too" in err


def test_prompts_show_marks_what_is_trained(humpback, small_inputs):
    code, out, _ = humpback("prompts", "show", small_inputs.config)
    assert code == 0
    for part in ("backward model: trained on", "forward model: asked", "Score:", "⟦"):
        assert part in out


def test_prompts_show_with_a_real_tokenizer(humpback, small_inputs, tiny_model):
    code, out, _ = humpback(
        "prompts", "show", small_inputs.config, "-s", f"model={tiny_model}", "--engine", "transformers"
    )
    assert code == 0
    assert "⟦<|im_end|>⟧" in out


def test_extract_writes_what_it_sees_one_line_a_document(humpback, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    body = "<nav><a href=/>Home</a></nav><main><h1>Tea</h1><p>Leaves and water.</p></main>"
    (pages / "a.html").write_text(f"<title>All about tea</title>{body}")
    (pages / "b.txt").write_text("Plain \x1b[31mtext")
    (pages / "c.bin").write_bytes(bytes(range(256)))
    code, out, _ = humpback("extract", "pages", "--out", "texts.jsonl")
    assert code == 0
    assert "2 documents, 1 not_a_document" in out
    rows = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert [(row["path"], row["title"]) for row in rows] == [
        ("pages/a.html", "All about tea"),
        ("pages/b.txt", "b"),
        ("pages/c.bin", ""),
    ]
    assert rows[0]["text"] == "# Tea\n\nLeaves and water."
    assert rows[2]["reason"] == "not_a_document"
    code, out, _ = humpback("extract", "pages")
    assert "== pages/a.html\nAll about tea\n\n# Tea\n" in out
    assert "\x1b" not in out  # no document drives the terminal
    code, _, err = humpback("extract", "absent")
    assert code == 1
    assert "'absent' does not exist" in err


def test_takedown_lists_removes_and_names_models(humpback, small_inputs):
    humpback("run", small_inputs.config)
    folder = next((small_inputs.folder / "runs").iterdir(), None) or small_inputs.folder
    code, out, _ = humpback("takedown", folder, "--domain", "example.org")
    assert code == 0
    assert out.splitlines() == ["0 rows of example.org removed."]
    code, _, err = humpback("takedown", folder, "--domain", "no host")
    assert code == 1
    assert "give one like example.org" in err


def test_version_and_engine_option(humpback, small_inputs):
    assert humpback("--version")[1].strip() == __version__
    code, _, err = humpback("check", small_inputs.config, "--engine", "steam")
    assert code == 1
    assert "-s engine.kind: input should be 'transformers', 'vllm', 'http' or 'scripted' (got 'steam')" in err


def test_a_missing_configuration(humpback):
    code, _, err = humpback("run", "absent.yaml")
    assert code == 1
    assert err == "error: absent.yaml: no such file; `humpback init` writes one\n"


def test_missing_inputs(refused):
    assert "seed: 'absent.jsonl' does not exist. Check the path" in refused("seed=absent.jsonl")
    assert "corpus: 'absent/' does not exist. Check the path" in refused("corpus=absent/")


def test_an_empty_seed_file(refused, small_inputs):
    small_inputs.seed.write_text("")
    assert str(small_inputs.seed) in refused()


def test_a_broken_line_names_its_number(refused, small_inputs):
    lines = small_inputs.seed.read_text().splitlines()
    lines[4:7] = ['{"instruction": "x", "output": '] * 3
    small_inputs.seed.write_text("\n".join(lines))
    message = refused()
    assert f"{small_inputs.seed}: 3 of 24 rows cannot be read" in message
    assert "The first is line 5" in message
    assert "ingest.max_broken_fraction" in message


def test_wrong_columns(refused, small_inputs):
    small_inputs.seed.write_text("".join(json.dumps({"alpha": n, "beta": "x"}) + "\n" for n in range(20)))
    message = refused()
    assert str(small_inputs.seed) in message
    assert "alpha" in message


def test_a_seed_without_answers(refused, small_inputs):
    rows = [{"instruction": f"Question {n}", "output": ""} for n in range(20)]
    small_inputs.seed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    message = refused()
    assert str(small_inputs.seed) in message
    assert "every answer is empty" in message
    assert "columns: instruction, output" in message


def test_fewer_than_ten_pairs(refused, small_inputs):
    lines = small_inputs.seed.read_text().splitlines()
    small_inputs.seed.write_text("\n".join(lines[:9]))
    assert "9 usable pairs" in refused()


def test_an_empty_corpus_folder(refused, small_inputs):
    shutil.rmtree(small_inputs.corpus)
    small_inputs.corpus.mkdir()
    assert f"the folder '{small_inputs.corpus}' holds no file that can be read" in refused()


def test_no_segment_left(refused):
    message = refused("ingest.min_chars=2900")
    assert "no segment is left (24 too_short, 8 too_long)" in message
    assert "ingest.min_chars" in message


def test_a_threshold_that_keeps_nothing(refused):
    assert "curate.threshold: 5 keeps none of" in refused("curate.threshold=5")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("colour: red", "14: colour: unknown key"),
        ("corpvs: x", "14: corpvs: unknown key; did you mean `corpus`?"),
        ("steps: 3", "14: steps: unknown key; did you mean `train.steps`?"),
        ("train: {stepz: 3}", "14: train.stepz: unknown key; did you mean `steps`?"),
        ("random_seed: many", "14: random_seed: input should be a valid integer"),
        ("curate: {threshold: 7}", "14: curate.threshold: input should be less than or equal to 5 (got 7)"),
        ("curate: {threshold: 4, keep_fraction: 0.4}", "14: curate: threshold and keep_fraction exclude one another"),
        ("curate: [", "is no valid YAML"),
    ],
)
def test_a_wrong_key_or_value_names_file_line_and_remedy(refused, small_inputs, line, message):
    assert len(small_inputs.config.read_text().splitlines()) == 13
    with small_inputs.config.open("a") as file:
        file.write(line + "\n")
    told = refused()
    assert told.startswith(f"{small_inputs.config}:")
    assert message in told


def test_a_model_folder_without_weights(refused, tiny_model, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    message = refused(
        "engine.kind=transformers", f"model={folder}", "train.max_tokens=512", "prompts.max_text_tokens=128"
    )
    assert f"model: {folder}: is no complete model folder: no config.json" in message
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    (folder / "model.safetensors").unlink()
    message = refused(
        "engine.kind=transformers", f"model={folder}", "train.max_tokens=512", "prompts.max_text_tokens=128"
    )
    assert "no *.safetensors weights" in message
    assert "no such folder" in refused("engine.kind=transformers", "model=./absent")


def test_rows_longer_than_the_models_context(refused, tiny_model):
    message = refused("engine.kind=transformers", f"model={tiny_model}", "train.max_tokens=4096")
    assert "train.max_tokens: 4096 is longer than the context" in message


def test_a_runs_dir_that_cannot_be(refused, tmp_path):
    (tmp_path / "file").write_text("")
    message = refused(f"runs_dir={tmp_path / 'file' / 'runs'}")
    assert f"{tmp_path / 'file'}: is a file" in message


def test_a_run_of_another_version(refused, small_inputs):
    run = small_inputs.folder / "runs/small"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"workspace_version": 99}')
    assert "was made with another version of Humpback" in refused()


def test_commands_on_a_folder_that_is_no_run(humpback, tmp_path):
    for command in (["status", tmp_path], ["explain", tmp_path, "abcdef"], ["chat", tmp_path, "-q", "x"]):
        code, _, err = humpback(*command)
        assert code == 1
        assert "is no run's folder" in err


def test_status_of_a_run_whose_inputs_are_gone(humpback, small_inputs):
    humpback("ingest", small_inputs.config)
    small_inputs.seed.unlink()
    code, out, _ = humpback("status", small_inputs.folder / "runs/small")
    assert code == 0
    assert "segments" in out


def test_python_m_humpback_is_the_command():
    done = subprocess.run([sys.executable, "-m", "humpback", "run", "absent.yaml"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: absent.yaml: no such file")
    assert "Traceback" not in done.stderr
