"""The engine behind an OpenAI-compatible server: what is asked of a row, and how the answers are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from humpback.config import EngineConfig
from humpback.engines.base import (
    Ability,
    ChoiceRequest,
    Choices,
    Generation,
    GenerationRequest,
    Likelihood,
    LikelihoodRequest,
    Sampling,
    require,
)
from humpback.engines.http.client import Client, NoAnswerError, RefusedError
from humpback.engines.http.dialect import Dialect, Prompt
from humpback.engines.http.probe import Probe, scores
from humpback.engines.http.prompts import TokenReader
from humpback.engines.http.serve import StartedServer, reach, start
from humpback.engines.http.setup import api_key
from humpback.engines.http.wire import BadAnswerError, Body, Completion, next_logprobs
from humpback.engines.tokens import end_ids, split_choices, tokenise
from humpback.errors import EngineError
from humpback.models import inspect_model, load_tokenizer
from humpback.prompts import cut_text

A = TypeVar("A")


class HttpEngine:
    """Asks a server, which runs the model; texts become tokens here, with the tokenizer in the model's folder."""

    def __init__(
        self, client: Client, dialect: Dialect, reader: TokenReader, context: int | None, server: StartedServer | None
    ) -> None:
        self.dialect = dialect
        self._client = client
        self._reader = reader
        self._tokenizer = reader.tokenizer
        self._context = context
        self._server = server

    @classmethod
    def of(cls, folder: Path, config: EngineConfig, end: str) -> HttpEngine:
        """The engine on the model in `folder`, which the server serves, or is started to serve.

        Raises:
            EngineError: it does not.
        """
        http = config.http
        tokenizer = load_tokenizer(folder)
        reader = TokenReader(tokenizer, end, end_ids(tokenizer, end))
        client = Client(http, api_key(http))
        server = None
        try:
            if http.start is not None:
                server = start(client, http, folder)
                client.watch = server.check
            served = reach(client, http, folder)
            probe = Probe(client, reader, folder, http.url)
            dialect = client.run(probe.dialect(served.id, served.root))
        except BaseException as error:
            _close(client, server)
            if isinstance(error, RefusedError | NoAnswerError):
                raise EngineError(f"engine.http: {http.url}: {error}; look after the server and try again") from None
            raise
        return cls(client, dialect, reader, served.max_model_len or inspect_model(folder).context, server)

    @property
    def abilities(self) -> frozenset[Ability]:
        return self.dialect.abilities

    @property
    def context(self) -> int | None:
        # Servers generate a token even where only the prompt's log-probabilities are asked for.
        return None if self._context is None else self._context - 1

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        rows = self._rows(requests, [request.seed for request in requests])

        async def one(row: _Row) -> Generation:
            body = self.dialect.generation(self._prompt(row, []), sampling, row.seed)
            return await self._ask(
                row,
                body,
                len(row.ids),
                lambda found: self._reader.generation(row.row_id, found.answer, sampling.choices),
            )

        return self._client.map(one, rows)

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        shared, endings = split_choices(tokenise(self._tokenizer, choices))
        require(self, Ability.CHOICE_LOGPROBS, "engine.http", "set rate.fallback: [chosen, written]")
        is_short = all(len(ending) == 1 for ending in endings)
        if not is_short and self.dialect.scoring is None:
            raise EngineError(
                f"engine.http: the choices {', '.join(map(repr, choices))} have several tokens each, and this server "
                "gives log-probabilities of single tokens only; use engine.kind: transformers"
            )

        async def one(row: _Row) -> Choices:
            found = await self._next(row, shared, [ending[0] for ending in endings]) if is_short else [math.nan]
            if any(map(math.isnan, found)) and self.dialect.scoring is not None:
                found = [sum(await self._score(row, [*shared, *ending], len(ending))) for ending in endings]
            return Choices(row.row_id, found)

        return self._client.map(one, self._rows(requests))

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        require(self, Ability.LOGLIKELIHOOD, "engine.http", "use engine.kind: transformers")
        continuations = tokenise(self._tokenizer, [request.continuation for request in requests])
        rows = self._rows(requests)
        behind = {id(row): ids for row, ids in zip(rows, continuations, strict=True)}

        async def one(row: _Row) -> Likelihood:
            ids = behind[id(row)]
            return Likelihood(row.row_id, await self._score(row, ids, len(ids)) if ids else [])

        return self._client.map(one, rows)

    def cut(self, text: str, max_tokens: int) -> str:
        return cut_text(self._tokenizer, text, max_tokens)

    def count(self, text: str) -> int:
        return len(tokenise(self._tokenizer, [text])[0])

    def close(self) -> None:
        """Closes the connections and ends the server that was started."""
        _close(self._client, self._server)

    def _rows(self, requests: Sequence[_Request], seeds: Sequence[int] | None = None) -> list[_Row]:
        prompts = tokenise(self._tokenizer, [request.prompt for request in requests])
        return [
            _Row(request.row_id, request.prompt, ids, seed)
            for request, ids, seed in zip(requests, prompts, seeds or [0] * len(requests), strict=True)
        ]

    def _prompt(self, row: _Row, more: list[int]) -> Prompt:
        """The row's prompt, and the tokens `more` behind it, in the form that the server takes."""
        if self.dialect.takes_ids:
            return row.ids + more
        return row.prompt + (str(self._tokenizer.decode(more)) if more else "")

    async def _next(self, row: _Row, shared: list[int], wanted: list[int]) -> list[float]:
        """Log-probabilities of the tokens `wanted` in the place after the prompt and the tokens `shared`."""
        if not self.dialect.restricts and not self.dialect.ranks:
            return [math.nan] * len(wanted)
        prompt, place = self._prompt(row, shared), row.ids + shared
        body = self.dialect.restricted(prompt, wanted) if self.dialect.restricts else self.dialect.ranking(prompt)

        def read(found: Completion) -> list[float]:
            return self._reader.pick(next_logprobs(found.answer), place, wanted)

        return await self._ask(row, body, len(place), read)

    async def _score(self, row: _Row, more: list[int], last: int) -> list[float]:
        """Log-probabilities of the last tokens of `more` behind the prompt."""
        ids = row.ids + more
        if len(ids) == last:
            raise EngineError(f"engine.http: row {row.row_id}: an empty prompt gives a text no likelihood")

        def read(found: Completion) -> list[float]:
            return scores(found, ids, self.dialect.scoring)[-last:]

        return await self._ask(row, self.dialect.score(ids), len(ids), read)

    async def _ask(self, row: _Row, body: Body, tokens: int, read: Callable[[Completion], A]) -> A:
        """What `read` finds in the answer, which must be from the model that was probed, to the whole prompt."""

        def checked(found: Completion) -> A:
            if found.model != self.dialect.answers_as:
                raise BadAnswerError("answer of another model")
            count = found.usage.prompt_tokens if found.usage else None
            if self.dialect.counts_prompts and count not in (None, tokens):
                raise EngineError(
                    f"engine.http: row {row.row_id}: the server read {count} of {tokens} tokens of the prompt; give it "
                    "a longer context"
                )
            return read(found)

        return await self._client.complete(body, checked)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's prompt as text and as tokens."""

    row_id: str
    prompt: str
    ids: list[int]
    seed: int


_Request = GenerationRequest | ChoiceRequest | LikelihoodRequest


def _close(client: Client, server: StartedServer | None) -> None:
    client.close()
    if server is not None:
        server.stop()
