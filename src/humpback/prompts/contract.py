"""Every prompt of the method, rendered here and nowhere else.

What a model is trained on is what it is asked later: training, sampling, rating, evaluation and chat all call the
methods below, and the digest of this contract is part of the fingerprint of everything made with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError, meta

from humpback.config import PromptsConfig
from humpback.errors import ConfigError
from humpback.prompts.chat import ChatFormat
from humpback.workspace.fingerprint import fingerprint

# The scale of section 2.3, as the texts that continue `Score:`.
SCORES = (" 1", " 2", " 3", " 4", " 5")
SCORE_LABEL = "Score:"
# What only the rating prompt itself may say at the start of a line.
_HEADING = re.compile(
    r"^([^\S\n]*(?:Instruction|Reply|Score))(?=:)|^([^\S\n]*Which score)(?= from 1 to 5\b)", re.MULTILINE
)
BACKWARD_SYSTEM = "You read texts and find the request that each of them answers."
RATING_SYSTEM = "You are a careful editor who rates answers."


@dataclass(frozen=True, slots=True)
class Pair:
    """A training pair as strings: the prompt as the model will be asked, and the completion it learns."""

    prompt: str
    completion: str


class PromptContract:
    """The prompts of one run: its chat format, tags and templates."""

    def __init__(self, chat: ChatFormat, config: PromptsConfig) -> None:
        """Reads the templates.

        Raises:
            ConfigError: a template of the user's is missing, does not parse, or lacks a variable.
        """
        self.chat = chat
        self.config = config
        self._texts = load_templates(config)
        environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)  # noqa: S701
        self._templates = {name: environment.from_string(text) for name, text in self._texts.items()}

    @property
    def digest(self) -> str:
        """A fingerprint of everything that shapes a prompt."""
        return contract_digest(self._texts, self.chat.template, self.config)

    @property
    def inference_tag(self) -> str:
        """Both tags joined: the system prompt at inference that measured best in the paper (table 8).

        Empty where both tags are: a model trained without a system prompt is asked without one.
        """
        return " ".join(tag for tag in (self.config.seed_tag, self.config.web_tag) if tag)

    def forward(self, instruction: str, tag: str) -> str:
        """The prompt that a forward model answers."""
        return self.chat.prompt(tag, instruction)

    def answer(self, output: str) -> str:
        """What a forward model is to write: `output` and the end of the turn, as in training."""
        return self._completion(output)

    def forward_pair(self, instruction: str, output: str, tag: str) -> Pair:
        """A forward model's training pair: instruction in, output out (section 2.1)."""
        return Pair(self.forward(instruction, tag), self._completion(output))

    def backward(self, output: str) -> str:
        """The prompt that asks the backward model which instruction `output` answers."""
        return self.chat.prompt(BACKWARD_SYSTEM, self._fill("backward", output=output))

    def backward_pair(self, instruction: str, output: str) -> Pair:
        """The backward model's training pair: output in, instruction out (section 2.1)."""
        return Pair(self.backward(output), self._completion(instruction))

    def rating(self, instruction: str, output: str) -> str:
        """The prompt whose next words, one of `SCORES`, are the rating.

        Its own headings are broken up in both texts ("Score:" becomes "Score :"), so that a text cannot end itself and
        go on as the prompt.
        """
        return self.chat.prompt(RATING_SYSTEM, self._question(instruction, output), SCORE_LABEL)

    def judgement(self, instruction: str, output: str) -> str:
        """The prompt that asks for a written judgement: a reason, then `Score: n` (section 2.3)."""
        user = self._question(instruction, output)
        return self.chat.prompt(RATING_SYSTEM, f"{user}\n{self._fill('judgement')}")

    def _question(self, instruction: str, output: str) -> str:
        texts = (_HEADING.sub(r"\1\2 ", text) for text in (instruction, output))
        return self._fill("rating", **dict(zip(("instruction", "output"), texts, strict=True)))

    def _completion(self, text: str) -> str:
        return self.chat.neutralise(text) + self.chat.end

    def _fill(self, template: str, **values: str) -> str:
        return self._templates[template].render(**values).strip()


def load_templates(config: PromptsConfig) -> dict[str, str]:
    """The template texts by name: the user's where given, else the packaged ones.

    Raises:
        ConfigError: a template of the user's is missing, does not parse, or lacks a variable.
    """
    chosen = {
        "backward": (config.backward_template, {"output"}),
        "rating": (config.rating_template, {"instruction", "output"}),
        "judgement": (None, set[str]()),
    }
    texts, problems = {}, []
    for name, (path, variables) in chosen.items():
        texts[name] = _packaged(name)
        if path is not None:
            problem = _template_problem(path, variables)
            if problem:
                problems.append(f"prompts.{name}_template: {path}: {problem}")
            else:
                texts[name] = path.read_text(encoding="utf-8")
    if problems:
        raise ConfigError(problems)
    return texts


def contract_digest(texts: dict[str, str], chat_template: str, config: PromptsConfig) -> str:
    """A fingerprint of the templates, the chat format and the settings that shape prompts."""
    settings = config.model_dump(mode="json", exclude={"rating_template", "backward_template", "chat_template"})
    return fingerprint([texts, chat_template, settings, BACKWARD_SYSTEM, RATING_SYSTEM, SCORE_LABEL, SCORES])


def _packaged(name: str) -> str:
    return (resources.files("humpback.prompts") / "templates" / f"{name}.jinja").read_text(encoding="utf-8")


def _template_problem(path: Path, variables: set[str]) -> str | None:
    environment = Environment(autoescape=False)  # noqa: S701 - prompts are no HTML
    try:
        used = meta.find_undeclared_variables(environment.parse(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return "no such file"
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read ({error})"
    except TemplateError as error:
        return f"is no valid Jinja: {error}"
    if missing := variables - used:
        return f"must use {_listed(missing)}"
    if unknown := used - variables:
        return f"uses unknown {_listed(unknown)}"
    return None


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{{ {name} }}}}" for name in sorted(names))
