"""A web server on the loopback with bad habits."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONG = b"".join(b"line %d of a long file\n" % number for number in range(600_000))
"""More than the 5 MiB that are asked for at once."""


@dataclass
class Page:
    """What the server has at one path, and how it misbehaves."""

    body: bytes
    ranges: bool = True
    fails: list[int] = field(default_factory=list)
    """Statuses of the first answers to GET."""
    breaks_at: int | None = None
    """The byte behind which the connection is cut."""
    breaks: int = 1 << 30
    """How often it is."""
    becomes: bytes | None = None
    """What stands there after the first break."""
    head: bool = True


class Web:
    """The server: `pages` by path; `asked` counts requests."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: Counter[str] = Counter()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path: str, body: bytes = LONG, **habits) -> str:
        """Puts a page there; returns its address."""
        self.pages[path] = Page(body, **habits)
        return f"http://127.0.0.1:{self.server.server_port}/{path}"


def handler_for(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(head=True)

        def do_GET(self) -> None:
            self.answer(head=False)

        def answer(self, head: bool) -> None:
            web.asked[self.command] += 1
            page = web.pages.get(self.path.partition("?")[0].lstrip("/"))
            if page is None or (head and not page.head):
                self.send_error(404 if page is None else 405)
                return
            if page.fails:
                self.send_error(page.fails[0] if head else page.fails.pop(0))
                return
            start, end = 0, len(page.body)
            asked = self.headers.get("Range")
            if page.ranges and asked:
                first, last = asked.removeprefix("bytes=").split("-")
                start, end = int(first), min(end, int(last) + 1 if last else end)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(page.body)}")
            else:
                self.send_response(200)
            if page.ranges:
                self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            if not head:
                self.send_body(page, start, end)

        def send_body(self, page: Page, start: int, end: int) -> None:
            whole = page.body[start:end]
            if page.breaks_at is None or not page.breaks or not start <= page.breaks_at < end - 1:
                self.wfile.write(whole)
                return
            page.breaks -= 1
            self.wfile.write(whole[: page.breaks_at - start])
            self.wfile.flush()
            self.close_connection = True
            page.body = page.becomes or page.body

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the reader has gone
                self.close_connection = True

    return Handler
