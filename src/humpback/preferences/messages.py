"""A run's prompt as the messages it is made of, as TRL's conversational format has them, and back."""

from __future__ import annotations

from humpback.prompts import PromptContract

Message = dict[str, str]


def prompt_messages(prompts: PromptContract, instruction: str) -> list[Message]:
    """What a forward model is asked at inference: `prompts.forward` with both tags, before it is rendered.

    A chat format without system messages has the tags before the instruction, as the prompt has.
    """
    tag = prompts.inference_tag
    if prompts.chat.takes_system:
        return [{"role": "system", "content": tag}, {"role": "user", "content": instruction}]
    return [{"role": "user", "content": f"{tag}\n\n{instruction}"}]


def instruction_of(prompts: PromptContract, messages: object) -> str | None:
    """The instruction that `prompt_messages` made `messages` of; None where they are anything else."""
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return None
    content = messages[-1].get("content")
    if not isinstance(content, str):
        return None
    instruction = content if prompts.chat.takes_system else content.removeprefix(f"{prompts.inference_tag}\n\n")
    return instruction if messages == prompt_messages(prompts, instruction) else None


def answer_message(output: str) -> list[Message]:
    """An answer as TRL's format has it."""
    return [{"role": "assistant", "content": output}]


def answer_of(messages: object) -> str | None:
    """The answer that `answer_message` made `messages` of; None where they are anything else, or it is empty."""
    if not isinstance(messages, list) or len(messages) != 1 or not isinstance(messages[0], dict):
        return None
    content = messages[0].get("content")
    return content if isinstance(content, str) and content.strip() and messages == answer_message(content) else None
