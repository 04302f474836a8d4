"""What `humpback init` writes is the schema with its defaults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from humpback.config import Config, config_template, parse_config

TEMPLATE = config_template("humpback.yaml")
DEFAULTS = Config(seed=["seed.jsonl"], corpus=["documents/"])


def uncommented(text: str) -> str:
    """The template with every default made a setting: lines `# key: value`, not the prose."""
    keys = {name for name, *_ in fields(Config)} | set(sections(Config))
    lines = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if bare.lstrip().partition(":")[0] in keys and not bare.lstrip().startswith("#"):
            lines.append(bare)
    return "\n".join(lines)


def sections(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield name
            yield from sections(type(field.default))


def fields(model: type[BaseModel]) -> Iterator[tuple[str, str, object]]:
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from fields(type(field.default))
        else:
            yield name, field.description, field.default


def test_the_template_is_the_defaults():
    assert parse_config(TEMPLATE) == DEFAULTS


def test_the_defaults_it_shows_are_the_defaults():
    assert parse_config(uncommented(TEMPLATE)) == DEFAULTS


def test_every_field_stands_in_it_with_its_comment():
    flat = " ".join(TEMPLATE.replace("#", " ").split())
    for name, description, _ in fields(Config):
        assert f"{name}: " in TEMPLATE, name
        assert description, f"{name} has no docstring"
        assert " ".join(description.replace("#", " ").split()) in flat, name


def test_lines_are_short():
    assert max(map(len, TEMPLATE.splitlines())) <= 120


@pytest.mark.parametrize("value", ["a: b", "# hash", "'quoted'", "[list]", "yes", "12", "with space", "~/grün.jsonl"])
def test_given_values_survive(value):
    config = parse_config(config_template("c.yaml", model=value, seed=value, corpus=value))
    assert (config.model, config.seed, config.corpus) == (value, [value], [value])
