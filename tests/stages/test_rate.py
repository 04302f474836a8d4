"""Rating: the ladder of methods, what each row says of it, and rows that are too long."""

from __future__ import annotations

import pytest

from humpback.config import PromptsConfig, RateConfig
from humpback.engines import Ability
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import EngineError
from humpback.prompts import ChatFormat, PromptContract
from humpback.records import Candidate, Source
from humpback.stages.rate import make_rater, rating_method

SOURCE = Source("file.txt")
ROWS = [Candidate(str(n), f"What is {n}?", f"It is {n} and more.", [], SOURCE) for n in range(40)]


class Limited(ScriptedEngine):
    def __init__(self, *abilities, context=None):
        super().__init__("limited")
        self.abilities = frozenset(abilities)
        self.context = context


def rated(engine, config, rows=ROWS):
    prompts = PromptContract(ChatFormat.plain(), PromptsConfig())
    return make_rater(engine, prompts, config, 0, "ratings-1")(rows)


def test_log_probabilities_are_used_where_they_are_to_be_had():
    ratings = rated(Limited(*Ability), RateConfig(fallback=["chosen", "written"]))
    assert {rating.method for rating in ratings} == {"expected"}
    assert [rating.candidate_id for rating in ratings] == [row.id for row in ROWS]
    assert all(1 <= rating.rating <= 5 and len(rating.probabilities) == 5 for rating in ratings)


def test_the_first_fallback_that_the_engine_can_do_is_taken_and_noted():
    can_choose, cannot = Limited(Ability.CHOOSING), Limited()
    both = RateConfig(fallback=["chosen", "written"])
    assert rating_method(can_choose, both) == "chosen"
    assert rating_method(cannot, both) == "written"
    chosen = rated(can_choose, both)
    assert {rating.method for rating in chosen} == {"chosen"}
    assert {rating.rating for rating in chosen} <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert len({rating.rating for rating in chosen}) > 2
    written = rated(cannot, both)
    assert {rating.method for rating in written} == {"written"}
    assert all((rating.rating is None) == (rating.unparsed_reason is not None) for rating in written)
    assert sum(rating.rating is not None for rating in written) > 30


def test_without_leave_to_fall_back_it_stops_and_says_which_option_gives_it():
    with pytest.raises(EngineError, match=r"rate\.method: expected needs .*rate\.fallback"):
        rating_method(Limited(Ability.CHOOSING), RateConfig())
    assert rating_method(Limited(), RateConfig(method="written")) == "written"


def test_an_answer_that_is_none_of_the_choices_is_no_rating():
    class Disobedient(Limited):
        def generate(self, requests, sampling):
            return [answer.__class__(answer.row_id, " 7", "end", 1) for answer in super().generate(requests, sampling)]

    ratings = rated(Disobedient(Ability.CHOOSING), RateConfig(fallback=["chosen"]))
    assert {(rating.rating, rating.unparsed_reason) for rating in ratings} == {(None, "no_choice")}


def test_rows_too_long_for_the_context_are_rated_without_the_end_of_their_instruction_or_not_at_all():
    engine = Limited(*Ability, context=600)
    long_instruction = Candidate("a", " ".join(["why"] * 2000), "An answer.", [], SOURCE)
    long_answer = Candidate("b", "Why?", " ".join(["because"] * 2000), [], SOURCE)
    ratings = rated(engine, RateConfig(), [ROWS[0], long_instruction, long_answer, ROWS[1]])
    assert [rating.candidate_id for rating in ratings] == ["0", "a", "b", "1"]
    assert [rating.instruction_cut for rating in ratings] == [False, True, False, False]
    assert ratings[1].rating is not None
    assert (ratings[2].rating, ratings[2].unparsed_reason) == (None, "prompt_too_long")
