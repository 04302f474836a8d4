"""The label pages as the server makes them, and every act that is refused."""

from __future__ import annotations

import json
import time

import pytest
from review_run import HOST, candidate, row_id
from starlette.testclient import TestClient

from humpback.review.guard import Person
from humpback.review.label_app import LabelPages
from humpback.review.serve import guarded, hosts_of

ORIGIN = f"http://{HOST}"


def opened(run, name="anna"):
    person = Person(name)
    app = guarded(LabelPages(run, [name]).routes(), [person], hosts_of("127.0.0.1", 8642))
    client = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN})
    assert client.get("/", params={"token": person.token}).status_code == 200
    return client


def said(run, name="anna"):
    return [json.loads(line) for line in (run / "review" / f"labels-{name}.jsonl").read_text().splitlines()]


def test_the_first_page_shows_list_and_first_pair(run):
    text = opened(run).get("/").text
    assert text.count("data-id=") == 13  # twelve rows and the pair
    assert "12 candidates" in text
    assert "Answer number 0." in text
    assert "last words" in text


def test_the_address_chooses_rows_and_pair(run):
    text = opened(run).get("/", params={"fate": "dropped", "row": row_id(5)}).text
    assert "6 candidates" in text
    assert "Answer number 5." in text
    assert "not among best" in text


def test_an_unknown_row_shows_the_first(run):
    assert "Answer number 0." in opened(run).get("/?row=../../etc/passwd").text
    assert opened(run).get("/row/absent").status_code == 404


def test_many_rows_come_in_pages(make_run):
    client = opened(make_run([candidate(n) for n in range(120)]))
    first, last = client.get("/").text, client.get("/?page=3").text
    assert first.count("<li><a") == 50
    assert last.count("<li><a") == 20
    assert 'rel="next"' in first
    assert 'rel="next"' not in last
    assert "page 3 of 3" in client.get("/?page=99").text


def test_labels_are_set_and_taken_back(run):
    client = opened(run)
    told = client.post("/label", json={"id": row_id(1), "verdict": "good"}).json()
    assert (told["verdict"], told["good"], told["left"]) == ("good", 1, 11)
    told = client.post("/label", json={"id": row_id(1), "instruction": " Why? \n"}).json()
    assert (told["verdict"], told["edited"]) == ("good", True)
    assert "Why?" in told["pane"]
    told = client.post("/undo", json={}).json()
    assert (told["id"], told["verdict"], told["edited"]) == (row_id(1), "good", False)
    client.post("/undo", json={})
    assert opened(run).get("/?label=none").text.count("<li><a") == 12
    assert [act.get("instruction") for act in said(run)] == [None, "Why?", None, None]


def test_the_models_own_words_are_no_edit(make_run):
    run = make_run([candidate(0, "One\r\ntwo? ")])
    told = opened(run).post("/label", json={"id": row_id(0), "instruction": "One\ntwo?"}).json()
    assert not told["edited"]
    assert not (run / "review" / "labels-anna.jsonl").exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/label", {"id": "absent", "verdict": "good"}, 404),
        ("/label", {"id": ["x"], "verdict": "good"}, 404),
        ("/label", {"id": row_id(0), "verdict": "great"}, 400),
        ("/label", {"id": row_id(0), "verdict": ["good"]}, 400),
        ("/label", {"id": row_id(0), "instruction": 5}, 400),
        ("/label", {"id": row_id(0), "instruction": "x" * 20_001}, 400),
        ("/label", {"id": row_id(0), "instruction": "\ud800"}, 400),
        ("/label", [1], 400),
        ("/undo", {}, 409),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(run, path, body, status):
    answer = opened(run).post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not (run / "review" / "labels-anna.jsonl").exists()


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[" * 100_000, 400), (b"\xff", 400), (b" " * 300_000, 413)]
)
def test_a_body_that_is_no_json_is_refused(run, body, status):
    answer = opened(run).post("/label", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status


def test_a_full_disk_is_told_and_the_label_is_not_shown_as_saved(run):
    client = opened(run)
    (run / "review").write_text("in the way")
    answer = client.post("/label", json={"id": row_id(0), "verdict": "good"})
    assert answer.status_code == 507
    assert answer.json()["error"].startswith("Not saved.")
    assert 'data-verdict="good"' not in client.get("/").text


HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=hacked=1>\"'>"
    "<a href='javascript:hacked=1'>x</a>{{7*7}}"
)


def test_hostile_text_is_text(make_run):
    row = candidate(0, HOSTILE, HOSTILE + "\u202e" + "y" * 100_000)
    client = opened(make_run([row]))
    for text in (client.get("/").text, client.get(f"/row/{row.id}").text, client.get("/", params={"q": HOSTILE}).text):
        assert "<img src=x" not in text
        assert "<script>window" not in text
        assert "href='javascript:" not in text
        assert "&lt;img src=x onerror" in text
        assert "{{7*7}}" in text
        assert "\u202e" not in text
    assert "Show all 100" in client.get("/").text


def test_ten_thousand_rows_stay_quick(make_run):
    client = opened(make_run([candidate(n, output="word " * 400) for n in range(10_000)]))
    for path in ("/", "/?q=number+9999", "/?q=word&sort=best&page=150", f"/row/{row_id(77)}"):
        start = time.perf_counter()
        assert client.get(path).status_code == 200
        assert time.perf_counter() - start < 0.4, path
