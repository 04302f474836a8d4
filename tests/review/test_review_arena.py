"""The blind comparison: sides by lot, names nowhere, and figures of those who passed."""

from __future__ import annotations

import json
import re

import pytest
from review_run import HOST
from starlette.testclient import TestClient

from humpback.errors import InputError
from humpback.review.agreement import krippendorff_alpha, wilson
from humpback.review.arena import arena_results, read_arena
from humpback.review.arena.pages import ArenaPages
from humpback.review.arena.results import majority
from humpback.review.arena.votes import votes_of
from humpback.review.guard import Person
from humpback.review.serve import guarded, hosts_of

ORIGIN = f"http://{HOST}"


@pytest.fixture
def arena(outputs, screening):
    return read_arena(outputs("whale"), outputs("minnow"), screening, 0.8, 7)


def opened(arena, run, name="anna", judgements=None):
    person = Person(name)
    pages = ArenaPages(arena, run, [name], judgements)
    app = guarded(pages.routes(), [person], hosts_of("127.0.0.1", 8642))
    client = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN})
    client.get("/", params={"token": person.token})
    return client


def key_of(text):
    return re.search(r'data-key="(\w+)"', text)[1]


def vote_all(arena, run, name, choose):
    """Votes on every question: `choose` gets it and says `a`, `b` or `same`."""
    votes = votes_of(run / "review" / arena.folder_name, name)
    for question in arena.order(name):
        said = choose(question)
        first = "a" if arena.a_is_first(name, question) else "b"
        choice = "same" if said == "same" else "first" if said == first else "second"
        votes.vote(arena, name, question, choice, None)
    return votes


def results(arena, run, judgements=None):
    return arena_results(arena, run / "review" / arena.folder_name, judgements)


def test_sides_are_drawn_for_each_annotator_and_question(outputs):
    arena = read_arena(outputs("whale", 400), outputs("minnow", 400), None, 0.8, 7)
    sides = {name: [arena.a_is_first(name, one) for one in arena.questions] for name in ("anna", "ben")}
    assert sides["anna"] == [arena.a_is_first("anna", one) for one in arena.questions]
    for drawn in sides.values():
        assert 150 < sum(drawn) < 250
    assert 130 < sum(one != other for one, other in zip(*sides.values(), strict=True)) < 270
    assert arena.order("anna") != arena.order("ben")


def test_which_file_comes_first_changes_nothing_that_annotators_see(outputs, screening):
    files = outputs("whale", 30), outputs("minnow", 30)
    one, other = read_arena(*files, screening, 0.8, 7), read_arena(*files[::-1], screening, 0.8, 7)
    assert one.folder_name == other.folder_name

    def seen(arena):
        return [
            (question.key, (question.a, question.b) if arena.a_is_first("anna", question) else (question.b, question.a))
            for question in arena.order("anna")
        ]

    assert seen(one) == seen(other)


def test_screening_questions_are_spread_over_the_whole(outputs, tmp_path):
    file = tmp_path / "screening.json"
    file.write_text(json.dumps([{"instruction": f"Q{n}", "better": "b", "worse": "w"} for n in range(10)]))
    arena = read_arena(outputs("whale", 90), outputs("minnow", 90), file, 0.8, 7)
    order = [one.is_screening for one in arena.order("anna")]
    assert len(order) == 100
    assert all(2 <= sum(order[start : start + 50]) <= 8 for start in (0, 50))
    assert [sum(order[start : start + 20]) for start in range(0, 100, 20)] == pytest.approx([2] * 5, abs=1)


def test_no_name_is_sent_before_the_end(arena, run):
    client = opened(arena, run)
    seen = []
    for number in range(8):
        answer = client.get("/")
        seen.append(answer.text + str(answer.headers))
        assert client.get("/results", follow_redirects=False).status_code == 303
        told = client.post("/vote", json={"key": key_of(answer.text), "choice": "first", "reason": "clear"})
        assert told.json() == {"done": number + 1}
        seen.append(told.text)
    seen.append(client.get("/").text)
    for text in seen:
        for word in ("whale", "minnow", "generator", "screening", "better 0"):
            assert word not in text.replace("is better <kbd>", "")
    assert client.post("/end", json={}).status_code == 200
    page = client.get("/").text
    assert "whale" in page
    assert "minnow" in page
    assert client.post("/undo", json={}).status_code == 409
    assert client.post("/vote", json={"key": "x", "choice": "first"}).status_code == 409


