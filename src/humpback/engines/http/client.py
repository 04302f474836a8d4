"""Requests to one server: so many at a time, sent again until they are answered or the deadline has passed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from humpback.config import HttpConfig
from humpback.engines.http.loop import BackgroundLoop
from humpback.engines.http.retry import Failure, is_transient, pause, retry_after_s
from humpback.engines.http.setup import is_this_machine
from humpback.engines.http.wire import (
    BadAnswerError,
    Body,
    Completion,
    ServedModel,
    fault_message,
    parse_completion,
    parse_models,
)
from humpback.errors import EngineError, MissingDependencyError

try:
    import httpx2
except ImportError:
    raise MissingDependencyError("engine.kind: http needs httpx2; install it with `pip install httpx2`") from None

log = logging.getLogger(__name__)

CONNECT_S = 10.0
SAY_EVERY_S = 60.0
MAX_ANSWER_BYTES = 64 << 20
"""Longest answer that is read (ours: the log-probabilities of 100,000 tokens of a prompt take a sixth)."""

MOST_IDS = 10_000
"""Answers whose ids are remembered (ours: a copy comes to the next request on the same connection)."""

_ID = re.compile(rb'"id"\s*:\s*"([^"]{1,200})"')

R = TypeVar("R", bound="Row", contravariant=True)
A = TypeVar("A")


class Row(Protocol):
    """What an engine is asked: it names its row."""

    @property
    def row_id(self) -> str:
        """The row's id."""


class RefusedError(Exception):
    """The server will not answer this request, however often it is asked."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"{status} {message}")


class NoAnswerError(Exception):
    """The requests for one row failed until the deadline, or as often as they were to be tried."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(str(failure))


