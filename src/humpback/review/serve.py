"""Starts the web server of a review: its socket, its lock, and the addresses to open."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.errors import InputError, MissingDependencyError, WorkspaceError
from humpback.review.acts import REVIEW_FOLDER
from humpback.workspace import disk_errors_explained

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from humpback.review.guard import Person

LOCALHOST = ("127.0.0.1", "localhost", "[::1]")
MOST_CONNECTIONS = 64  # ours: browsers open six each


def check_installed() -> None:
    """Passes when the packages of the server are there.

    Raises:
        MissingDependencyError: one is missing.
    """
    try:
        import starlette
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f'the review pages need {error.name}; install it with `pip install "humpback[review]"`'
        ) from None
    assert starlette


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_of(host: str, port: int) -> list[str]:
    """The names, with ports, by which browsers may call the server; the one that is printed comes first."""
    name = f"[{host}]" if ":" in host else host
    names = [name.lower(), *(LOCALHOST if is_loopback(host) else ())]
    found = [f"{one}:{port}" for one in dict.fromkeys(names)]
    return found + ([one.removesuffix(":80") for one in found] if port == 80 else [])  # browsers leave 80 out


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        InputError: the address is not one, stands for every address of the machine, or is in use.
    """
    if _stands_for_all(host):
        raise InputError(
            f"--host {host}: give the one address or name under which browsers reach this machine; requests by any "
            "other name are refused"
        )
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot listen on {host} port {port} ({reason}); give another --port (0 takes any free one) or --host"
        ) from None


def _stands_for_all(host: str) -> bool:
    try:
        return ipaddress.ip_address(host or "0.0.0.0").is_unspecified  # noqa: S104 - it is refused
    except ValueError:
        return False  # a name


def guarded(
    routes: Sequence[BaseRoute],
    people: Sequence[Person],
    hosts: Sequence[str],
    clock: Callable[[], float] | None = None,
) -> ASGIApp:
    """The application: these pages, the files they need, and the guard around all of it."""
    import time

    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from humpback.review.guard import Guard
    from humpback.review.pages import render, static_folder

    files = Mount("/static", StaticFiles(directory=static_folder()))
    return Guard(
        Starlette(routes=[*routes, files]),
        hosts,
        people,
        lambda why: render("refused.html.jinja", why=why),
        clock or time.monotonic,
    )


@contextmanager
def one_at_a_time(run: Path) -> Iterator[None]:
    """Holds the run's review for this process; the system lets go of it however the process ends.

    Raises:
        WorkspaceError: another process holds it, or the folder cannot be written.
    """
    folder = run / REVIEW_FOLDER
    with disk_errors_explained(folder):
        folder.mkdir(exist_ok=True)
        file = (folder / ".lock").open("a")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceError(
                f"{run}: is being reviewed by another process; stop that one, or name all annotators in one command "
                "(--annotator NAME --annotator NAME)"
            ) from None
        yield


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answers until it is interrupted; requests that have begun are finished.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    import uvicorn

    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        http="h11",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(settings).run(sockets=[listening])
