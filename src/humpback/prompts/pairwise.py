"""The prompt of a pairwise judge, and how its verdict is read."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from humpback.prompts.chat import ChatFormat

PAIRWISE_SYSTEM = "You are a careful and fair judge of answers."
CHOICES = (" A", " B", " C")
"""What continues `Better:`; C says that neither is better."""

LABEL = "Better:"
_HEADING = re.compile(r"^([ \t]*(?:Instruction|Reply [AB]|Better)):", re.MULTILINE)
_LABELLED = re.compile(r"(?<!\w)better[*_`\"']{0,3}[ \t]*[:=]", re.IGNORECASE)
# What a verdict's line begins with. The letter "a" is no verdict where it is an article: "Better: a clearer reply".
_VERDICT = re.compile(
    r"""[\s*_`"'(\[]*(?:(?:reply|assistant|answer|option)\s+)?(?P<verdict>[ABC]|neither|tie|draw)(?!\w)[*_`"')\]]*
        (?:\s*$|\s*[.;:,!(–—-](?!\s*(?:or\s+|and\s+)?[ABC]\b)|\s*\n|\s+(?:is|because|since|as|reply)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_PREFERENCES = {"a": 1.0, "b": 2.0}


def pairwise_prompt(chat: ChatFormat, instruction: str, first: str, second: str, *, in_writing: bool) -> str:
    """The prompt that asks which of two replies is better: for a verdict in writing, or for one of `CHOICES`.

    The prompt's own headings are broken up in the texts ("Reply B:" becomes "Reply B :"), so that no reply can speak
    as the other one.
    """
    texts = (_HEADING.sub(r"\1 :", text) for text in (instruction, first, second))
    user = _template().render(zip(("instruction", "first", "second"), texts, strict=True)).strip()
    return chat.prompt(PAIRWISE_SYSTEM, user) if in_writing else chat.prompt(PAIRWISE_SYSTEM, user, LABEL)


def parse_preference(text: str) -> float | None:
    """The last verdict in a written judgement: 1 for A, 2 for B, 1.5 for neither; None where there is none."""
    labels = list(_LABELLED.finditer(text))
    match = _VERDICT.match(text, labels[-1].end()) if labels else None
    return _PREFERENCES.get(match["verdict"].casefold(), 1.5) if match else None


@cache
def _template() -> Template:
    text = (resources.files("humpback.prompts") / "templates" / "pairwise.jinja").read_text(encoding="utf-8")
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(text)  # noqa: S701 - prompts are no HTML