def test_a_restart_goes_on_where_each_annotator_was(arena, run):
    client = opened(arena, run)
    for _ in range(3):
        client.post("/vote", json={"key": key_of(client.get("/").text), "choice": "same"})
    before = client.get("/").text
    again = opened(arena, run)
    assert key_of(again.get("/").text) == key_of(before)
    assert key_of(opened(arena, run, "ben").get("/").text) == arena.order("ben")[0].key
    again.post("/undo", json={})
    assert key_of(again.get("/").text) == arena.order("anna")[2].key


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"key": "other", "choice": "first"}, 409),
        ({"choice": "first"}, 409),
        ({"choice": "a"}, 400),
        ({"choice": ["first"]}, 400),
        ({"choice": "first", "reason": "x" * 20_001}, 400),
        ({"choice": "first", "reason": {"x": 1}}, 400),
    ],
)
def test_what_is_no_vote_is_refused(arena, run, values, status):
    client = opened(arena, run)
    if "key" not in values and values != {"choice": "first"}:
        values = values | {"key": key_of(client.get("/").text)}
    assert client.post("/vote", json=values).status_code == status
    assert client.post("/end", json={}).status_code == 409
    assert client.post("/undo", json={}).status_code == 409
    assert not (run / "review" / arena.folder_name).exists()


def test_wins_are_counted_for_the_model_not_the_side(arena, run):
    texts = {one.key: int(one.a[-1]) if not one.is_screening else -1 for one in arena.order("anna")}
    vote_all(arena, run, "anna", lambda one: "a" if texts[one.key] < 4 else "same" if texts[one.key] == 4 else "b")
    found = results(arena, run)
    assert [found[name]["votes"] for name in ("win", "tie", "loss")] == [4, 1, 1]
    assert found["win"]["share"] == pytest.approx(4 / 6)
    assert found["win"]["interval"] == pytest.approx((0.3000, 0.9032), abs=1e-3)  # statsmodels' proportion_confint
    assert found["krippendorff_alpha"] is None
    swapped = results(read_swapped(arena), run)
    assert [swapped[name]["votes"] for name in ("win", "tie", "loss")] == [1, 1, 4]


def read_swapped(arena):
    from dataclasses import replace

    questions = [one if one.is_screening else replace(one, a=one.b, b=one.a) for one in arena.questions]
    return replace(arena, name_a=arena.name_b, name_b=arena.name_a, questions=questions)


def test_who_misses_the_pass_mark_is_left_out_and_named(arena, run):
    vote_all(arena, run, "anna", lambda one: "a")
    vote_all(arena, run, "ben", lambda one: "b")
    vote_all(arena, run, "cleo", lambda one: "same")
    first = next(one for one in arena.order("dora") if not one.is_screening)
    votes_of(run / "review" / arena.folder_name, "dora").vote(arena, "dora", first, "first", None)
    found = results(arena, run)
    assert found["left_out"] == ["ben", "cleo", "dora"]
    assert found["annotators"]["ben"]["why_left_out"] == "0 of 2 screening questions right, less than 80%"
    assert found["annotators"]["dora"]["why_left_out"] == "has answered no screening question"
    assert found["win"]["share"] == 1
    assert found["votes"] == 6
    client = opened(arena, run, "anna")
    client.post("/end", json={})
    assert "Left out of these figures, below the pass mark of 80 %: ben, cleo, dora" in client.get("/results").text


