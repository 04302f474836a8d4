"""The prompt of a pairwise judge, and how its verdict is read."""

from __future__ import annotations

import re
from importlib import resources

from jinja2 import Environment, StrictUndefined

from humpback.prompts.chat import ChatFormat

PAIRWISE_SYSTEM = "You are a careful and fair judge of answers."
CHOICES = (" A", " B", " C")
"""What continues `Better:`; C says that neither is better."""

LABEL = "Better:"
_VERDICT = re.compile(r"(?<!\w)better[*_`\"' ]*[:=][*_`\"'(\[\s]*(?:reply\s+)?([A-Za-z]+)", re.IGNORECASE)


def pairwise_prompt(chat: ChatFormat, instruction: str, first: str, second: str, *, in_writing: bool) -> str:
    """The prompt that asks which of two replies is better: for a verdict in writing, or for one of `CHOICES`."""
    text = (resources.files("humpback.prompts") / "templates" / "pairwise.jinja").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - prompts are no HTML
    user = environment.from_string(text).render(instruction=instruction, first=first, second=second).strip()
    return chat.prompt(PAIRWISE_SYSTEM, user) if in_writing else chat.prompt(PAIRWISE_SYSTEM, user, LABEL)


def parse_preference(text: str) -> float | None:
    """The last verdict in a written judgement: 1 for A, 2 for B, 1.5 for neither; None where there is none."""
    found = _VERDICT.findall(text)
    return {"a": 1.0, "b": 2.0, "c": 1.5, "neither": 1.5, "tie": 1.5}.get(found[-1].casefold()) if found else None
