"""Model cards: what the hub reads of them, and that they say what was trained."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import ModelCard

from humpback.config import parse_config
from humpback.product.base_model import base_model
from humpback.product.model_card import model_card
from humpback.report.outcome import evaluation_sets

FACTS = {"examples": 178, "steps": 8, "batch_size": 4, "learning_rate": 1e-4, "dtype": "bfloat16", "answers_cut": 27}
SYSTEM = "Answer in the style of an AI Assistant. Answer with knowledge from web search."


def config_of(model: str = "builtin", *overrides: str):
    given = {"model": model, "seed": "seed.jsonl", "corpus": "docs", "name": "mine"}
    return parse_config(json.dumps(given), list(overrides), name="test")


def card_of(model: str = "m2", *overrides: str, base: str = "builtin", **values) -> ModelCard:
    return ModelCard(model_card(config_of(base, *overrides), model, FACTS, SYSTEM, **values))


def test_the_hub_reads_base_model_licence_and_library():
    stated = card_of().data.to_dict()
    assert stated["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert stated["base_model_relation"] == "finetune"
    assert (stated["license"], stated["library_name"]) == ("apache-2.0", "transformers")
    assert (stated["pipeline_tag"], stated["language"]) == ("text-generation", ["en"])
    assert "humpback" in stated["tags"]


def test_an_adapter_is_said_to_be_one():
    stated = card_of("m1", "train.method=lora", "train.lora.merge=false").data.to_dict()
    assert (stated["library_name"], stated["base_model_relation"]) == ("peft", "adapter")
    assert card_of("m1", "train.method=lora").data.to_dict()["library_name"] == "transformers"


def test_the_licence_of_a_local_base_model_is_its_card_s(tmp_path):
    folder = tmp_path / "a-base"
    folder.mkdir()
    stated = card_of(base=str(folder)).data.to_dict()
    assert not {"license", "base_model", "base_model_relation"} & set(stated)
    front = (
        "---\nlicense: other\nlicense_name: strange-terms\nlicense_link: https://a.example\nlanguage: [en, de]\n---\n"
    )
    (folder / "README.md").write_text(front)
    card = card_of(base=str(folder))
    stated = card.data.to_dict()
    assert (stated["license"], stated["license_name"]) == ("other", "strange-terms")
    assert stated["language"] == ["en", "de"]
    assert "The licence of a-base applies: strange-terms." in card.text
    assert str(tmp_path) not in card.content


def test_a_base_model_on_the_hub_is_named_as_there():
    assert card_of(base="some-owner/some.model").data.to_dict()["base_model"] == "some-owner/some.model"
    assert base_model("some-owner/some.model").licence is None  # its card is not on this machine


@pytest.mark.parametrize("front", ["", "---\nlicense: [a, b]\n---\n", "---\nlicense: 1\n---\n", "---\n: {\n---\n"])
def test_a_base_model_s_card_may_be_anything(tmp_path, front):
    (tmp_path / "README.md").write_text(front)
    assert base_model(str(tmp_path)).licence is None


def test_the_recipe_and_the_prompt_are_told():
    text = card_of().text
    assert f"    {SYSTEM}" in text
    for line in ("for 8 steps on 178 pairs;", "| pairs a step | 4 |", "| answers cut there | 27 |"):
        assert line in text
    assert "from round 2 of the loop" in text
    assert "guesses the instruction" in card_of("backward").text
    assert "No training took place" in model_card(config_of(), "m2", {"examples": 3}, SYSTEM)


def test_figures_stand_in_it_once_they_are_measured():
    def loss(mean):
        return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "pairs": 18}

    measured = {"sets": {"seed": {"pairs": 18, "models": {
        "m0": {"loss": loss(2.5)}, "m2": {"loss": loss(2.4), "against_m0": loss(-0.1)},
    }}}}  # fmt: skip
    assert "report holds what was measured" in card_of().text
    text = card_of(evaluation=evaluation_sets(measured)).text
    assert "| 18 | 2.4000 [2.3900, 2.4100] | −0.1000 [−0.1100, −0.0900] |" in text
    assert "| 2.5000" not in text
