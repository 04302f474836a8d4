"""A server may answer what it likes: it costs no memory, gets no key that is not its own, and moves no terminal."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import zstandard

from humpback.config import HttpConfig
from humpback.engines.http import client as clients
from humpback.engines.http.client import Client, NoAnswerError, RefusedError

KEY = "a-very-secret-key"
Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], tuple[str, list[str]]]]:
    """Starts servers that answer everything alike; the address and the paths that were asked for."""
    servers = []

    def start(answer: Answer) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.path} {self.headers.get('Authorization')} {self.headers['Accept-Encoding']}")
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/v1", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(url: str, key: str | None = None) -> Exception:
    client = Client(HttpConfig(url=url, timeout_s=20), key)
    try:
        client.run(client.models())
    except (NoAnswerError, RefusedError) as error:
        return error
    finally:
        client.close()
    raise AssertionError("it was taken for an answer")


def reply(status: int, body: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_an_endless_answer_is_given_up(served, monkeypatch):
    monkeypatch.setattr(clients, "MAX_ANSWER_BYTES", 1_000_000)
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while len(sent) < 2000:
                sent.append(handler.wfile.write(bytes(100_000)))
        except OSError:
            return

    url, _ = served(endless)
    assert "endless answer" in str(ask(url))
    assert len(sent) < 2000


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("br, identity", bytes)]
)
def test_a_packed_answer_is_not_unpacked(served, encoding, pack):
    url, asked = served(reply(200, pack(bytes(50_000_000)), Content_Encoding=encoding))
    assert "packed answer" in str(ask(url))
    assert asked == ["/v1/models None identity"]


def test_the_key_follows_no_redirect(served):
    other, asked_there = served(reply(200, b"{}"))
    url, asked = served(reply(307, b"", Location=other))
    assert "307" in str(ask(url, KEY))
    assert asked == [f"/v1/models Bearer {KEY} identity"]
    assert asked_there == []


def test_what_a_server_says_cannot_drive_the_terminal(served, capsys):
    from humpback.cli import app
    from humpback.errors import EngineError

    url, _ = served(reply(400, b'{"error": "no\x1b]0;owned\x07\x1b[2J \\u001b[31m\\u202e"}'))
    app._print_error(EngineError(str(ask(url))))
    printed = capsys.readouterr().err
    assert "no<1b>]0;owned" in printed
    assert not set("\x1b\x07\u202e") & set(printed)