def test_votes_of_several_do_not_make_the_interval_narrower(arena, run):
    vote_all(arena, run, "anna", lambda one: "a")
    alone = results(arena, run)["win"]["interval"]
    vote_all(arena, run, "ben", lambda one: "a")
    both = results(arena, run)
    assert both["votes"] == 12
    assert both["win"]["interval"] == alone


def test_people_are_compared_with_the_automatic_judge(arena, run, tmp_path):
    vote_all(arena, run, "anna", lambda one: "a")
    rows = []
    for number, one in enumerate(arena.questions):
        swapped = number % 2  # whichever model the judge's file names first
        rows.append(
            {
                "instruction": one.instruction,
                "output_1": one.b if swapped else one.a,
                "output_2": one.a if swapped else one.b,
                "generator_1": "x",
                "generator_2": "y",
                "annotator": "judge",
                "preference": {4: 1.5, 5: None}.get(number, 2.0 if swapped else 1.0) if number else 2.0,
            }
        )
    file = tmp_path / "judged.json"
    file.write_text(json.dumps(rows))
    found = results(arena, run, file)["automatic_judge"]
    assert (found["questions"], found["agreement"]) == (5, 3 / 5)  # one tie, one contradiction, one unread
    assert (found["questions_decided_by_both"], found["agreement_where_decided"]) == (4, 3 / 4)
    for row in rows:
        row["output_1"] = "another answer"
    file.write_text(json.dumps(rows))
    with pytest.raises(InputError, match="none of its 6 annotations"):
        results(arena, run, file)


def test_majority_of_votes():
    said = [{"x": 1, "y": 1, "z": -1}, {"x": 1, "y": -1, "z": 0}, {"x": -1}]
    assert majority(said) == {"x": 1, "y": 0, "z": -1}


def test_alpha_is_that_of_the_literature():
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: nominal 0.743, ordinal 0.815.
    told = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    votes = [{str(n): int(c) for n, c in enumerate(row) if c.isdigit()} for row in told]
    assert krippendorff_alpha(votes, ordinal=False) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(votes, ordinal=True) == pytest.approx(0.815, abs=5e-4)


def test_alpha_is_not_defined_without_two_opinions():
    assert krippendorff_alpha([{"x": 1}], ordinal=True) is None
    assert krippendorff_alpha([{"x": 1}, {"y": 0}], ordinal=True) is None
    assert krippendorff_alpha([{"x": 1}, {"x": 1}], ordinal=True) is None
    assert krippendorff_alpha([], ordinal=True) is None


def test_wilson_does_not_shrink_to_nothing():
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) is None


def test_files_that_do_not_belong_together_are_refused(outputs, tmp_path):
    a = outputs("whale")
    with pytest.raises(InputError, match=r"row 1 has another instruction .*'Question 0\?'.*'Something else\?'"):
        read_arena(a, outputs("minnow", first="Something else?"), None, 0.8, 0)
    with pytest.raises(InputError, match=r"has 6 rows and .* has 5"):
        read_arena(a, outputs("minnow", 5), None, 0.8, 0)
    with pytest.raises(InputError, match="both hold outputs of whale"):
        read_arena(a, a, None, 0.8, 0)
    with pytest.raises(InputError, match="no such file"):
        read_arena(a, tmp_path / "absent.json", None, 0.8, 0)
    mixed = tmp_path / "mixed.json"
    rows = json.loads(a.read_text())
    mixed.write_text(json.dumps([*rows[:5], {**rows[5], "generator": "other"}]))
    with pytest.raises(InputError, match="holds outputs of whale, other"):
        read_arena(a, mixed, None, 0.8, 0)
    mixed.write_text(json.dumps([{"instruction": "x"}]))
    with pytest.raises(InputError, match="row 1: `output` is missing"):
        read_arena(a, mixed, None, 0.8, 0)


def test_hostile_answers_are_text(outputs, run):
    arena = read_arena(outputs("whale", text="<script>window.hacked=1</script>"), outputs("minnow"), None, 0.8, 7)
    text = opened(arena, run).get("/").text
    assert "<script>window" not in text
    assert "&lt;script&gt;window.hacked" in text
