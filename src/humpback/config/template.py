"""The commented YAML that `humpback init` writes, made from the schema so that it cannot go stale."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import yaml
from pydantic import BaseModel

from humpback.config.schema import Config

HEAD = """\
# Run it:       humpback run {name}
# Look first:   humpback check {name}    humpback plan {name}
# What stands behind `# ` is the default. To change a value, remove the `# ` before it and before its section's name.
"""
WIDTH = 100


def config_template(name: str, *, model: str = "builtin", seed: str = "seed.jsonl", corpus: str = "documents/") -> str:
    """A commented configuration: the four inputs set, every other field shown with its default."""
    given = {"model": model, "seed": seed, "corpus": corpus, "rounds": 2}
    lines = [HEAD.format(name=name)]
    for key, field in Config.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines.append(_comment(type(field.default).__doc__ or "", ""))
            lines.append(f"# {key}:")
            lines += _section(field.default, "#   ")
        else:
            lines.append(_comment(field.description or "", ""))
            value = given.get(key, field.default)
            lines.append(f"{'' if key in given else '# '}{key}: {_scalar(value)}\n")
    return "\n".join(lines)


def _section(section: BaseModel, indent: str) -> list[str]:
    lines = []
    for key, field in type(section).model_fields.items():
        value = getattr(section, key)
        text = (type(value).__doc__ if isinstance(value, BaseModel) else None) or field.description or ""
        lines.append(_comment(text, indent + "# "))
        if isinstance(value, BaseModel):
            lines.append(f"{indent}{key}:")
            lines += _section(value, indent + "  ")
        else:
            lines.append(f"{indent}{key}: {_scalar(value)}")
    lines.append("")
    return lines


def _comment(text: str, indent: str) -> str:
    flat = " ".join(text.split())
    indent = indent or "# "
    return textwrap.fill(flat, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _scalar(value: Any) -> str:
    if hasattr(value, "as_posix"):
        value = value.as_posix()
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n").removesuffix("\n...").strip()


def config_page() -> str:
    """The reference page `docs/configuration.md`; a test compares it with the file."""
    template = config_template("humpback.yaml")
    return f"""# Configuration

What `humpback init` writes: every field, what it means, and its default. Any field can be changed on the command line,
`-s train.steps=100`; unknown keys are refused. Paths are relative to the folder in which the command runs.

```yaml
{template.strip()}
```
"""


if __name__ == "__main__":  # python -m humpback.config.template > docs/configuration.md
    sys.stdout.write(config_page())