class Client:
    """Asks one server. What a request is for stays with it, so that answers cannot be confused."""

    def __init__(self, config: HttpConfig, key: str | None) -> None:
        self._config = config
        self._key = key
        self._loop = BackgroundLoop()
        self._http = httpx2.AsyncClient(
            base_url=config.url.rstrip("/") + "/",
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            timeout=httpx2.Timeout(None, connect=CONNECT_S),  # the whole request has a limit of its own
            limits=httpx2.Limits(max_connections=config.concurrency, max_keepalive_connections=config.concurrency),
            # A proxy from the environment does not know what runs on this machine.
            trust_env=not is_this_machine(config),
        )
        self._retries: Counter[str] = Counter()
        self._requests = 0
        self._said_s = float("-inf")
        self._ids: dict[bytes, None] = {}
        self._ids_differ = True  # until two answers to what is tried at the start have the same
        self._is_tried = False
        self.watch: Callable[[], None] = lambda: None  # called at each failure; raises where waiting is in vain

    def map(self, work: Callable[[R], Awaitable[A]], rows: Sequence[R]) -> list[A]:
        """What `work` returns for each row, in their order.

        Raises:
            EngineError: the server refuses a row, or does not answer it until the deadline.
        """
        return self._loop.run(self._map(work, rows)) if rows else []

    def run(self, work: Awaitable[A]) -> A:
        """What `work` returns."""

        async def wait() -> A:
            return await work

        return self._loop.run(wait())

    def close(self) -> None:
        """Closes the connections."""
        self._loop.run(self._http.aclose())
        self._loop.close()

    async def models(self) -> list[ServedModel]:
        """The models that the server serves; tried once.

        Raises:
            NoAnswerError: it does not answer, or not now.
            RefusedError: it has no such list for us.
        """
        found = await self._attempt("GET", "models", None, parse_models)
        if isinstance(found, Failure):
            raise NoAnswerError(found)
        return found

    async def complete(self, body: Body, read: Callable[[Completion], A], attempts: int | None = None) -> A:
        """What `read` finds in the completion; asked again while there is none, `attempts` times at most.

        Raises:
            NoAnswerError: there was none until the deadline, or in `attempts` attempts.
            RefusedError: the server will not answer this.
        """
        content = json.dumps(body).encode()
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            found = await self._attempt("POST", "completions", content, lambda answer: read(parse_completion(answer)))
            if not isinstance(found, Failure):
                return found
            self.watch()
            left = began + self._config.deadline_minutes * 60 - time.monotonic()
            if left <= 0 or attempt == attempts:
                raise NoAnswerError(found)
            if attempts is None:
                self._say(found)
            await asyncio.sleep(min(pause(attempt, found.pause_s), left))

    async def _attempt(self, method: str, path: str, content: bytes | None, read: Callable[[bytes], A]) -> A | Failure:
        self._requests += 1
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(self._config.timeout_s):
                response, answer = await self._answer(
                    self._http.build_request(method, path, content=content, headers=headers)
                )
            if response.status_code == 200:
                return read(answer)
        except BadAnswerError as error:
            return Failure(str(error), is_answer=True)
        except TimeoutError:
            return Failure("timeout", f"{self._config.timeout_s:g} s")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return Failure("connection", self._hidden(str(error) or type(error).__name__))
        message = self._hidden(fault_message(answer))
        if is_transient(response.status_code):
            return Failure(str(response.status_code), message, retry_after_s(response.headers.get("Retry-After")))
        raise RefusedError(response.status_code, message)

    async def _answer(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        """The response to a request, and its body: no more of it than may be there.

        Raises:
            BadAnswerError: it has more, or is packed, which we never ask for: a few bytes could become gigabytes; or
                it is a copy of an earlier one.
        """
        response = await self._http.send(request, stream=True)
        try:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise BadAnswerError("packed answer")
            pieces, size = [], 0
            async for piece in response.aiter_raw():
                size += len(piece)
                if size > MAX_ANSWER_BYTES:
                    raise BadAnswerError("endless answer")
                pieces.append(piece)
            answer = b"".join(pieces)
            if request.method == "POST" and self._came_before(answer):
                await response.extensions["network_stream"].aclose()  # our own answer comes next on this connection
                raise BadAnswerError("answer sent twice")
        finally:
            await response.aclose()
        return response, answer

    def _came_before(self, answer: bytes) -> bool:
        """Whether it is a copy of an earlier answer, which a server left on the connection for the next request."""
        found = _ID.search(answer)
        if found is None:
            return False
        came_before = found[1] in self._ids
        self._ids[found[1]] = None
        if len(self._ids) > MOST_IDS:
            del self._ids[next(iter(self._ids))]
        if came_before and not self._is_tried:
            self._ids_differ = False
        return came_before and self._ids_differ

    def _hidden(self, text: str) -> str:
        """`text` without the key, which servers like to repeat."""
        return text.replace(self._key, "***") if self._key else text

    def _say(self, failure: Failure) -> None:
        """Counts a failure; a server that is down fails thousands of requests, but is news once a minute."""
        self._retries[failure.reason] += 1
        now = time.monotonic()
        if now - self._said_s >= SAY_EVERY_S:
            self._said_s = now
            where = self._config.url
            log.warning("engine.http: %s: %s; asking again, for up to %g minutes", where, failure, self._minutes)

    @property
    def _minutes(self) -> float:
        return self._config.deadline_minutes

    async def _map(self, work: Callable[[R], Awaitable[A]], rows: Sequence[R]) -> list[A]:
        self._retries.clear()
        self._is_tried = True
        self._requests, began = 0, time.monotonic()
        free = asyncio.Semaphore(self._config.concurrency)
        answers: dict[int, A] = {}

        async def answer(index: int) -> None:
            async with free:
                answers[index] = await self._row(work, rows[index], answers, len(rows))

        tasks = [asyncio.create_task(answer(index)) for index in range(len(rows))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._summarise(len(rows), time.monotonic() - began)
        return [answers[index] for index in range(len(rows))]

    async def _row(self, work: Callable[[R], Awaitable[A]], row: R, answers: dict[int, A], total: int) -> A:
        try:
            return await work(row)
        except RefusedError as error:
            raise EngineError(f"engine.http: {self._config.url} refuses row {row.row_id}: {error}") from None
        except NoAnswerError as error:
            raise EngineError(
                f"engine.http: {self._config.url}: no answer to row {row.row_id} for {self._minutes:g} minutes: "
                f"{error}; {len(answers)} of {total} rows asked for were done; look after the server and repeat the "
                "command, which goes on at this shard"
            ) from None

    def _summarise(self, rows: int, seconds: float) -> None:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in self._retries.most_common())
        log.log(
            logging.INFO if reasons else logging.DEBUG,
            "engine.http: %d rows, %d requests, %.1f s; asked again: %s",
            *(rows, self._requests, seconds, reasons or "none"),
        )
