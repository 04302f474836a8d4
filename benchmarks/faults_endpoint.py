"""Servers that fail in every way that servers fail: is a row lost, doubled or mixed up, how long does it take?"""

from __future__ import annotations

import logging
import random
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults_kills import test_code

from humpback.config import EngineConfig, HttpConfig
from humpback.engines import Generation, GenerationRequest, Sampling, open_engine
from humpback.engines.http import retry
from humpback.errors import HumpbackError

SAMPLING = Sampling(0.9, 0.95, 40)
TIMEOUT_S = 3.0
DEADLINE_MINUTES = 2.0
TWO_CHOICES = '{"choices": [{"text": "a", "finish_reason": "stop"}, {"text": "b", "finish_reason": "stop"}]}'

FaultOf = Callable[[int], Any]
"""The fault of the n-th request, or None."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one server: rows without an answer, answered twice, or with another row's answer."""

    what: str
    rows: int
    requests: int
    lost: int
    doubled: int
    wrong: int
    seconds: float
    lines: int
    said: str

    @property
    def is_right(self) -> bool:
        """Whether every row has its own answer, once."""
        return not (self.lost or self.doubled or self.wrong)


def scenarios(seed: int, rows: int) -> dict[str, FaultOf]:
    """The faults of each server that is asked for so many rows, by its name."""
    fault = test_code("manners", "engines", "http").Fault
    generator = random.Random(seed)

    def share(part: float, kind: str, value: object = None) -> FaultOf:
        return lambda number: fault(kind, value) if generator.random() < part else None

    return {
        "none": lambda number: None,
        "429 storm: 9 of 10 requests, for as many as there are rows": lambda number: (
            fault("status", (429, "0.05")) if number % 10 and number < rows else None
        ),
        "5 % 500s": share(0.05, "status", 500),
        "20 % resets in the middle of the body": share(0.2, "truncate"),
        "20 % JSON that ends early": share(0.2, "rubbish", '{"choices": [{"text": "anch'),
        "answers overtake one another": lambda number: fault("delay", 0.2 * generator.random()),
        "20 % two answers in one": share(0.2, "rubbish", TWO_CHOICES),
        "20 % the same answer sent twice": share(0.2, "twice"),
        "20 % by another model": share(0.2, "wrong_model"),
        "2 % answers after the time limit": share(0.02, "delay", TIMEOUT_S + 1),
    }


@contextmanager
def quick_pauses() -> Iterator[None]:
    """Pauses of a tenth, so that what is measured is not waiting alone."""
    before = retry.FIRST_PAUSE_S, retry.LONGEST_PAUSE_S
    retry.FIRST_PAUSE_S, retry.LONGEST_PAUSE_S = 0.05, 3.0
    try:
        yield
    finally:
        retry.FIRST_PAUSE_S, retry.LONGEST_PAUSE_S = before


class Lines(logging.Handler):
    """Counts what a user would see."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line."""
        self.lines.append(record.getMessage())


@contextmanager
def listening() -> Iterator[Lines]:
    """What is logged meanwhile."""
    logger, heard = logging.getLogger("humpback"), Lines()
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        yield heard
    finally:
        logger.removeHandler(heard)


def server(folder: Path) -> Any:
    """A server of the tests, with the tokenizer in `folder`."""
    module = test_code("hostile", "engines", "http")
    return module.Hostile(module.FileTokenizer(folder), "tiny")


def ask(
    what: str,
    folder: Path,
    rows: int,
    fault_of: FaultOf,
    concurrency: int = 64,
    manner: str = "vllm",
    timeout_s: float = TIMEOUT_S,
) -> Answered:
    """Asks a server that has these faults for `rows` answers."""
    hostile = server(folder)
    hostile.manner = manner
    count = 0

    def next_fault(body: dict[str, Any]) -> Any:
        nonlocal count
        count += 1
        return fault_of(count)

    http = HttpConfig(
        url=hostile.url, model="tiny", concurrency=concurrency, timeout_s=timeout_s, deadline_minutes=DEADLINE_MINUTES
    )
    requests = [GenerationRequest(f"row{n}", f"anchor {n} basket", n) for n in range(rows)]
    answers: list[Generation] = []
    said = ""
    with quick_pauses(), listening() as heard:
        engine = open_engine(EngineConfig(kind="http", http=http), folder, "<|im_end|>")
        hostile.bodies.clear()
        heard.lines.clear()
        hostile.fault_of = next_fault
        began = time.monotonic()
        try:
            answers = engine.generate(requests, SAMPLING)
        except HumpbackError as error:
            said = str(error)
        seconds = time.monotonic() - began
        engine.close()
    hostile.close()
    return compared(what, hostile, requests, answers, (len(hostile.bodies), seconds, heard.lines, said))


def compared(
    what: str,
    hostile: Any,
    requests: list[GenerationRequest],
    answers: list[Generation],
    told: tuple[int, float, list[str], str],
) -> Answered:
    """Holds the answers against what the server's rule gives."""
    sent, seconds, lines, said = told
    given = [answer.row_id for answer in answers]
    texts = {answer.row_id: answer.text for answer in answers}
    ids = {request.row_id: hostile.tokens(request.prompt) for request in requests}
    wanted = {one.row_id: hostile.text(ids[one.row_id], one.seed, SAMPLING.max_new_tokens)[0] for one in requests}
    return Answered(
        what,
        len(requests),
        sent,
        lost=len(wanted.keys() - texts.keys()),
        doubled=len(given) - len(set(given)),
        wrong=sum(texts[name] != wanted[name] for name in texts),
        seconds=seconds,
        lines=len(lines),
        said=said or (lines[-1].partition("; ")[2] if lines else ""),
    )


def certificate(folder: Path, scratch: Path) -> Answered:
    """A server whose certificate nobody signed; skipped, with that message, where there is no `openssl`."""
    what = "a certificate that nobody signed"
    key, signed = scratch / "key.pem", scratch / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(signed)]
    try:
        subprocess.run([*make, *subject], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return Answered(what, 0, 0, 0, 0, 0, 0.0, 0, "skipped: no openssl")
    hostile = server(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    hostile._server.socket = context.wrap_socket(hostile._server.socket, server_side=True)
    url = hostile.url.replace("http:", "https:")
    began, said = time.monotonic(), "NOT REFUSED"
    with listening() as heard:
        try:
            open_engine(EngineConfig(kind="http", http=HttpConfig(url=url, model="tiny")), folder, "<|im_end|>").close()
        except HumpbackError as error:
            said = str(error)
    seconds = time.monotonic() - began
    hostile.close()
    return Answered(what, 0, 0, 0, 0, 0, seconds, len(heard.lines), said)
