"""The prompt that asks a forward model to answer an instruction from a text: back-and-forth translation.

Nguyen et al. 2024, "Better Alignment with Instruction Back-and-Forth Translation" (arXiv 2408.04614), section 2.3. It
stands apart from the contract's templates, since only runs that rewrite depend on it.
"""

from __future__ import annotations

from humpback.prompts.chat import ChatFormat
from humpback.workspace.fingerprint import fingerprint

REWRITING_SYSTEM = "You are a helpful assistant who answers from what is known."

_TEMPLATE = """{instruction}

What is known about it, in somebody else's words:

{output}

Answer the request above with the help of this text. Keep to what the text says, leave out what the request does not \
ask for, and write as an assistant who speaks to the user."""


def rewriting_prompt(chat: ChatFormat, instruction: str, output: str) -> str:
    """The prompt whose answer takes the place of `output`."""
    return chat.prompt(REWRITING_SYSTEM, _TEMPLATE.format(instruction=instruction, output=output))


def rewriting_digest() -> str:
    """A fingerprint of the prompt."""
    return fingerprint([REWRITING_SYSTEM, _TEMPLATE])
