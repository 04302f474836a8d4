"""Who is let in: only an annotator's own browser, by the server's own name."""

from __future__ import annotations

import pytest
from review_run import HOST, row_id
from starlette.testclient import TestClient

from humpback.errors import InputError, WorkspaceError
from humpback.review.guard import POSTS, WRONG_TOKENS, Allowance, Person
from humpback.review.label_app import LabelPages
from humpback.review.serve import bind, guarded, hosts_of, is_loopback, one_at_a_time

ORIGIN = f"http://{HOST}"
LABEL = {"id": row_id(1), "verdict": "good"}
ANNA = Person("anna", "token-of-anna", "session-of-anna")
BEN = Person("ben", "token-of-ben", "session-of-ben")


@pytest.fixture
def app(run, clock):
    return guarded(LabelPages(run, ["anna", "ben"]).routes(), [ANNA, BEN], hosts_of("127.0.0.1", 8642), clock)


@pytest.fixture
def browser(app):
    """A browser that nobody has let in yet."""
    return TestClient(app, base_url=ORIGIN, follow_redirects=False)


@pytest.fixture
def anna(browser):
    browser.get("/", params={"token": ANNA.token})
    return browser


def post(client, path="/label", values=LABEL, **headers):
    return client.post(path, json=values, headers={"origin": ORIGIN, **headers})


def test_the_token_becomes_a_cookie_and_leaves_the_address(browser):
    answer = browser.get("/?q=a%26b&token=token-of-anna")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=a%26b")
    cookie = answer.headers["set-cookie"]
    assert "humpback-review-8642=session-of-anna" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ANNA.token not in str(answer.headers)
    page = browser.get("/")
    assert page.status_code == 200
    assert ANNA.token not in page.text
    assert ANNA.session not in page.text


@pytest.mark.parametrize("path", ["/", "/row/" + row_id(1), "/?token=", "/?token=wrong", "/?token=session-of-anna"])
def test_without_the_token_there_is_nothing_to_see(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 403
    assert "Question" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_cookie_of_an_earlier_start_is_no_entry(browser):
    browser.cookies.set("humpback-review-8642", "token-of-anna")
    assert browser.get("/").status_code == 403
    answer = post(browser)
    assert answer.status_code == 403
    assert "earlier start" in answer.json()["error"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8643", "127.0.0.1.evil.example:8642", ""])
def test_a_foreign_name_is_refused_whoever_asks(anna, host):
    for path in ("/", "/static/review.js", "/?token=token-of-anna"):
        answer = anna.get(path, headers={"host": host})
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers


def test_the_loopback_has_its_usual_names(browser):
    assert browser.get("/static/review.css", headers={"host": "LOCALHOST:8642"}).status_code == 200
    assert hosts_of("127.0.0.1", 80)[0] == "127.0.0.1:80"
    assert "localhost" in hosts_of("127.0.0.1", 80)
    assert hosts_of("10.0.0.7", 8642) == ["10.0.0.7:8642"]
    assert hosts_of("::1", 8642)[0] == "[::1]:8642"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8642"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_post_from_another_page_changes_nothing(anna, run, headers):
    answer = post(anna, **headers)
    assert answer.status_code == 403
    assert not (run / "review" / "labels-anna.jsonl").exists()


def test_a_post_without_an_origin_changes_nothing(anna, run):
    assert anna.post("/label", json=LABEL).status_code == 403
    assert not (run / "review" / "labels-anna.jsonl").exists()


def test_a_form_of_another_site_cannot_be_taken_for_an_act(anna):
    text = {"origin": ORIGIN, "content-type": "text/plain"}
    assert anna.post("/label", content='{"id": "x"}', headers=text).status_code == 415


def test_nothing_is_shared_with_other_sites(anna):
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answers = [
        anna.options("/label", headers=asked),
        anna.get("/", headers=asked),
        post(anna),
        post(anna, origin="http://evil.example"),
    ]
    assert [answer.status_code for answer in answers] == [405, 200, 200, 403]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_answer_has_the_headers_that_bind_the_browser(anna):
    for path in ("/", "/static/review.js", "/no-such", "/?token=x"):
        headers = anna.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "connect-src 'self'"):
            assert part in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_pages_hold_no_script_or_style_of_their_own(anna):
    text = anna.get("/").text
    assert text.count("<script") == 1
    for part in ("<style", "style=", "onclick", "onload", "javascript:"):
        assert part not in text


def test_guessing_is_slowed_down_and_those_who_are_in_stay_in(app, anna, clock):
    stranger = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    codes = [stranger.get(f"/?token={n}").status_code for n in range(WRONG_TOKENS + 3)]
    assert codes == [403] * WRONG_TOKENS + [429] * 3
    assert stranger.get(f"/?token={BEN.token}").status_code == 429  # else guesses would go on
    assert anna.get("/").status_code == 200
    clock.now += 60
    assert stranger.get(f"/?token={BEN.token}").status_code == 303


def test_a_flood_of_posts_is_refused_and_told(anna, clock):
    codes = [post(anna, "/undo", {}).status_code for _ in range(POSTS + 1)]
    assert codes == [409] * POSTS + [429]
    clock.now += 1
    assert post(anna).status_code == 200


def test_an_allowance_fills_up_to_its_burst(clock):
    allowance = Allowance(2, 0.5, clock)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    clock.now += 2
    assert [allowance.take() for _ in range(2)] == [True, False]
    clock.now += 1000
    assert [allowance.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    "path", ["/static/../pages.py", "/static/%2e%2e/pages.py", "/static/..%2f..%2ferrors.py", "/static/"]
)
def test_only_the_pages_own_files_are_served(anna, path):
    assert anna.get(path).status_code in (404, 405)


def test_the_annotator_comes_from_the_token_never_from_the_page(anna, run):
    assert post(anna, values={**LABEL, "annotator": "../../ben", "me": "ben"}).status_code == 200
    assert [file.name for file in (run / "review").iterdir()] == ["labels-anna.jsonl"]


def test_it_listens_on_this_machine_only_unless_told():
    with bind("127.0.0.1", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        with pytest.raises(InputError, match="another --port"):
            bind("127.0.0.1", listening.getsockname()[1])
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "example.org")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses_at_once_are_refused(host):
    with pytest.raises(InputError, match="the one address"):
        bind(host, 0)


def test_one_server_holds_a_run(run):
    with one_at_a_time(run), pytest.raises(WorkspaceError, match="being reviewed"), one_at_a_time(run):
        pass
    with one_at_a_time(run):
        pass
