"""Servers that Humpback starts, and what is said when none is there."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import hostile
import pytest

from humpback.config import EngineConfig, parse_config
from humpback.engines import GenerationRequest, Sampling, open_engine
from humpback.engines.http.setup import check_settings
from humpback.errors import ConfigError, EngineError

COMMAND = f"{sys.executable} {hostile.__file__} {{folder}} --name {{name}}"
SAMPLING = Sampling(0.9, 0.95, 40)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def config(port: int, **settings) -> EngineConfig:
    http = {"url": f"http://127.0.0.1:{port}/v1", "timeout_s": 5, "deadline_minutes": 0.5, **settings}
    return EngineConfig(kind="http", http=http)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int, within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_is_started_for_the_model_and_ended_with_its_children(tiny_model, tmp_path, port):
    child = tmp_path / "child"
    settings = config(port, start=f"{COMMAND} --port {port} --child {child}")
    for _ in range(2):  # one model after another, at the same address
        engine = open_engine(settings, tiny_model, "<|im_end|>")
        (answer,) = engine.generate([GenerationRequest("x", "anchor", 3)], SAMPLING)
        assert answer.text
        assert is_alive(int(child.read_text()))
        engine.close()
        assert gone(int(child.read_text()), 2)
        assert not answers(port)


def test_a_server_ends_with_a_process_that_is_killed(tiny_model, tmp_path, port):
    child = tmp_path / "child"
    script = tmp_path / "parent.py"
    script.write_text(
        "import time\nfrom pathlib import Path\n"
        "from humpback.config import EngineConfig\nfrom humpback.engines import open_engine\n"
        f"http = {{'url': 'http://127.0.0.1:{port}/v1', 'start': {COMMAND + f' --port {port} --child {child}'!r}}}\n"
        f"engine = open_engine(EngineConfig(kind='http', http=http), Path({str(tiny_model)!r}), '<|im_end|>')\n"
        "print('open', flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "open\n"
    assert answers(port)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(int(child.read_text()))
    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_server_ends_with_its_guard(tiny_model, port):
    engine = open_engine(config(port, start=f"{COMMAND} --port {port}"), tiny_model, "<|im_end|>")
    try:
        guard = engine._server._guard.pid
        server = int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])
        os.kill(guard, signal.SIGKILL)
        assert gone(server)
    finally:
        engine.close()


def test_a_command_that_ends_is_quoted_with_its_last_words(tiny_model, port):
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"--ends` ended with 1; its log is .*\.log and ends with\n  cannot find the"):
        open_engine(config(port, start=f"{COMMAND} --port {port} --ends"), tiny_model, "<|im_end|>")
    assert time.monotonic() - began < 10


def test_a_server_that_ends_in_the_middle_is_not_waited_for(tiny_model, tmp_path, port):
    settings = config(port, start=f"{COMMAND} --port {port}")
    engine = open_engine(settings, tiny_model, "<|im_end|>")
    try:
        # The server is the only child of the guard.
        guard = engine._server._guard.pid
        server = int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])
        os.kill(server, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(EngineError, match=r"ended with -?\d+; its log is"):
            engine.generate([GenerationRequest("x", "anchor", 3)], SAMPLING)
        assert time.monotonic() - began < 10
    finally:
        engine.close()


def test_a_command_that_serves_another_name(tiny_model, port):
    start = f"{sys.executable} {hostile.__file__} {{folder}} --name other --port {port}"
    with pytest.raises(EngineError, match="serves other, not tiny"):
        open_engine(config(port, start=start), tiny_model, "<|im_end|>")
    assert not answers(port)


def test_a_command_that_never_answers(tiny_model, port):
    start = f"{sys.executable} -c 'import time; print(12); time.sleep(60)'"
    with pytest.raises(
        EngineError, match=r"does not serve the model after 0\.01 minutes: connection[^;]*;[^\n]*\n  12"
    ):
        open_engine(config(port, start=start, deadline_minutes=0.01), tiny_model, "<|im_end|>")


def test_an_address_that_is_taken(tiny_model, serve):
    other = serve(name="old")
    settings = config(other.port, start=f"{COMMAND} --port {other.port}")
    with pytest.raises(EngineError, match=r"a server answers at \S+ already, with old; end it"):
        open_engine(settings, tiny_model, "<|im_end|>")


def test_no_server_at_all(tiny_model, port):
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        open_engine(config(port), tiny_model, "<|im_end|>")
    assert time.monotonic() - began < 5, "nothing is waited for that nobody has started"
    message = str(caught.value)
    assert f"http://127.0.0.1:{port}/v1: no server answers: connection" in message
    assert f"vllm serve {shlex.quote(str(tiny_model))} --served-model-name tiny --port {port}" in message


def test_a_server_that_is_still_loading(tiny_model, serve, connect, monkeypatch):
    loading = serve()
    usual, seen = hostile.Handler.do_GET, []

    def not_yet(handler):
        seen.append(handler.path)
        return handler.reply(503, {"error": {"message": "Loading model"}}) if len(seen) < 5 else usual(handler)

    monkeypatch.setattr(hostile.Handler, "do_GET", not_yet)
    assert connect(loading).generate([GenerationRequest("x", "anchor", 3)], SAMPLING)
    assert len(seen) == 5


def test_something_else_at_the_address(tiny_model, serve):
    other = serve()
    http = {"url": other.url.removesuffix("/v1"), "timeout_s": 5}
    with pytest.raises(EngineError, match=r"/models: 404 no such path; engine\.http\.url must be that of an OpenAI"):
        open_engine(EngineConfig(kind="http", http=http), tiny_model, "<|im_end|>")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"start": "no-such-program {folder}"}, "no-such-program: no such program"),
        ({"start": "'open"}, "quote it as in a shell"),
        ({"start": " "}, "names no program"),
        ({"api_key_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE: no such environment variable"),
    ],
)
def test_settings_are_looked_at_before_anything_runs(settings, problem):
    with pytest.raises(EngineError, match=problem):
        check_settings(config(8000, **settings).http)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@host/v1",
        "http://host/v1?key=secret",
        "ftp://host",
        "host:8000/v1",
        "http://host:99999",
        "http://[",
    ],
)
def test_addresses_that_are_refused_and_never_repeated(url):
    with pytest.raises(ConfigError) as caught:
        parse_config(f"model: m\nseed: s\ncorpus: c\nengine:\n  http:\n    url: '{url}'\n")
    (problem,) = caught.value.problems
    assert "engine.http: url: " in problem
    assert "secret" not in problem
