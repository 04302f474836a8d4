"""Tuning on pairs with tiny models: the tokens, what is learnt, what is saved, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from humpback.config import TrainConfig, load_config
from humpback.engines import Sampling
from humpback.engines.scripted import SCRIPT_FILE
from humpback.engines.tokens import tokenise
from humpback.errors import InputError, ModelError, NothingLeftError, WorkspaceError
from humpback.evaluation.asking import find_model
from humpback.models import load_model, load_tokenizer
from humpback.preferences import tune_on_preferences
from humpback.preferences.answers import Sampler, answers_to
from humpback.preferences.choose import Choice, Contender
from humpback.preferences.file import PreferencePair, read_pairs, write_pairs
from humpback.preferences.material import Asked
from humpback.preferences.tune import token_rows
from humpback.prompts import tokenise_pair
from humpback.records import Source
from humpback.training.preference_settings import preference_recipe
from humpback.workspace import Manifest, RunFolder

WORDS = ("silver", "the sand and the reef", "a garden", "nine", "oven", "1 2 3")
SETTINGS = (
    "rounds=1",
    "engine.device=cpu",
    "engine.dtype=float32",
    "train.dtype=float32",
    "train.batch_size=2",
    "train.micro_batch_size=4",
    "train.weight_decay=0",
)
LORA = ("train.method=lora", "train.lora.rank=4", "train.lora.dropout=0.3")


def rows_and_choices():
    """Pairs whose chosen answer is in capitals, with a control token in one of the texts."""
    for number, word in enumerate(WORDS):
        row = Asked(f"row-{number}", f"Say {word} <|im_end|>" if number == 3 else f"Say {word}", "", Source("f.md"))
        chosen = Contender(f"{word.upper()} yes", 4.5, is_document=number == 0)
        yield row, Choice(chosen, Contender(f"{word} no", 2.0, is_document=False))


def run_with(model: Path, small_inputs, kind: str = "transformers", *overrides: str) -> Path:
    """The folder of a run of one round whose last model is the one in `model`."""
    config = load_config(small_inputs.config, [*SETTINGS, f"model={model}", f"engine.kind={kind}", *overrides])
    folder = RunFolder(config.folder)
    folder.create(config)
    step = folder.step("models/m1")
    step.begin("tiny")
    if kind == "scripted":
        (step.path / SCRIPT_FILE).write_text('{"identity": "m1"}')
    else:
        for file in model.iterdir():
            (step.path / file.name).write_bytes(file.read_bytes())
    step.finish(Manifest("models/m1", "tiny", {}, 0, {}, 0.0))
    return folder.path


@pytest.fixture
def run(tiny_model, small_inputs):
    return run_with(tiny_model, small_inputs)


@pytest.fixture
def pairs(run, tmp_path):
    file = tmp_path / "pairs.jsonl"
    write_pairs(file, rows_and_choices(), find_model(str(run)).prompts)
    return file


def log_ratio(folder: Path, pair: PreferencePair, prompts) -> float:
    """log p(chosen) - log p(rejected), from full logits of one answer at a time."""
    model, tokenizer = load_model(folder, dtype=torch.float32, device="cpu").eval(), load_tokenizer(folder)
    found = []
    for answer in (pair.chosen, pair.rejected):
        asked = prompts.forward_pair(pair.instruction, answer, prompts.inference_tag)
        row = tokenise_pair(tokenizer, asked, 10_000)
        with torch.no_grad():
            scores = torch.log_softmax(model(torch.tensor([row.input_ids])).logits[0], -1)
        found.append(sum(scores[i - 1, token].item() for i, token in enumerate(row.labels) if token != -100))
    return found[0] - found[1]


SYSTEMLESS = (
    "{% for message in messages %}[{{ message['role'] }}] {% if message['role'] == 'system' %}"
    "{{ raise_exception('no system role') }}{% endif %}{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


@pytest.mark.parametrize("kind", ["tiny_model", "tiny_base", "systemless"])
def test_the_tokens_are_those_that_are_asked_and_those_of_supervised_training(small_inputs, tmp_path, request, kind):
    overrides = []
    if kind == "systemless":
        (tmp_path / "chat.jinja").write_text(SYSTEMLESS)
        overrides = [f"prompts.chat_template={tmp_path / 'chat.jinja'}"]
    folder = request.getfixturevalue("tiny_base" if kind == "tiny_base" else "tiny_model")
    model = find_model(str(run_with(folder, small_inputs, "transformers", *overrides)))
    prompts, tokenizer = model.prompts, load_tokenizer(model.folder)
    assert prompts.chat.takes_system == (kind != "systemless")
    file = tmp_path / "pairs.jsonl"
    write_pairs(file, rows_and_choices(), prompts)
    rows = token_rows(model, tokenizer, read_pairs(file, prompts))

    class Recorded:
        context = None

        def generate(self, requests, sampling):
            self.requests = requests
            return []

    engine = Recorded()
    asked = [row for row, _ in rows_and_choices()]
    answers_to(asked, Sampler(engine, prompts, Sampling(0.7, 0.9, 8), 1, 0))
    sent = tokenise(tokenizer, [one.prompt for one in engine.requests])
    assert [row.prompt_ids for row in rows] == sent
    (end,) = tokenise(tokenizer, [prompts.chat.end])
    for row, (source, choice) in zip(rows, rows_and_choices(), strict=True):
        for ids, answer in ((row.chosen_ids, choice.chosen), (row.rejected_ids, choice.rejected)):
            pair = prompts.forward_pair(source.instruction, answer.output, prompts.inference_tag)
            assert row.prompt_ids + ids == tokenise_pair(tokenizer, pair, 1024).input_ids
            assert ids[-len(end) :] == end
            assert ids.count(end[0]) == 1, "nothing is learnt behind the end"
    assert sent[3].count(end[0]) == sent[0].count(end[0]), "a control token in a text ends no turn"


@pytest.mark.parametrize("method", [(), LORA, (*LORA, "train.lora.merge=false")], ids=["full", "lora", "adapter"])
def test_the_chosen_answers_gain_on_the_rejected(run, pairs, tmp_path, method):
    prompts, out = find_model(str(run)).prompts, tmp_path / "out"
    found = read_pairs(pairs, prompts)
    before = [log_ratio(run / "models/m1", pair, prompts) for pair in found]
    tuned = tune_on_preferences(run, pairs, out, learning_rate=3e-3, steps=8, overrides=method)
    after = [log_ratio(out, pair, prompts) for pair in found]
    assert all(new > old + 0.5 for old, new in zip(before, after, strict=True)), (before, after)
    assert tuned.first["loss"] == pytest.approx(0.6931, abs=1e-3), "before any step nothing is preferred"
    assert tuned.last["loss"] < tuned.first["loss"]
    history = json.loads((out / "training.json").read_text())["history"]
    assert [entry["step"] for entry in history] == list(range(1, 9))
    assert history[0]["learning_rate"] > history[-1]["learning_rate"]
    assert (out / "adapter_config.json").exists() == ("train.lora.merge=false" in method)
    assert not {"checkpoints", "adapter", "model_card.md"} & {file.name for file in out.iterdir()}


def test_what_trl_reports_is_what_the_saved_model_does(run, pairs, tmp_path):
    """The mean reward margin of a last step without an update is beta times the change of the log-ratio."""
    prompts = find_model(str(run)).prompts
    found = read_pairs(pairs, prompts)
    options = {"learning_rate": 3e-3, "overrides": ["train.batch_size=6"]}
    tune_on_preferences(run, pairs, tmp_path / "one", steps=1, beta=0.3, **options)
    change = [
        log_ratio(tmp_path / "one", pair, prompts) - log_ratio(run / "models/m1", pair, prompts) for pair in found
    ]
    # The second step of two measures what the first one did; the rate of a first step is the highest either way.
    two = tune_on_preferences(run, pairs, tmp_path / "two", steps=2, beta=0.3, **options)
    assert two.last["rewards/margins"] == pytest.approx(0.3 * sum(change) / len(change), rel=1e-3)


def test_the_model_is_one_of_the_run(run, pairs):
    out = run / "models/dpo"
    tune_on_preferences(run, pairs, out, steps=1)
    model = find_model(str(out))
    assert model.prompts.digest == find_model(str(run)).prompts.digest
    with model.engine() as engine:
        assert engine.count("a garden")
    assert "system prompt `Answer in the style" in (out / "README.md").read_text()


class Stopped(Exception):
    pass


def test_a_stopped_tuning_ends_with_the_same_weights(run, pairs, tmp_path, monkeypatch):
    from humpback.training.watcher import Watcher

    options = {"steps": 6, "learning_rate": 1e-3, "overrides": ["train.checkpoint_minutes=1e-9"]}
    tune_on_preferences(run, pairs, tmp_path / "whole", **options)
    usual, seen = Watcher.on_log, []

    def on_log(self, args, state, control, logs=None, **rest):
        if logs and "loss" in logs:
            seen.append(state.global_step)
            if seen == [1, 2, 3, 4]:
                raise Stopped
        return usual(self, args, state, control, logs=logs, **rest)

    monkeypatch.setattr(Watcher, "on_log", on_log)
    with pytest.raises(Stopped):
        tune_on_preferences(run, pairs, tmp_path / "out", **options)
    with pytest.raises(InputError, match=r"out: is there already, and not what a stopped `humpback dpo`"):
        tune_on_preferences(run, pairs, tmp_path / "out", **(options | {"steps": 7}))
    tune_on_preferences(run, pairs, tmp_path / "out", **options)
    assert seen[4:] == [4, 5, 6], "it went on from a checkpoint"
    one, other = (load_model(tmp_path / name, dtype=torch.float32, device="cpu") for name in ("whole", "out"))
    for (name, left), right in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(left, right), name
    seen.clear()
    tune_on_preferences(run, pairs, tmp_path / "out", **options)
    assert not seen, "what is finished is not done again"


def test_pairs_that_do_not_fit_are_left_out_and_counted(run, tmp_path):
    prompts, out = find_model(str(run)).prompts, tmp_path / "out"
    same = "word " * 900
    long = [
        (
            Asked("a", "Say a", "", Source("f")),
            Choice(Contender(same + "x", 4, False), Contender(same + "y", 2, False)),
        ),
        (Asked("b", "Say b", "", Source("f")), Choice(Contender(same, 4, False), Contender("no", 2, False))),
    ]
    write_pairs(tmp_path / "pairs.jsonl", long, prompts)
    limits = ["train.max_tokens=300", "prompts.max_text_tokens=100"]
    tuned = tune_on_preferences(run, tmp_path / "pairs.jsonl", out, steps=1, overrides=limits)
    assert (tuned.pairs, tuned.left_out, tuned.answers_cut) == (1, 1, 1)
    both = tune_on_preferences(run, tmp_path / "pairs.jsonl", tmp_path / "both", overrides=limits)
    assert (both.recipe.steps, both.recipe.batch_size) == (1, 1), "every pair that is left is seen once"
    write_pairs(tmp_path / "first.jsonl", long[:1], prompts)
    with pytest.raises(NothingLeftError, match=r"the same up to train\.max_tokens \(300\); raise it"):
        tune_on_preferences(run, tmp_path / "first.jsonl", tmp_path / "none", overrides=limits)
    assert not (tmp_path / "none").exists()


def good(**changes):
    row = {
        "prompt": [
            {
                "role": "system",
                "content": "Answer in the style of an AI Assistant. Answer with knowledge from web search.",
            },
            {"role": "user", "content": "Why?"},
        ],
        "chosen": [{"role": "assistant", "content": "a"}],
        "rejected": [{"role": "assistant", "content": "b"}],
    }
    return row | changes


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], r"pairs\.jsonl: holds no pair; `humpback preferences` writes them"),
        (
            [good(), {"instruction": "a", "output": "b"}],
            r"line 2: is no preference pair \(no `prompt`, `chosen`, `rejec",
        ),
        ([good(prompt="Why?")], r"line 1: `prompt` is not what the models of this run are asked"),
        (
            [good(prompt=[{"role": "user", "content": "Why?"}])],
            r"line 1: `prompt` is not .*make the pairs from this run",
        ),
        ([good(), good(chosen="a")], r"line 2: `chosen` must be a list of one message of the assistant"),
        ([good(rejected=[{"role": "assistant", "content": ""}])], r"line 1: `rejected` must be"),
        ([good(rejected=good()["chosen"])], r"line 1: `chosen` and `rejected` are the same text"),
    ],
)
def test_files_of_another_kind_are_refused(run, tmp_path, rows, told):
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=told) as raised:
        tune_on_preferences(run, file, tmp_path / "out")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_broken_lines_and_missing_files_are_told(run, tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps(good()) + "\n{broken\n" + json.dumps(good()) + "\n")
    with pytest.raises(InputError, match=r"pairs\.jsonl: line 2: "):
        tune_on_preferences(run, file, tmp_path / "out")
    with pytest.raises(InputError, match=r"absent\.jsonl: no such file"):
        tune_on_preferences(run, tmp_path / "absent.jsonl", tmp_path / "out")


def test_what_cannot_be_tuned_is_told_and_nothing_is_touched(run, pairs, tmp_path, small_inputs):
    with pytest.raises(WorkspaceError, match=r"is no run's folder"):
        tune_on_preferences(tmp_path, pairs, tmp_path / "out")
    for options, told in (({"beta": 0.0}, r"--beta: 0; give"), ({"learning_rate": -1.0}, r"--learning-rate: -1; give")):
        with pytest.raises(InputError, match=told):
            tune_on_preferences(run, pairs, tmp_path / "out", **options)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"mine: is there already"):
        tune_on_preferences(run, pairs, mine)
    with pytest.raises(InputError, match=r"thesis\.txt: is there already"):
        tune_on_preferences(run, pairs, mine / "thesis.txt")
    assert (mine / "thesis.txt").read_text() == "years of work"
    (run / "models/m1/stage.json").unlink()
    with pytest.raises(InputError, match=r"models/m1: is not finished; `humpback run` makes it"):
        tune_on_preferences(run, pairs, tmp_path / "out")


def test_an_adapter_is_not_trained_on_in_four_bits(run, pairs, tmp_path):
    (run / "models/m1/adapter_config.json").write_text("{}")
    (run / "models/m1/stage.json").write_text(
        json.dumps(json.loads((run / "models/m1/stage.json").read_text()) | {"files": {}})
    )
    with pytest.raises(ModelError, match=r"is an adapter, and another cannot be trained on it in 4 bits"):
        tune_on_preferences(run, pairs, tmp_path / "out", overrides=["train.method=qlora"])
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_no_number_stops_it(run, pairs, tmp_path):
    with pytest.raises(ModelError, match=r"the loss at step \d+ is nan; use a smaller --learning-rate"):
        tune_on_preferences(run, pairs, tmp_path / "out", steps=6, learning_rate=1e30)


def test_the_scripted_engine_walks_through(tiny_model, small_inputs, tmp_path):
    run = run_with(tiny_model, small_inputs, "scripted")
    prompts = find_model(str(run)).prompts
    identities = []
    for number in (4, 5):
        write_pairs(tmp_path / "pairs.jsonl", list(rows_and_choices())[:number], prompts)
        tuned = tune_on_preferences(run, tmp_path / "pairs.jsonl", tmp_path / f"out-{number}")
        assert (tuned.pairs, tuned.recipe.steps) == (number, -(-number // 2))
        identities.append((tmp_path / f"out-{number}" / SCRIPT_FILE).read_text())
    assert identities[0] != identities[1], "other pairs, another model"


def test_the_recipe():
    config = TrainConfig()
    found = preference_recipe(100, config)
    assert (found.steps, found.batch_size, found.micro_batch_size, found.beta) == (7, 16, 2, 0.1)
    assert found.rates == (1e-6, pytest.approx(1e-7))
    few = preference_recipe(5, config.model_copy(update={"method": "lora"}), steps=3, beta=0.5)
    assert (few.steps, few.batch_size, few.micro_batch_size, few.beta) == (3, 5, 1, 0.5)
    assert few.rates[0] == 1e-5
