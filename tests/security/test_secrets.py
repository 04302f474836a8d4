"""Keys and passwords come from the environment and go nowhere: not into a run's folder, a log, a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from humpback.config import parse_config
from humpback.config.secrets import secret_in
from humpback.errors import ConfigError

SECRET = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"  # of nobody, as in conftest.py
BASE = {"seed": "seed.jsonl", "corpus": "documents"}


def problem(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(yaml.safe_dump(BASE | values), name="x.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("corpus", {"corpus": f"https://me:{SECRET}@host.example/docs.zip"}),
        ("corpus", {"corpus": ["documents", f"https://{SECRET}@host.example/docs.zip"]}),
        ("corpus", {"corpus": f"simplecache::ftp://me:{SECRET}@host.example/docs.zip"}),
        ("corpus", {"corpus": f"https://b.s3.amazonaws.com/x?X-Amz-Expires=9&X-Amz-Signature={SECRET}"}),
        ("seed", {"seed": f"https://c.blob.core.windows.net/x?sv=2024&sig={SECRET}"}),
        ("evaluate.sets.mine", {"evaluate": {"sets": {"mine": f"https://h.example/x.jsonl?token={SECRET}"}}}),
        ("model", {"model": SECRET}),
        ("engine.http.model", {"engine": {"http": {"model": SECRET}}}),
    ],
)
def test_a_secret_is_refused_and_not_repeated(key, values):
    told = problem(**values)
    assert f"{key} holds " in told
    assert "leave it to the environment" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    "http",
    [
        {"api_key_env": SECRET},
        {"api_key_env": "sk-" + "a" * 40},
        {"start": f"vllm serve {{folder}} --api-key {SECRET}"},
        {"start": "vllm serve {folder} --api-key=secret"},
        {"start": "llama-server -m {folder} --api-key secret"},
        {"url": f"http://me:{SECRET}@127.0.0.1/v1"},
    ],
)
def test_a_key_of_a_server_stays_in_the_environment(http):
    told = problem(engine={"http": http})
    assert "engine.http: " in told
    assert not any(value in told for value in http.values())


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/docs.zip?page=2&design=1",
        "sftp://me@host.example/docs",
        "s3://bucket/key@2024/x",
        "hf://datasets/owner/name",
        "zip://*.md::s3://bucket/x.zip",
        "sk-learn/notes",
        "documents/password:1@home",
    ],
)
def test_ordinary_addresses_pass(text):
    assert secret_in(text) is None


@pytest.mark.parametrize(
    "start",
    [
        "vllm serve {folder} --port 8000 --api-key-file key",
        "serve --max-token 8",
        "x --tokenizer {folder} --password-less",
    ],
)
def test_ordinary_commands_pass(start):
    assert parse_config(yaml.safe_dump(BASE | {"engine": {"http": {"start": start}}})).engine.http.start == start


def test_nothing_of_the_environment_is_in_what_a_run_leaves(careful_run):
    assert "OPENAI_API_KEY" in (careful_run.folder / "humpback.yaml").read_text()
    files = [file for file in careful_run.folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]
    assert SECRET not in careful_run.printed


def test_a_traceback_holds_no_values(monkeypatch, capsys, small_inputs):
    """Some libraries print the local variables of every frame, and with them the key."""
    from humpback.cli import app

    def fail(*_: object) -> None:
        key = SECRET
        raise RuntimeError(f"a fault of {len(key)} characters")

    monkeypatch.setattr("humpback.pipeline.preflight", fail)
    monkeypatch.setattr(sys, "argv", ["humpback", "check", str(small_inputs.config)])
    with pytest.raises(SystemExit):
        app.main()
    printed = capsys.readouterr().err
    assert "RuntimeError: a fault of 39 characters" in printed
    assert SECRET not in printed


def test_what_training_processes_are_given_holds_no_environment(monkeypatch, tmp_path):
    from humpback.training import launched

    monkeypatch.setenv("HF_TOKEN", SECRET)
    (tmp_path / launched.LOG).write_text("line\n")
    told = str(launched._error(Path(tmp_path), []))
    assert SECRET not in told
    assert "line" in told
