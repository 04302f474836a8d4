"""From a YAML file and dotted overrides to a `Config`, or to every problem at once."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from humpback.config.schema import Config
from humpback.errors import ConfigError

Location = tuple[str | int, ...]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration in the YAML file at `path` with `key.sub=value` overrides applied.

    Raises:
        ConfigError: the file is missing, is no YAML, or any key or value is wrong; holds all problems.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{file}: no such file; `humpback init` writes one"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: cannot be read ({error})"]) from None
    return parse_config(text, overrides, name=str(file))


def parse_config(text: str, overrides: Sequence[str] = (), *, name: str = "configuration") -> Config:
    """As `load_config`, from YAML text; `name` stands before each problem.

    Raises:
        ConfigError: any key or value is wrong; holds all problems.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError([f"{where}: is no valid YAML: {getattr(error, 'problem', error)}"]) from None
    if not isinstance(values, dict):
        raise ConfigError([f"{name}: must hold `key: value` lines, holds a {type(values).__name__}"])

    problems = [*_duplicate_keys(node, name), *_apply_overrides(values, overrides)]
    lines = _line_numbers(node)
    overridden = {item.partition("=")[0] for item in overrides}
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        problems += [_describe(issue, lines, overridden, name) for issue in error.errors()]
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return config


def config_as_yaml(config: Config) -> str:
    """The whole resolved tree as YAML, defaults written out."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)


def _apply_overrides(values: dict[str, Any], overrides: Sequence[str]) -> list[str]:
    problems = []
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key:
            problems.append(f"-s {item}: must read key=value, e.g. -s train.steps=100")
            continue
        target = values
        *parents, last = key.split(".")
        for parent in parents:
            if not isinstance(target.get(parent), dict):
                target[parent] = {}
            target = target[parent]
        try:
            target[last] = yaml.safe_load(text)
        except yaml.YAMLError:
            problems.append(f"-s {item}: the value is no valid YAML; quote it")
    return problems


def _duplicate_keys(node: yaml.Node | None, name: str) -> list[str]:
    if not isinstance(node, yaml.MappingNode):
        return []
    problems, seen = [], set()
    for key, value in node.value:
        if key.value in seen:
            problems.append(f"{name}:{key.start_mark.line + 1}: {key.value}: stands twice; keep one")
        seen.add(key.value)
        problems += _duplicate_keys(value, name)
    return problems


def _line_numbers(node: yaml.Node | None, prefix: Location = ()) -> dict[Location, int]:
    lines: dict[Location, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            location = (*prefix, key.value)
            lines[location] = key.start_mark.line + 1
            lines.update(_line_numbers(value, location))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*prefix, index)] = value.start_mark.line + 1
            lines.update(_line_numbers(value, (*prefix, index)))
    return lines


def _describe(issue: Any, lines: dict[Location, int], overridden: set[str], name: str) -> str:
    location: Location = tuple(issue["loc"])
    key = ".".join(str(part) for part in location)
    at = next((lines[location[:end]] for end in range(len(location), 0, -1) if location[:end] in lines), None)
    where = f"{name}:{at}" if at else name
    if key:
        given = key in overridden or (at is None and any(item.startswith(f"{key}.") for item in overridden))
        where = f"-s {key}" if given else f"{where}: {key}"
    if issue["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggestion(location)}"
    if issue["type"] == "missing":
        field = Config.model_fields.get(key)
        return f"{where}: is missing. {field.description if field else 'Add it.'}"
    message = issue["msg"].removeprefix("Value error, ")
    got = "" if isinstance(issue["input"], dict) else f" (got {issue['input']!r})"
    return f"{where}: {message[:1].lower()}{message[1:]}{got}"


def _suggestion(location: Location) -> str:
    elsewhere = [
        f"{section}.{location[-1]}" for section in Config.model_fields if str(location[-1]) in _known_keys((section,))
    ]
    if elsewhere:
        return f"; did you mean `{elsewhere[0]}`?"
    known = _known_keys(location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known here: {', '.join(known)}"


def _known_keys(section: Location) -> list[str]:
    model: type[BaseModel] = Config
    for part in section:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        options = [annotation, *get_args(annotation)]
        inner = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)
