"""Finds out what a server gives. Servers take parameters that they then ignore, so each answer is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from humpback.engines.base import Sampling
from humpback.engines.http.client import Client, NoAnswerError, RefusedError
from humpback.engines.http.dialect import Choosing, Dialect, Prompt, Scoring, chosen
from humpback.engines.http.prompts import TokenReader
from humpback.engines.http.wire import (
    BadAnswerError,
    Body,
    Completion,
    echoed_logprobs,
    next_logprobs,
    prompt_logprobs,
)
from humpback.engines.tokens import split_choices, tokenise
from humpback.errors import EngineError
from humpback.prompts import SCORES

A = TypeVar("A")

# Several scripts and figures, so that other tokenizers count other tokens.
TEXT = "Rate the answer from 1 to 5. Answer: naïve café, 3.14159 km — 東京 и Москва; x_1 = y**2\nScore:"
UNLIKELY = (" zebra", " quartz")  # no model answers with these by itself
RANKS = (100, 20, 5)  # llama.cpp's server takes any number, vLLM's 20 by default, OpenAI's 5
_TRIES = 3
_ONE = Sampling(temperature=0.0, top_p=1.0, max_new_tokens=1)


class Probe:
    """A few short requests to one server, about the model in one folder."""

    def __init__(self, client: Client, reader: TokenReader, folder: Path, url: str) -> None:
        self._client = client
        self._reader = reader
        self._folder = folder
        self._url = url
        self._ids = tokenise(reader.tokenizer, [TEXT])[0]
        shared, endings = split_choices(tokenise(reader.tokenizer, SCORES))
        self._place = self._ids + shared  # where a score would stand
        self._scores = [ending[0] for ending in endings]

    async def dialect(self, name: str, root: str | None) -> Dialect:
        """How to ask the server for the model that it calls `name`, whose weights it says are at `root`.

        Raises:
            EngineError: it cannot be asked for completions, or it runs another model or tokenizer.
        """
        dialect = await self._accepted(Dialect(name, self._reader.end, self._reader.end_ids), root)
        if dialect.takes_ids:
            dialect = replace(dialect, scoring=await self._scoring(dialect))
        dialect = replace(dialect, restricts=await self._restricts(dialect))
        if not dialect.restricts:
            dialect = replace(dialect, ranks=await self._ranks(dialect))
        return replace(dialect, choosing=await self._choosing(dialect))

    async def _accepted(self, draft: Dialect, root: str | None) -> Dialect:
        """How prompts can be sent, with the tokenizer and the model's name looked at."""
        refusal = None
        for takes_ids in (True, False):
            for takes_extras in (True, False):
                dialect = replace(draft, takes_ids=takes_ids, takes_extras=takes_extras)
                try:
                    answer = await self._plain(dialect, self._ids if takes_ids else TEXT)
                except RefusedError as error:
                    if error.status in (401, 403):
                        raise
                    refusal = error
                    continue
                if takes_ids and _counted(answer) not in (None, len(self._ids)):
                    continue  # took the numbers for something else
                self._check_name(answer, draft.model, root)
                await self._check_tokenizer(dialect, answer)
                counts = _counted(answer) == len(self._ids)
                return replace(dialect, answers_as=answer.model, counts_prompts=counts and takes_ids)
        raise EngineError(f"engine.http: {self._url}/completions takes no prompt of ours: {refusal}")

    async def _plain(self, dialect: Dialect, prompt: Prompt) -> Completion:
        return await self._client.complete(dialect.generation(prompt, _ONE, seed=0), lambda answer: answer)

    def _check_name(self, answer: Completion, name: str, root: str | None) -> None:
        """Some servers answer with the path or with a version behind the name."""
        said = answer.model
        if said in (None, root, str(self._folder)) or re.match(rf"{re.escape(name)}(?!\w)", said or ""):
            return
        raise EngineError(f"engine.http: {self._url}: asked for the model {name}, answered as {said}; serve {name}")

    async def _check_tokenizer(self, dialect: Dialect, answer: Completion) -> None:
        """Compares tokens of a fixed text; a server may put its own begin token before a text, but not before ids."""
        if dialect.takes_ids:
            answer = await self._plain(dialect, TEXT)
        count = _counted(answer)
        theirs = answer.answer.prompt_token_ids
        added = 0 if count is None else count - len(self._ids)
        if added not in (0, 1) or (theirs is not None and theirs[-len(self._ids) :] != self._ids):
            raise EngineError(
                f"engine.http: {self._url} runs another model or tokenizer than {self._folder}: of one text they "
                f"make other tokens ({count} and {len(self._ids)} of them); serve this folder"
            )
        if added and not dialect.takes_ids:
            raise EngineError(
                f"engine.http: {self._url} puts a token of its own before every prompt, and takes no prompts as token "
                "ids; switch that off at the server (add_bos_token in its tokenizer_config.json)"
            )

    async def _scoring(self, dialect: Dialect) -> Scoring | None:
        """The first way to score a text whose answer has one log-probability for each of its tokens."""
        ids = [*self._place, self._scores[0]]
        for way in Scoring:
            if await self._gives(replace(dialect, scoring=way).score(ids), partial(scores, ids=ids, way=way)):
                return way
        return None

    async def _restricts(self, dialect: Dialect) -> bool:
        body = dialect.restricted(self._prompt(dialect), self._scores)
        return dialect.takes_extras and await self._gives(body, self._all_scores)

    async def _ranks(self, dialect: Dialect) -> int:
        """The widest list of likely tokens; without another way, it must hold all scores to be worth asking for."""
        read = self._any_scores if dialect.scoring else self._all_scores
        for ranks in RANKS:
            if await self._gives(replace(dialect, ranks=ranks).ranking(self._prompt(dialect)), read):
                return ranks
        return 0

    async def _choosing(self, dialect: Dialect) -> Choosing | None:
        for way in Choosing:
            asked = Sampling(temperature=0.0, top_p=1.0, max_new_tokens=16, choices=UNLIKELY)
            body = replace(dialect, choosing=way).generation(self._prompt(dialect), asked, seed=0)
            if dialect.takes_extras and await self._gives(body, self._one_of_the_unlikely):
                return way
        return None

    def _prompt(self, dialect: Dialect) -> Prompt:
        return self._place if dialect.takes_ids else str(self._reader.tokenizer.decode(self._place))

    def _all_scores(self, completion: Completion) -> list[float]:
        found = self._reader.pick(next_logprobs(completion.answer), self._place, self._scores)
        if any(value != value for value in found):
            raise BadAnswerError("missing choices")
        return found

    def _any_scores(self, completion: Completion) -> dict[int | str, float]:
        return next_logprobs(completion.answer)

    def _one_of_the_unlikely(self, completion: Completion) -> str:
        text = chosen(self._reader.generation("", completion.answer, UNLIKELY).text, UNLIKELY)
        if text is None:
            raise BadAnswerError("no choice")
        return text

    async def _gives(self, body: Body, read: Callable[[Completion], A]) -> bool:
        """Whether the server answers this. What ails it as a whole is waited out first, and then it is asked again."""
        for _ in range(2):
            try:
                await self._client.complete(body, read, attempts=_TRIES)
            except RefusedError:
                return False
            except NoAnswerError as error:
                if error.failure.is_answer:
                    return False
                await self._client.complete(
                    {"model": body["model"], "prompt": body["prompt"], "max_tokens": 1}, lambda answer: answer
                )
            else:
                return True
        return False


def scores(completion: Completion, ids: Sequence[int], way: Scoring | None) -> list[float]:
    """Log-probabilities of the tokens `ids`, but for the first, from an answer to `Dialect.score`.

    Raises:
        BadAnswerError: they are not those of these tokens.
    """
    read = prompt_logprobs if way is Scoring.PROMPT_LOGPROBS else echoed_logprobs
    return read(completion.answer, ids)


def _counted(answer: Completion) -> int | None:
    return answer.usage.prompt_tokens if answer.usage else None
