"""Every problem of a configuration at once, each with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from humpback.config import Config, config_as_yaml, load_config, parse_config
from humpback.errors import ConfigError

GOOD = "seed: s.jsonl\ncorpus: docs\n"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, overrides, name="c.yaml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("weather: red", "c.yaml:3: weather: unknown key; known here: model, seed, corpus"),
        ("corpsu: x", "c.yaml:3: corpsu: unknown key; did you mean `corpus`?"),
        ("keep_fraction: 0.3", "c.yaml:3: keep_fraction: unknown key; did you mean `curate.keep_fraction`?"),
        ("train:\n  stps: 3", "c.yaml:4: train.stps: unknown key; did you mean `steps`?"),
        ("train:\n  lora:\n    rang: 3", "c.yaml:5: train.lora.rang: unknown key; did you mean `rank`?"),
        ("rounds: two", "c.yaml:3: rounds: input should be a valid integer"),
        ("rounds: 0", "c.yaml:3: rounds: input should be greater than or equal to 1 (got 0)"),
        ("rounds: 2.5", "c.yaml:3: rounds: input should be a valid integer"),
        ("name: ../other", "c.yaml:3: name: "),
        ("train: 3", "c.yaml:3: train: "),
        ("train:\n  learning_rate: 0", "c.yaml:4: train.learning_rate: input should be greater than 0 (got 0)"),
        (
            "engine:\n  kind: steam",
            "c.yaml:4: engine.kind: input should be 'transformers', 'vllm', 'http' or 'scripted' (got 'steam')",
        ),
        ("curate:\n  threshold: 5.1", "c.yaml:4: curate.threshold: input should be less than or equal to 5 (got 5.1)"),
        ("curate:\n  keep_fraction: 0", "c.yaml:4: curate.keep_fraction: input should be greater than 0 (got 0)"),
        (
            "curate:\n  threshold: 4\n  keep_fraction: 0.5",
            "c.yaml:3: curate: threshold and keep_fraction exclude one another: set one of them to null",
        ),
        (
            "curate:\n  threshold: 4\n  keep_fraction: 0.5\n  target_precision: 0.9",
            "c.yaml:3: curate: threshold, keep_fraction and target_precision exclude one another: set two of them to",
        ),
        (
            "curate:\n  target_precision: 0.9\n  diversity: 0.5",
            "c.yaml:3: curate: diversity changes nothing beside target_precision, which keeps all that it admits: set",
        ),
        ("curate:\n  diversity: 1.5", "c.yaml:4: curate.diversity: input should be less than or equal to 1"),
        ("ingest:\n  min_chars: 4000", "c.yaml:3: ingest: min_chars (4000) is above max_chars (3000)"),
        ("rounds: 1\nrounds: 2", "c.yaml:4: rounds: stands twice; keep one"),
        ("train:\n  steps: 1\n  steps: 2", "c.yaml:5: train.steps: stands twice; keep one"),
    ],
)
def test_a_problem_names_its_line(line, problem):
    found = problems(GOOD + line + "\n")
    assert len(found) == 1
    assert found[0].startswith(problem.replace("train.steps: stands", "steps: stands"))


def test_all_problems_are_told_at_once():
    found = problems("seed: s\nrounds: 0\ntrian: {}\nrounds: 1\n", "curate.threshold=9", "bare")
    assert len(found) == 5
    for part in ("rounds: stands twice", "corpus: is missing", "trian: unknown key", "-s curate.threshold", "-s bare"):
        assert any(part in problem for problem in found), part


def test_a_missing_key_says_what_it_is_for():
    assert problems("seed: s\n") == ["c.yaml: corpus: is missing. " + Config.model_fields["corpus"].description]


@pytest.mark.parametrize(
    ("text", "where"), [("a: [1\n", "c.yaml:2"), ("a: b: c\n", "c.yaml:1"), ("seed: s\n\tcorpus: d\n", "c.yaml:2")]
)
def test_invalid_yaml_names_its_line(text, where):
    assert problems(text)[0].startswith(f"{where}: is no valid YAML: ")


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "3\n"])
def test_other_yaml_is_refused(text):
    assert "must hold `key: value` lines" in problems(text)[0]


def test_an_empty_file_lacks_what_is_needed():
    assert [problem.split(": ")[1] for problem in problems("")] == ["seed", "corpus"]


def test_overrides_are_yaml_and_reach_any_depth():
    config = parse_config(
        GOOD + "train: {steps: 5}\n",
        ["train.steps=7", "train.lora.rank=3", "seed=[a, b]", "ingest.max_segments=null", "prompts.seed_tag=a=b"],
    )
    assert (config.train.steps, config.train.lora.rank) == (7, 3)
    assert config.seed == ["a", "b"]
    assert config.prompts.seed_tag == "a=b"


@pytest.mark.parametrize("override", ["train.steps", "=3", "train.steps=[", "train.stepz=3", "nothing.steps=3"])
def test_wrong_overrides_are_named(override):
    found = problems(GOOD, override)
    assert len(found) == 1
    assert found[0].startswith("-s ")


def test_an_override_mends_a_wrong_value():
    assert parse_config(GOOD + "rounds: 0\n", ["rounds=1"]).rounds == 1


def test_one_path_or_several():
    assert parse_config("seed: a\ncorpus: [b, c]\n").corpus == ["b", "c"]
    assert parse_config("seed: a\ncorpus: [b, c]\n").seed == ["a"]
    assert len(problems("seed: []\ncorpus: b\n")) == 1


def test_a_configuration_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        parse_config(GOOD).rounds = 3


def test_the_resolved_tree_is_written_out_and_read_back():
    config = parse_config(GOOD, ["train.learning_rate=0.00002", "prompts.web_tag='grün: ja'", "curate.threshold=4"])
    text = config_as_yaml(config)
    assert parse_config(text) == config
    assert yaml.safe_load(text)["train"]["learning_rate"] == 2e-5


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "no such file; `humpback init` writes one"), (b"\xff\xfe", "cannot be read")]
)
def test_a_file_that_cannot_be_read(tmp_path, content, problem):
    file = tmp_path / "c.yaml"
    if content:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=problem):
        load_config(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_yaml_cannot_make_objects():
    assert "is no valid YAML" in problems("seed: !!python/object/apply:os.getcwd []\n")[0]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_load(file):
    assert load_config(file).rounds >= 1


def test_there_are_examples():
    assert EXAMPLES
