"""A web server with bad habits, on the loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_host import Web

from humpback.inputs import retries


@pytest.fixture
def web(monkeypatch) -> Iterator[Web]:
    pytest.importorskip("aiohttp", reason='https:// needs `pip install "humpback[remote]"`')
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.02, 0.03))
    server = Web()
    yield server
    server.server.shutdown()
    server.server.server_close()
