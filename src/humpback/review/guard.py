"""Who may ask what: the layer around the pages that refuses everything that is not an annotator's own browser."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 - the name of a parameter
STATIC = "/static/"

# Limits are ours: far above what a person does, far below what guessing or a script that ran wild needs.
WRONG_TOKENS, WRONG_TOKENS_PER_SECOND = 20, 20 / 60
POSTS, POSTS_PER_SECOND = 60, 10.0

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Person:
    """An annotator: the token of the printed address, and what the browser's cookie holds once it was used."""

    name: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Allowance:
    """So many acts at once and so many a second after that (a token bucket)."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._rate, self._clock = burst, per_second, clock
        self._left, self._then = float(burst), clock()

    @property
    def is_left(self) -> bool:
        """Whether one more act is allowed."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
        return self._left >= 1

    def take(self) -> bool:
        """Whether one more act is allowed, which then counts."""
        if not self.is_left:
            return False
        self._left -= 1
        return True


class Guard:
    """Lets requests through to `app` that name the server by one of `hosts` and come from one of `people`.

    Requests that change something must also come from a page of this server. `app` finds the annotator's name in
    `request.state.annotator`. Files under `/static/`, the same for everybody, need no token.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str],
        people: Sequence[Person],
        refused: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hosts` are names with ports; `refused` makes the page for whoever has no token."""
        self._app, self._hosts, self._people, self._refused = app, frozenset(hosts), people, refused
        # Browsers share cookies between the ports of a host, so the name holds the port.
        self._cookie = f"humpback-review-{hosts[0].rpartition(':')[2]}"
        self._wrong = Allowance(WRONG_TOKENS, WRONG_TOKENS_PER_SECOND, clock)
        self._posts = {one.name: Allowance(POSTS, POSTS_PER_SECOND, clock) for one in people}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # neither web sockets nor anything else is spoken here

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._answer(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _answer(self, scope: Scope) -> Response | None:
        """What is said instead of the page; None: the page."""
        request = Request(scope)
        if request.headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("This server is not meant by that name.", 421)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Only GET and POST.", 405)
        if request.url.path.startswith(STATIC):
            return None
        if TOKEN in request.query_params and request.method == "GET":
            return self._exchange(request)
        person = self._person(request)
        if person is None:
            return self._no_entry(request)
        scope.setdefault("state", {})["annotator"] = person.name
        return self._refused_post(request, person) if request.method == "POST" else None

    def _exchange(self, request: Request) -> Response:
        """The cookie for the token, and the address without it."""
        if not self._wrong.is_left:
            return _too_many()
        person = self._matching(request.query_params[TOKEN], lambda one: one.token)
        if person is None:
            self._wrong.take()
            return Response(self._refused("This link is wrong or from an earlier start."), 403, media_type="text/html")
        rest = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != TOKEN])
        answer = RedirectResponse(f"/?{rest}" if rest else "/", 303)
        answer.set_cookie(self._cookie, person.session, httponly=True, samesite="strict", path="/")
        return answer

    def _person(self, request: Request) -> Person | None:
        given = request.cookies.get(self._cookie)
        if given is None:
            return None
        person = self._matching(given, lambda one: one.session)
        if person is None:
            self._wrong.take()
        return person

    def _no_entry(self, request: Request) -> Response:
        if request.method == "POST":
            return JSONResponse(
                {"error": "This page is from an earlier start of the server. Open the printed link."}, 403
            )
        if self._cookie in request.cookies and not self._wrong.is_left:
            return _too_many()
        return Response(
            self._refused("This page needs the link that the command printed."), 403, media_type="text/html"
        )

    def _matching(self, given: str, secret: Callable[[Person], str]) -> Person | None:
        found = None
        for one in self._people:  # all of them, so that the time tells nothing
            if hmac.compare_digest(secret(one).encode(), given.encode("utf-8", "replace")):
                found = one
        return found

    def _refused_post(self, request: Request, person: Person) -> Response | None:
        site = request.headers.get("sec-fetch-site", "same-origin")
        if request.headers.get("origin") != f"http://{request.headers['host']}" or site != "same-origin":
            return JSONResponse({"error": "This did not come from a page of this server."}, 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return JSONResponse({"error": "Only JSON is taken."}, 415)
        if not self._posts[person.name].take():
            return JSONResponse({"error": "Too fast; wait a moment and do it again."}, 429, {"retry-after": "1"})
        return None


def _too_many() -> Response:
    return PlainTextResponse("Too many wrong tokens; wait a minute.", 429, {"retry-after": "60"})
