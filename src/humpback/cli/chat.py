"""Talking to the models of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from humpback.cli.console import console, messages
from humpback.cli.printable import printable
from humpback.engines import Engine, GenerationRequest, Sampling, chat_format, open_engine
from humpback.errors import InputError
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.workspace import RunFolder


def chat_with(path: Path, question: str | None, *, compare: bool, max_new_tokens: int, random_seed: int) -> None:
    """Answers `question`, or every line that is typed, with the last model of the run; with `compare` M_0 answers too.

    Raises:
        InputError: the run has no such model yet.
    """
    folder = RunFolder(path)
    config = folder.config()
    names = [f"m{config.rounds}"]
    if compare:
        names.insert(0, "m0")
    folders = {name: folder.path / "models" / name for name in names}
    for name in names:
        if folder.step(f"models/{name}").manifest() is None:
            raise InputError(f"{path}: has no finished model {name} yet; `humpback run` makes it")
    prompts = PromptContract(chat_format(config.engine, config.prompts, folders[names[-1]]), config.prompts)
    sampling = Sampling(config.augment.temperature, config.augment.top_p, max_new_tokens)
    turns = [question] if question is not None else _typed()
    with ExitStack() as opened:
        engines = {
            name: opened.enter_context(closing(open_engine(config.engine, model, prompts.chat.end)))
            for name, model in folders.items()
        }
        history: dict[str, list[dict[str, str]]] = {name: [] for name in names}
        for turn in turns:
            for name, engine in engines.items():
                history[name].append({"role": "user", "content": turn})
                seed = derived_seed(random_seed, len(history[name]))
                answer = _answer(engine, prompts, history[name], sampling, seed)
                history[name].append({"role": "assistant", "content": answer})
                label = f"{name}: " if compare else ""
                console.print(label + printable(answer), markup=False)


def _answer(engine: Engine, prompts: PromptContract, turns: list[dict[str, str]], sampling: Sampling, seed: int) -> str:
    prompt = prompts.chat.conversation(prompts.inference_tag, turns)
    limit = engine.context
    while limit and len(turns) > 2 and engine.count(prompt) + sampling.max_new_tokens > limit:
        del turns[:2]  # the oldest question and its answer
        prompt = prompts.chat.conversation(prompts.inference_tag, turns)
    return engine.generate([GenerationRequest("chat", prompt, seed)], sampling)[0].text.strip()


def _typed() -> Iterator[str]:
    interactive = sys.stdin.isatty()
    if interactive:
        messages.print("Type a question; an empty line or Ctrl-D ends.")
    while True:
        if interactive:
            messages.print("[bold]>[/bold] ", end="")
        line = sys.stdin.readline()
        if not line.strip():
            return
        yield line.strip()
