"""A whole run through a server: instructions, ratings and losses."""

from __future__ import annotations

import json
import socket
import sys

import hostile
import pytest

from humpback.config import load_config
from humpback.errors import EngineError
from humpback.pipeline import preflight, run_pipeline, run_state
from humpback.records import Candidate, Rating
from humpback.workspace import read_rows

SETTINGS = (
    "engine.kind=http",
    "train.dtype=float32",
    "train.steps=1",
    "train.batch_size=4",
    "train.max_tokens=512",
    "prompts.max_text_tokens=200",
    "ingest.max_segments=8",
    "evaluate.max_pairs=3",
    "rounds=1",
)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def settings(inputs, model, port, *more: str):
    url = f"engine.http.url=http://127.0.0.1:{port}/v1"
    return load_config(inputs.config, [*SETTINGS, url, f"model={model}", *more])


def test_a_run_with_a_server_for_each_model(small_inputs, tiny_model, port):
    start = f"{sys.executable} {hostile.__file__} {{folder}} --name {{name}} --port {port}"
    config = settings(small_inputs, tiny_model, port, f"engine.http.start={json.dumps(start)}")
    assert preflight(config) == []
    run_pipeline(config)
    assert {state.status for state in run_state(config)} == {"done"}
    candidates = list(read_rows(config.folder / "candidates", Candidate))
    assert len(candidates) == 8
    assert len({candidate.instruction for candidate in candidates}) > 1
    ratings = list(read_rows(config.folder / "ratings-1", Rating))
    assert [rating.method for rating in ratings] == ["expected"] * 8
    assert all(1 <= rating.rating <= 5 for rating in ratings)
    assert len((config.folder / "dataset/train.jsonl").read_text().splitlines()) == 3
    losses = json.loads((config.folder / "evaluation/evaluation.json").read_text())["sets"]["seed"]["models"]
    assert set(losses) == {"base", "backward", "m0", "m1"}
    assert all(3 < model["loss"]["mean"] < 7 for model in losses.values())
    assert run_pipeline(config).executed == []
    moved = settings(small_inputs, tiny_model, 1, f"engine.http.start={json.dumps(start)}", "engine.http.timeout_s=9")
    assert run_pipeline(moved, target="evaluation").executed == [], "where the server stands changes no answer"


def test_a_run_stops_where_a_model_is_to_be_served_and_goes_on(small_inputs, tiny_model, port, tokenizer):
    config = settings(small_inputs, tiny_model, port, "augment.samples=1")
    with pytest.raises(EngineError) as caught:
        run_pipeline(config, target="candidates")
    folder = config.folder.absolute() / "models/backward"
    assert f"vllm serve {folder} --served-model-name backward --port {port}" in str(caught.value)
    server = hostile.Hostile(tokenizer, "backward", port=port)
    try:
        assert run_pipeline(config, target="candidates").executed == ["candidates"]
        with pytest.raises(EngineError, match=r"serves backward, not m0"):
            run_pipeline(config, target="ratings-1")
    finally:
        server.close()
