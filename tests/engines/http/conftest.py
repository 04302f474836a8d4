"""A misbehaving server, and engines that ask it with short pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hostile import Hostile

from humpback.config import EngineConfig
from humpback.engines import open_engine
from humpback.models import load_tokenizer


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "server: starts a server of vLLM, of the Python that HUMPBACK_VLLM names")


@pytest.fixture(scope="session")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    from humpback.engines.http import retry, serve

    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(retry, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(serve, "POLL_S", 0.02)


@pytest.fixture
def serve(tokenizer) -> Iterator[Callable[..., Hostile]]:
    """Starts servers."""
    started = []

    def start(**options) -> Hostile:
        started.append(Hostile(tokenizer, **options))
        return started[-1]

    yield start
    for hostile in started:
        hostile.close()


@pytest.fixture
def connect(tiny_model) -> Iterator[Callable[..., object]]:
    """Opens engines on servers."""
    opened = []

    def connect(hostile: Hostile, **settings):
        http = {"url": hostile.url, "model": hostile.name, "timeout_s": 5, "deadline_minutes": 0.2, **settings}
        opened.append(open_engine(EngineConfig(kind="http", http=http), tiny_model, "<|im_end|>"))
        hostile.bodies.clear()
        hostile.times.clear()
        hostile.most_active = 0
        return opened[-1]

    yield connect
    for engine in opened:
        engine.close()
