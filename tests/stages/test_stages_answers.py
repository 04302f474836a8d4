"""What M_0 and the last model are asked at the end of a run."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.pipeline import preflight, run_pipeline, run_state

FOLLOWING = [
    {"prompt": "Say hello in lower case.", "instruction_id_list": ["change_case:english_lowercase"], "kwargs": [{}]},
    {"prompt": "Name a colour, no commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {"prompt": "Count to three.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
]


@pytest.fixture
def asked(small_inputs):
    """A run of one round that asks everything there is."""
    prompts = small_inputs.folder / "requests.jsonl"
    prompts.write_text("".join(json.dumps({"instruction": f"Request {n}"}) + "\n" for n in range(7)))
    following = small_inputs.folder / "following.jsonl"
    following.write_text("".join(json.dumps(row) + "\n" for row in FOLLOWING))
    answers = [
        f"evaluate.answers.prompts.mine={prompts}",
        f"evaluate.answers.following={following}",
        "evaluate.answers.sensitive=true",
        "evaluate.answers.judge=builtin",
        "evaluate.answers.max_prompts=5",
    ]

    def load(*overrides: str):
        return load_config(small_inputs.config, ["rounds=1", *answers, *overrides])

    return load


def test_both_models_are_asked_and_compared(asked):
    config = asked()
    run_pipeline(config)
    folder = config.folder / "answers"
    found = json.loads((folder / "answers.json").read_text())
    assert found["models"] == ["m0", "m1"]
    outputs = [json.loads((folder / f"{name}.json").read_text()) for name in found["models"]]
    assert [row["instruction"] for row in outputs[0]] == [row["instruction"] for row in outputs[1]]
    assert len(outputs[0]) == 5
    assert found["health"]["m0"]["outputs"] == 5
    assert found["win_rate"]["judging"]["judged"] == len(json.loads((folder / "annotations.json").read_text())) == 5
    assert found["win_rate"]["n_total"] + found["win_rate"]["n_unparsed"] == 5
    assert found["following"]["m1"]["prompts"] == 3
    assert set(found["safety"]["m1"]) == {"assistant", "web", "both"}
    assert not (folder / ".work").exists()
    page = (config.folder / "report" / "index.html").read_text()
    for title in ("m1 against m0", "Answers to the prompts", "Instructions that a program", "Sensitive prompts"):
        assert title in page


def test_nothing_is_asked_unless_named(small_inputs):
    config = load_config(small_inputs.config, ["rounds=1"])
    assert "answers" not in [state.step.name for state in run_state(config)]


def test_asking_more_leaves_the_models_and_the_losses_as_they_are(asked, small_inputs):
    apart = "ingest.decontaminate.enabled=false"
    run_pipeline(load_config(small_inputs.config, ["rounds=1", apart]))
    states = {state.step.name: state.status for state in run_state(asked(apart))}
    assert {name for name, status in states.items() if status != "done"} == {"answers", "report"}


def test_what_is_asked_is_not_trained_on(asked, small_inputs):
    pair = json.loads(small_inputs.seed.read_text().splitlines()[0])
    long = pair["instruction"] + " and please explain at length what a careful reader should know about it"
    seed = small_inputs.folder / "seed-and-more.jsonl"
    seed.write_text(small_inputs.seed.read_text() + json.dumps(pair | {"instruction": long}) + "\n")
    (small_inputs.folder / "requests.jsonl").write_text(json.dumps({"instruction": long}) + "\n")
    config = asked(f"seed={seed}")
    run_pipeline(config, target="seed")
    dropped = json.loads((config.folder / "seed" / "stage.json").read_text())["dropped"]
    assert dropped["contaminated"] == 1


def test_other_prompts_in_the_same_file_are_asked_anew(asked, small_inputs):
    run_pipeline(asked())
    (small_inputs.folder / "requests.jsonl").write_text(json.dumps({"instruction": "Another request"}) + "\n")
    states = {state.step.name: state.status for state in run_state(asked())}
    assert states["answers"] == "to do"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("evaluate.answers.prompts.mine=none.jsonl", "evaluate.answers.prompts: none.jsonl: no such file"),
        ("evaluate.answers.following=none.jsonl", "evaluate.answers.following: none.jsonl: no such file"),
    ],
)
def test_files_are_looked_for_before_anything_runs(asked, override, message):
    assert any(message in str(problem) for problem in preflight(asked(override)))


def test_a_judge_without_prompts_is_refused(small_inputs):
    from humpback.errors import ConfigError

    with pytest.raises(ConfigError, match="judge compares answers to prompts"):
        load_config(small_inputs.config, ["evaluate.answers.judge=builtin"])
