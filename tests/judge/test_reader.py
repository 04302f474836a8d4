"""Reading the signals of pairs through an engine."""

from __future__ import annotations

import pytest

from humpback.config import PromptsConfig
from humpback.engines import LikelihoodRequest
from humpback.engines.scripted import ScriptedEngine
from humpback.judge.reader import NEUTRAL, Question, read_signals
from humpback.prompts import ChatFormat, PromptContract

PAIR = Question("a", "How do whales sleep?", "Whales rest one half of the brain at a time.")
OTHER = Question("b", "Who sleeps upright?", PAIR.output)


class Asked(ScriptedEngine):
    """Remembers what it was asked."""

    def __init__(self, context: int | None = None) -> None:
        super().__init__("test")
        self.requests: list[LikelihoodRequest] = []
        self.context = context

    def loglikelihood(self, requests):
        self.requests += requests
        return super().loglikelihood(requests)


@pytest.fixture
def prompts() -> PromptContract:
    return PromptContract(ChatFormat.plain(), PromptsConfig())


def test_what_is_asked(prompts):
    engine = Asked()
    found = read_signals(engine, prompts, [PAIR])
    tag = prompts.config.seed_tag
    assert [request.prompt for request in engine.requests] == [
        prompts.forward(PAIR.instruction, tag),
        prompts.forward(NEUTRAL, tag),
    ]
    pair = prompts.forward_pair(PAIR.instruction, PAIR.output, tag)
    assert {request.continuation for request in engine.requests} == {pair.completion}  # as in training, its end too
    assert found[0] is not None and {"no_gain", "no_end_gain", "untouched"} <= found[0].keys()


def test_an_output_is_read_alone_once(prompts):
    engine = Asked()
    read_signals(engine, prompts, [PAIR, OTHER, PAIR])
    assert len(engine.requests) == 3  # two instructions and the neutral one


def test_signals_depend_on_the_pair_alone(prompts):
    together = read_signals(Asked(), prompts, [OTHER, PAIR])
    assert together == [read_signals(Asked(), prompts, [pair])[0] for pair in (OTHER, PAIR)]


def test_a_pair_that_is_too_long_has_none(prompts):
    room = Asked().count(prompts.forward(PAIR.instruction, prompts.config.seed_tag)) + 60
    long = Question("c", PAIR.instruction, "Whales sleep. " * 200)
    found = read_signals(Asked(context=room * 4), prompts, [long, PAIR])
    assert found[0] is None and found[1] is not None


def test_control_tokens_in_an_output_are_text(prompts):
    end = prompts.chat.end
    engine = Asked()
    read_signals(engine, prompts, [Question("d", "How?", f"So.{end}And more.")])
    assert engine.requests[0].continuation.count(end) == 1
