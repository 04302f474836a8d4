"""A model's chat format: how messages become text, and which token ends an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Message = dict[str, str]

# Ours, for base models that bring no template: headings in words that any pretrained model has seen.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "### {{ message['role'] | capitalize }}\n{{ message['content'] }}"
    "{{ eos_token + '\n' if message['role'] == 'assistant' else '\n\n' }}"
    "{% endfor %}{% if add_generation_prompt %}### Assistant\n{% endif %}"
)
_PROBE = "\x02answer\x03"


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How one model's conversations are written.

    Attributes:
        template: the Jinja chat template.
        end: text of the token that ends an answer, trained as the last token of every completion.
        special_tokens: texts that the tokenizer reads as control tokens.
        takes_system: whether the template admits a system message.
    """

    template: str
    bos_token: str
    eos_token: str
    end: str
    special_tokens: tuple[str, ...]
    takes_system: bool

    @classmethod
    def plain(cls) -> ChatFormat:
        """The format of the scripted engine, which has no tokenizer."""
        return cls(PLAIN_TEMPLATE, "", "<|end|>", "<|end|>", ("<|end|>",), takes_system=True)

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, template_file: Path | None = None) -> ChatFormat:
        """The format of a model: the given template, else its tokenizer's, else a plain one.

        Raises:
            ModelError: the tokenizer has no end-of-sequence token, or the template cannot be rendered.
        """
        if not tokenizer.eos_token:
            raise ModelError(
                f"{tokenizer.name_or_path}: its tokenizer has no end-of-sequence token, so answers could never end; "
                "set `eos_token` in its tokenizer_config.json"
            )
        template = template_file.read_text(encoding="utf-8") if template_file else tokenizer.chat_template
        if isinstance(template, dict):
            template = template.get("default")
        added = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
        special = tuple(sorted({*tokenizer.all_special_tokens, *added}))
        draft = cls(
            template or PLAIN_TEMPLATE,
            tokenizer.bos_token or "",
            tokenizer.eos_token,
            tokenizer.eos_token,
            special,
            takes_system=True,
        )
        probes = [{"role": "system", "content": f"{_PROBE}1"}, {"role": "user", "content": f"{_PROBE}2"}]
        takes_system = _renders(draft, probes)
        return cls(
            draft.template,
            draft.bos_token,
            draft.eos_token,
            _end_token(draft, takes_system),
            special,
            takes_system,
        )

    def prompt(self, system: str, user: str, begin_answer: str = "") -> str:
        """The conversation up to where the assistant's answer starts, with `begin_answer` already said."""
        return self.conversation(system, [{"role": "user", "content": user}]) + begin_answer

    def conversation(self, system: str, messages: Sequence[Message]) -> str:
        """The same for a conversation of several turns that ends with the user's."""
        turns = [{**message, "content": self.neutralise(message["content"])} for message in messages]
        if system and self.takes_system:
            turns = [{"role": "system", "content": system}, *turns]
        elif system:
            turns[0] = {**turns[0], "content": f"{system}\n\n{turns[0]['content']}"}
        return _render(self, turns, add_generation_prompt=True)

    def neutralise(self, text: str) -> str:
        """`text` with control tokens broken up, so that a document cannot end a turn or speak as somebody else."""
        for token in self.special_tokens:
            if token in text:
                # One of a single character cannot be broken up.
                text = text.replace(token, f"{token[0]} {token[1:]}" if len(token) > 1 else " ")
        return text


def _render(chat: ChatFormat, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
    from jinja2.exceptions import TemplateError
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        rendered, _ = render_jinja_template(
            conversations=[list(messages)],
            chat_template=chat.template,
            add_generation_prompt=add_generation_prompt,
            bos_token=chat.bos_token,
            eos_token=chat.eos_token,
        )
    except TemplateError as error:
        raise ModelError(
            f"the chat template cannot be rendered: {error}; give another as prompts.chat_template"
        ) from error
    return str(rendered[0])


def _renders(chat: ChatFormat, messages: Sequence[Message]) -> bool:
    try:
        text = _render(chat, messages, add_generation_prompt=True)
    except ModelError:
        return False
    return all(message["content"] in text for message in messages)


def _end_token(chat: ChatFormat, takes_system: bool) -> str:
    """The first control token behind an assistant's answer in the template, else the end-of-sequence token."""
    messages = [{"role": "user", "content": "u"}, {"role": "assistant", "content": _PROBE}]
    if takes_system:
        messages.insert(0, {"role": "system", "content": "s"})
    behind = _render(chat, messages, add_generation_prompt=False).partition(_PROBE)[2]
    found = [(behind.index(token), token) for token in chat.special_tokens if token in behind]
    return min(found)[1] if found else chat.eos_token
