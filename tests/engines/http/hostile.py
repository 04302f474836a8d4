"""A server of completions that answers by a rule, in the manner of several real ones, and misbehaves on demand.

`python hostile.py FOLDER --name m0 --port 8000` serves by itself.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from manners import Fault, completion, fraction, spoil

CONTEXT = 2048
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


class Hostile:
    """One server with one model, whose answers are functions of the prompt's tokens and the seed.

    Manners: `vllm` takes everything; `openai` refuses what it does not know, gives five likely tokens and echoes;
    `llamacpp` ignores what it does not know and has its own form of log-probabilities; `deaf` takes text only and
    ignores every wish for log-probabilities, as the server of transformers does.
    """

    def __init__(self, tokenizer, name: str = "tiny", manner: str = "vllm", port: int = 0) -> None:
        self.tokenizer = tokenizer
        self.name, self.manner = name, manner
        self.answers_as = name
        self.root: str | None = None
        self.max_model_len: int | None = CONTEXT
        self.faults: deque[Fault] = deque()
        self.fault_of: Callable[[dict[str, Any]], Fault | None] = lambda body: None
        self.key: str | None = None
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.has_ids = True
        self.numbers = itertools.count()
        self.active = self.most_active = 0
        self.lock = threading.Lock()
        self.port = port
        self.is_down = True
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def open(self) -> None:
        """Begins to answer, at the same address as before."""
        self._server = Listener(("127.0.0.1", self.port), Handler)
        self._server.hostile = self
        self.port = self._server.server_address[1]
        self.is_down = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stops, and cuts the connections that are open."""
        if not self.is_down:
            self.is_down = True
            self._server.shutdown()
            self._server.server_close()

    def tokens(self, prompt: str | list[int]) -> list[int]:
        return prompt if isinstance(prompt, list) else self.tokenizer(prompt, add_special_tokens=False)["input_ids"]

    def logprob(self, before: list[int], token: int) -> float:
        """Log-probability of a token in its place: a rule of no meaning."""
        return -0.05 - 9 * fraction(before, token)

    def text(self, ids: list[int], seed: int, new: int) -> tuple[str, str]:
        """The continuation, of up to four words, and how it ends."""
        words = ["anchor", "basket", "candle", "silver", "window"]
        drawn = [words[int(5 * fraction(ids, seed, place))] for place in range(1 + int(4 * fraction(ids, seed)))]
        text = " ".join(drawn)
        tokens = self.tokens(text)
        return (text, "stop") if len(tokens) < new else (self.tokenizer.decode(tokens[:new]), "length")


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    hostile: Hostile


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def log_message(self, *arguments: object) -> None:
        """Keeps quiet."""

    def do_GET(self) -> None:
        hostile = self.server.hostile
        if hostile.is_down:
            return self.drop()
        if self.path != "/v1/models":
            return self.reply(404, {"error": {"message": "no such path"}})
        if not self.allowed():
            return None
        entry = {"id": hostile.name, "object": "model", "root": hostile.root, "max_model_len": hostile.max_model_len}
        return self.reply(200, {"object": "list", "data": [entry]})

    def do_POST(self) -> None:
        hostile = self.server.hostile
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if hostile.is_down:
            return self.drop()
        if not self.allowed():
            return None
        with hostile.lock:
            hostile.bodies.append(body)
            hostile.times.append(time.monotonic())
            hostile.active += 1
            hostile.most_active = max(hostile.most_active, hostile.active)
            fault = hostile.faults.popleft() if hostile.faults else hostile.fault_of(body)
        if fault and fault.kind == "delay":
            time.sleep(fault.value)
        with hostile.lock:  # before the answer, after which the next request may come at once
            hostile.active -= 1
        return self.complete(body, fault or Fault("none"))

    def complete(self, body: dict[str, Any], fault: Fault) -> None:
        if self.server.hostile.is_down:
            return self.drop()
        if fault.kind == "drop":
            return self.drop()
        if fault.kind == "status":
            status, *header = fault.value if isinstance(fault.value, tuple) else (fault.value,)
            named = {"Retry-After": header[0]} if header else {}
            said = f"no, {self.headers.get('Authorization', 'stranger')}"
            return self.reply(status, {"error": {"message": said, "code": status}}, named)
        if fault.kind == "rubbish":
            return self.reply(200, fault.value or "<html>busy</html>")
        answer = completion(self.server.hostile, body)
        if isinstance(answer, str):
            return self.reply(400, {"error": {"message": answer, "code": 400}})
        answer["id"] = f"cmpl-{next(self.server.hostile.numbers)}" if self.server.hostile.has_ids else "cmpl-0"
        spoil(answer, fault)
        return self.reply(200, answer, cut=fault.kind == "truncate", copies=2 if fault.kind == "twice" else 1)

    def allowed(self) -> bool:
        key = self.server.hostile.key
        if key is None or self.headers.get("Authorization") == f"Bearer {key}":
            return True
        self.rfile.read(0)
        self.reply(401, {"error": {"message": f"wrong key: {self.headers.get('Authorization')}"}})
        return False

    def drop(self) -> None:
        """Cuts the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def reply(
        self, status: int, content: Any, headers: dict[str, str] | None = None, *, cut: bool = False, copies: int = 1
    ) -> None:
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        stream, self.wfile = self.wfile, io.BytesIO()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        whole, self.wfile = self.wfile.getvalue(), stream
        self.wfile.write(whole * copies)  # at once, so that the client has the copy before it asks again
        if cut:
            self.wfile.flush()
            self.drop()

    def finish(self) -> None:
        if not self.connection._closed:
            super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True


class FileTokenizer:
    """As much of a transformers tokenizer as is needed here, there in a tenth of the time."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._raw = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.eos_token_id = self._raw.token_to_id("<|im_end|>")

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": self._raw.encode(text, add_special_tokens=add_special_tokens).ids}

    def __len__(self) -> int:
        return self._raw.get_vocab_size()

    def decode(self, ids: list[int]) -> str:
        return self._raw.decode(ids, skip_special_tokens=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ends", action="store_true", help="say something and end")
    parser.add_argument("--child", help="start a process that would stay, and write its number to this file")
    options = parser.parse_args()
    if options.ends:
        sys.exit("cannot find the weights")
    if options.child:
        child = subprocess.Popen([sys.executable, "-c", STUBBORN])
        Path(options.child).write_text(str(child.pid))
    hostile = Hostile(FileTokenizer(Path(options.folder)), options.name, port=options.port)
    hostile.root = options.folder
    print("serving", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
