"""A server that fails in every way that servers fail: no row is lost, doubled, mixed up or waited for for ever."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from email.utils import formatdate

import pytest
from manners import Fault, fraction

from humpback.engines import ChoiceRequest, GenerationRequest, Sampling
from humpback.engines.http import client, retry
from humpback.errors import EngineError

SAMPLING = Sampling(0.9, 0.95, 40)


def asked(count: int) -> list[GenerationRequest]:
    return [GenerationRequest(f"row{n}", f"anchor {n} basket", n) for n in range(count)]


@pytest.fixture
def wanted(tokenizer):
    """The text that a server must give for a request."""

    def text(hostile, request: GenerationRequest) -> str:
        ids = tokenizer(request.prompt, add_special_tokens=False)["input_ids"]
        return hostile.text(ids, request.seed, SAMPLING.max_new_tokens)[0]

    return text


def check(hostile, wanted, answers, count: int) -> None:
    assert [answer.row_id for answer in answers] == [request.row_id for request in asked(count)]
    assert [answer.text for answer in answers] == [wanted(hostile, request) for request in asked(count)]


FAULTS = {
    "drop": ("drop", None, "connection"),
    "truncated": ("truncate", None, "connection"),
    "429": ("status", 429, "429"),
    "408": ("status", 408, "408"),
    "500": ("status", 500, "500"),
    "503": ("status", 503, "503"),
    "html": ("rubbish", None, "malformed answer"),
    "no json": ("rubbish", "{", "malformed answer"),
    "a list": ("rubbish", "[]", "malformed answer"),
    "other fields": ("rubbish", '{"choices": [{"message": {}}]}', "malformed answer"),
    "wrong model": ("wrong_model", None, "answer of another model"),
    "no choice": ("empty", None, "empty answer"),
    "given up": ("finish", "abort", "unfinished answer"),
    "unfinished": ("finish", None, "unfinished answer"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_passes_and_is_counted(serve, connect, wanted, caplog, name):
    kind, value, reason = FAULTS[name]
    hostile = serve()
    engine = connect(hostile)
    hostile.faults.extend([Fault(kind, value)] * 5)
    with caplog.at_level(logging.INFO, "humpback"):
        answers = engine.generate(asked(12), SAMPLING)
    check(hostile, wanted, answers, 12)
    assert len(hostile.bodies) == 17
    assert f"12 rows, 17 requests, {seconds(caplog)} s; asked again: 5 x {reason}" in caplog.messages[-1]


def seconds(caplog) -> str:
    return caplog.messages[-1].partition("requests, ")[2].partition(" s;")[0]


def test_an_answer_sent_twice_is_not_taken_for_the_next_one(serve, connect, wanted, caplog):
    hostile = serve()
    engine = connect(hostile)
    hostile.fault_of = lambda body: Fault("twice") if len(hostile.bodies) % 5 == 0 else None
    with caplog.at_level(logging.INFO, "humpback"):
        answers = engine.generate(asked(200), SAMPLING)
    check(hostile, wanted, answers, 200)
    assert "answer sent twice" in caplog.messages[-1]


def test_a_server_without_ids_of_its_own_is_believed(serve, connect, wanted):
    hostile = serve()
    hostile.has_ids = False
    engine = connect(hostile)
    check(hostile, wanted, engine.generate(asked(12), SAMPLING), 12)
    assert not engine._client._ids_differ


def test_a_request_that_takes_too_long_is_sent_again(serve, connect, wanted, caplog):
    hostile = serve()
    engine = connect(hostile, timeout_s=1.5)
    hostile.faults.extend([Fault("delay", 4.0)] * 3)
    with caplog.at_level(logging.INFO, "humpback"):
        check(hostile, wanted, engine.generate(asked(12), SAMPLING), 12)
    assert "3 x timeout" in caplog.messages[-1]


def test_everything_at_once(serve, connect, wanted):
    """A third of all requests fail, each in its way, and no request is quicker than the one before."""
    hostile = serve()
    engine = connect(hostile, concurrency=16, timeout_s=2)
    kinds = [Fault(kind, value) for kind, value, _ in FAULTS.values()]
    seen = 0

    def fault_of(body):
        nonlocal seen
        seen += 1
        draw = fraction("fault", seen)
        return kinds[int(draw * 3 * len(kinds))] if draw < 1 / 3 else Fault("delay", 0.02 * fraction("delay", seen))

    hostile.fault_of = fault_of
    answers = engine.generate(asked(300), SAMPLING)
    check(hostile, wanted, answers, 300)
    assert len(hostile.bodies) > 350


def test_answers_that_overtake_one_another_keep_their_rows(serve, connect, wanted):
    hostile = serve()
    engine = connect(hostile, concurrency=8)
    hostile.fault_of = lambda body: Fault("delay", 0.15 if body["seed"] % 8 == 0 else 0.0)
    check(hostile, wanted, engine.generate(asked(40), SAMPLING), 40)
    assert [body["seed"] for body in hostile.bodies[:8]] != list(range(40))[-8:]


@pytest.mark.parametrize("limit", [1, 5])
def test_never_more_requests_than_allowed(serve, connect, limit):
    hostile = serve()
    engine = connect(hostile, concurrency=limit)
    hostile.fault_of = lambda body: Fault("delay", 0.02 * limit)
    engine.generate(asked(30), SAMPLING)
    assert hostile.most_active == limit
    rows = [ChoiceRequest(f"row{n}", f"anchor {n}") for n in range(10)]
    engine.choice_logprobs(rows, (" silver window", " q"))
    assert hostile.most_active == limit


def test_waiting_for_a_turn_is_not_waiting_for_an_answer(serve, connect):
    hostile = serve()
    engine = connect(hostile, concurrency=1, timeout_s=1.5)
    hostile.fault_of = lambda body: Fault("delay", 0.1)
    engine.generate(asked(20), SAMPLING)
    assert len(hostile.bodies) == 20


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(serve, connect, form):
    hostile = serve()
    engine = connect(hostile)
    header = "0.6" if form == "seconds" else formatdate(math.ceil(time.time()) + 1, usegmt=True)
    hostile.faults.append(Fault("status", (429, header)))
    engine.generate(asked(1), SAMPLING)
    first, second = hostile.times
    assert 0.55 < second - first < 4


def test_pauses_grow_are_spread_and_have_a_limit(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 1.0)
    monkeypatch.setattr(retry, "LONGEST_PAUSE_S", 8.0)
    for attempt, longest in ((1, 1), (2, 2), (4, 8), (50, 8)):
        drawn = [retry.pause(attempt, 0.0) for _ in range(300)]
        assert 0 <= min(drawn) < 0.1 * longest
        assert 0.9 * longest < max(drawn) <= longest
    assert retry.pause(1, 5.0) >= 5.0
    assert retry.retry_after_s("nonsense") == 0.0
    assert retry.retry_after_s("-3") == 0.0
    assert retry.retry_after_s(None) == 0.0


def test_a_row_that_fails_for_too_long_stops_the_call(serve, connect):
    hostile = serve()
    engine = connect(hostile, deadline_minutes=0.4 / 60, concurrency=4)
    hostile.fault_of = lambda body: Fault("status", 503) if body["seed"] == 7 else None
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        engine.generate(asked(12), SAMPLING)
    assert 0.3 < time.monotonic() - began < 5
    message = str(caught.value)
    assert "no answer to row row7 for" in message
    assert "503 (no, stranger); 11 of 12 rows asked for were done" in message
    assert "goes on at this shard" in message
    hostile.fault_of = lambda body: None
    assert len(engine.generate(asked(12), SAMPLING)) == 12, "the engine can be used further"


def test_a_long_retry_after_does_not_outlast_the_deadline(serve, connect):
    hostile = serve()
    engine = connect(hostile, deadline_minutes=0.3 / 60)
    hostile.fault_of = lambda body: Fault("status", (429, "3600"))
    began = time.monotonic()
    with pytest.raises(EngineError, match="429"):
        engine.generate(asked(1), SAMPLING)
    assert time.monotonic() - began < 5


def test_a_server_that_goes_away_and_returns(serve, connect, wanted, caplog):
    hostile = serve()
    engine = connect(hostile, concurrency=4)
    hostile.fault_of = lambda body: Fault("delay", 0.02)
    answers = []
    with caplog.at_level(logging.INFO, "humpback"):
        asking = threading.Thread(target=lambda: answers.extend(engine.generate(asked(60), SAMPLING)))
        asking.start()
        while len(hostile.bodies) < 20:
            time.sleep(0.005)
        hostile.close()
        time.sleep(0.6)
        hostile.open()
        asking.join(20)
    check(hostile, wanted, answers, 60)
    assert "x connection" in caplog.messages[-1]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1, "one line a minute, however many requests fail"


def test_news_once_a_minute(serve, connect, caplog, monkeypatch):
    monkeypatch.setattr(client, "SAY_EVERY_S", 0.1)
    hostile = serve()
    engine = connect(hostile, deadline_minutes=0.5 / 60)
    hostile.fault_of = lambda body: Fault("status", 500)
    with caplog.at_level(logging.WARNING, "humpback"), pytest.raises(EngineError):
        engine.generate(asked(30), SAMPLING)
    assert 2 <= len(caplog.messages) <= 6
    assert "asking again, for up to" in caplog.messages[0]


def test_an_interrupt_ends_the_call_at_once(serve, connect):
    hostile = serve()
    engine = connect(hostile, concurrency=2)
    hostile.fault_of = lambda body: Fault("delay", 0.1)
    main = threading.main_thread().ident
    threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        engine.generate(asked(400), SAMPLING)
    assert time.monotonic() - began < 5, "all rows together would take 20 s"
    engine._client.run(settled())
    count = len(hostile.bodies)
    time.sleep(0.4)
    assert len(hostile.bodies) == count, "nothing is asked any more"


async def settled() -> None:
    import asyncio

    await asyncio.sleep(0.05)
