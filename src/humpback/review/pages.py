"""Templates, and what every page and act has in common."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from humpback.errors import WorkspaceError
from humpback.report import text

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

MAX_BODY_BYTES = 1 << 18  # ours: the longest text that is typed is MAX_TYPED_CHARS
MAX_TYPED_CHARS = 20_000  # ours: a few pages
SHOWN_CHARS = 4_000  # ours: some screens of text; the rest unfolds
MOST_CHARS = 2_000_000  # ours: more than this slows browsers down

Act = Callable[["Request", dict[str, Any]], Response]


class RefusedActError(Exception):
    """What the browser asked for cannot be done; the message is shown beside what was typed."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def static_folder() -> Path:
    """Where the style sheet, the script and the icon stand."""
    return Path(__file__).with_name("static")


def render(template: str, **values: Any) -> str:
    """A page or a piece of one; every value is escaped."""
    return _environment().get_template(template).render(**values)


def page(template: str, **values: Any) -> HTMLResponse:
    """A page as an answer."""
    return HTMLResponse(render(template, **values))


def act(change: Act) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of something that changes something: takes a JSON object, gives JSON, also about what failed."""

    async def endpoint(request: Request) -> Response:
        try:
            return change(request, await _body(request))
        except RefusedActError as refused:
            return JSONResponse({"error": str(refused)}, refused.status)
        except WorkspaceError as error:
            return JSONResponse({"error": f"Not saved. {error}"}, 507)

    return endpoint


def typed_text(values: dict[str, Any], name: str) -> str | None:
    """What was typed into a field, stripped; None where nothing was.

    Raises:
        RefusedActError: it is no text, too long, or holds half a character.
    """
    given = values.get(name)
    if given is None:
        return None
    if not isinstance(given, str):
        raise RefusedActError(f"`{name}` is no text.")
    if len(given) > MAX_TYPED_CHARS:
        raise RefusedActError(f"The text has {len(given):,} characters; {MAX_TYPED_CHARS:,} are the most.")
    try:
        given.encode("utf-8")
    except UnicodeEncodeError:
        raise RefusedActError("The text holds half a character (a lone UTF-16 surrogate).") from None
    return given.strip() or None


async def _body(request: Request) -> dict[str, Any]:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise RefusedActError("That is too much at once.", 413)
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RefusedActError("That is no JSON object.")
    return values


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("humpback.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "short", "visible", "link"):
        environment.filters[name] = getattr(text, name)
    environment.filters["ending"] = _ending
    environment.filters["folded"] = lambda value: text.cut(value, SHOWN_CHARS, MOST_CHARS)
    return environment


def _ending(source: str) -> str:
    """The last part of a path, which tells more than its beginning; a host as it is."""
    before, _, last = source.rpartition("/")
    return f"…/{last}" if before else source
