"""Both pages in a real Chromium: by keyboard, across restarts, and with texts that would like to run."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import dataclass, field

import pytest
import uvicorn
from review_run import candidate, row_id

from humpback.review.arena import read_arena
from humpback.review.arena.pages import ArenaPages
from humpback.review.guard import Person
from humpback.review.label_app import LabelPages
from humpback.review.serve import bind, guarded, hosts_of

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")


@dataclass
class Server:
    """A server of review pages in a thread of its own; it can be stopped and started anew on the same port."""

    pages: object
    port: int = 0
    person: Person = field(default_factory=lambda: Person("anna"))

    def start(self) -> str:
        listening = bind("127.0.0.1", self.port)
        self.port = listening.getsockname()[1]
        hosts = hosts_of("127.0.0.1", self.port)
        app = guarded(self.pages().routes(), [self.person], hosts)
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self.thread.start()
        return f"http://{hosts[0]}/?token={self.person.token}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(10)

    def restart(self) -> str:
        self.stop()
        self.person = Person("anna")
        return self.start()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page that notes what it asks for, what it complains of, and every dialog."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.asked, page.told = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("dialog", lambda dialog: (page.told.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()


@pytest.fixture
def served():
    """Starts servers and stops them in the end."""
    servers = []

    def start(pages) -> tuple[Server, str]:
        servers.append(Server(pages))
        return servers[-1], servers[-1].start()

    yield start
    for server in servers:
        server.stop()


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def shown(page):
    return page.locator("#pane article").get_attribute("data-id")


def press(page, key, expected):
    """Presses a key and waits until the pair with the number `expected` is shown and nothing is under way."""
    page.keyboard.press(key)
    page.wait_for_selector(f'#pane article[data-id="{row_id(expected)}"]')
    page.wait_for_selector(f'#list a[data-id="{row_id(expected)}"][aria-current]')


def test_labels_by_keyboard_outlive_a_restart(page, served, run):
    server, address = served(lambda: LabelPages(run, ["anna"]))
    page.goto(address)
    assert "token" not in page.url
    for key, expected in (("a", 1), ("j", 2), ("r", 3), ("k", 2), ("ArrowDown", 3), ("u", 2), ("r", 3)):
        press(page, key, expected)
    file = run / "review" / "labels-anna.jsonl"
    assert [(act.get("id"), act.get("verdict")) for act in lines(file)] == [
        (row_id(0), "good"),
        (row_id(2), "bad"),
        (None, None),
        (row_id(2), "bad"),
    ]
    assert page.locator("#left").inner_text() == "10"
    page.goto(server.restart())
    assert page.locator("#good").inner_text() == "1"
    assert page.locator(f'a[data-id="{row_id(2)}"]').get_attribute("data-verdict") == "bad"
    page.keyboard.press("u")
    page.wait_for_selector(f'#list a[data-id="{row_id(2)}"][data-verdict=""]')
    assert "undo" in lines(file)[-1]
    assert page.told == []


def test_an_instruction_is_edited_and_a_draft_outlives_page_and_server(page, served, run):
    server, address = served(lambda: LabelPages(run, ["anna"]))
    page.goto(address)
    page.keyboard.press("e")
    page.keyboard.type(" And why a, r or u?")
    server.stop()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#status.wrong")
    assert "Not saved" in page.locator("#status").inner_text()
    server.person = Person("anna")
    page.goto(server.start())
    assert page.locator("#edited").input_value() == "Question number 0? And why a, r or u?"
    page.locator("#edited").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=as edited by you")
    file = run / "review" / "labels-anna.jsonl"
    assert [act["instruction"] for act in lines(file)] == ["Question number 0? And why a, r or u?"]
    page.keyboard.press("a")
    page.wait_for_selector(f'article[data-id="{row_id(1)}"]')
    assert (lines(file)[-1]["verdict"], lines(file)[-1]["instruction"]) == (
        "good",
        "Question number 0? And why a, r or u?",
    )
    page.reload()
    assert page.locator("form.edit").is_hidden()


def test_search_filters_and_help_by_keyboard(page, served, run):
    _, address = served(lambda: LabelPages(run, ["anna"]))
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("number 11")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=number+11**")
    assert page.locator("#list li a").count() == 1
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("a")  # is for the page behind, so nothing happens
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    assert page.locator("#good").inner_text() == "0"
    page.select_option("select[name=fate]", "kept")
    page.wait_for_selector("text=Nothing here fits")
    assert page.told == []


def test_a_page_of_an_earlier_start_says_so_and_saves_nothing(page, served, run):
    server, address = served(lambda: LabelPages(run, ["anna"]))
    page.goto(address)
    server.restart()
    page.keyboard.press("a")
    page.wait_for_selector("#status.wrong")
    assert "Open the printed link" in page.locator("#status").inner_text()
    assert shown(page) == row_id(0)
    assert lines(run / "review" / "labels-anna.jsonl") == []


HOSTILE = (
    "</script><script>window.hacked=1;alert(1)</script><img src='http://evil.example/x' onerror='window.hacked=1'>"
    "<svg onload=alert(1)><iframe src=javascript:alert(1)></iframe></textarea><script>window.hacked=1</script>"
    "<style>body{display:none}</style><link rel=stylesheet href=//evil.example/x.css><meta http-equiv=refresh "
    "content='0;url=http://evil.example'></details></div><form action=http://evil.example><base href=//evil.example>"
    "<a href='javascript:window.hacked=1' data-do=good autofocus>click</a>\u202e\x08 {{ 7*7 }}"
)


def test_hostile_texts_change_nothing(page, served, make_run):
    rows = [
        candidate(0, HOSTILE, f"{HOSTILE}\n{'long ' * 20_000}{HOSTILE}"),
        candidate(1, HOSTILE, "x" * 100_000),
        candidate(2),
    ]
    run = make_run(rows)
    server, address = served(lambda: LabelPages(run, ["anna"]))
    page.goto(address)
    own = f"http://127.0.0.1:{server.port}/"
    for _ in range(2):
        page.locator("summary:visible", has_text="Show all").first.click()
        page.keyboard.press("e")
        assert page.locator("#edited").input_value().startswith("</script>") or shown(page) == row_id(2)
        page.keyboard.press("Escape")
        press(page, "j", 1 if shown(page) == row_id(0) else 2)
    press(page, "k", 1)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#pane img, #pane iframe, #pane svg[onload], #pane style, #list img").count() == 0
    assert page.locator("#pane .output").inner_text().count("x") >= 4000
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    assert {url for url in page.asked if not url.startswith(own)} == set()
    assert page.told == []
    assert page.url.startswith(own)


@pytest.mark.parametrize("width", [320, 400, 800, 1600])
def test_nothing_sticks_out_at_any_width(page, served, run, width):
    _, address = served(lambda: LabelPages(run, ["anna"]))
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(address)

    def fits():
        return page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert fits()
    page.locator("#list li a").nth(1).click()
    page.wait_for_selector(f'#pane article[data-id="{row_id(1)}"] >> visible=true')
    assert fits()
    if width < 1000:
        page.locator("[data-do=back]").click()
        assert page.locator("#pane").is_hidden()
    assert page.locator("#list").is_visible()


def test_blind_votes_by_keyboard_outlive_a_restart(page, served, run, outputs, screening):
    arena = read_arena(outputs("whale"), outputs("minnow"), screening, 0.5, 7)
    server, address = served(lambda: ArenaPages(arena, run, ["anna"]))
    page.goto(address)
    file = run / "review" / arena.folder_name / "votes-anna.jsonl"
    bodies = []
    for number, key in enumerate(["1", "2", "0", "ArrowLeft", "u", "1", "ArrowRight", "1", "2", "1"]):
        if number == 6:
            page.goto(server.restart())
        bodies.append(page.content())
        if number == 1:
            page.keyboard.press("w")
            page.keyboard.type("clearer, 1 point")
            page.keyboard.press("Escape")
        before = page.locator("body").get_attribute("data-key")
        page.keyboard.press(key)
        until(lambda: len(lines(file)) == number + 1)  # noqa: B023 - it is called at once
        page.wait_for_function("key => document.body && (document.body.dataset.key || '') !== key", arg=before)
        page.wait_for_load_state()  # before the script has run, a key is nothing
    page.wait_for_selector("text=All 8 questions are answered")
    for body in bodies:
        assert "whale" not in body
        assert "minnow" not in body
    acts = lines(file)
    assert [act.get("reason") for act in acts][:3] == [None, "clearer, 1 point", None]
    assert len({act["key"] for act in acts if "key" in act}) == 8
    page.get_by_text("End the voting").click()
    page.wait_for_url("**/results")
    assert page.get_by_role("heading", name="whale against minnow").is_visible()
    assert page.told == []


def test_hostile_answers_in_the_arena_change_nothing(page, served, run, outputs):
    arena = read_arena(outputs("whale", 2, text=HOSTILE * 200), outputs("minnow", 2), None, 0.5, 7)
    server, address = served(lambda: ArenaPages(arena, run, ["anna"]))
    page.goto(address)
    page.locator("summary").first.click()
    page.keyboard.press("1")
    page.wait_for_selector("text=2 of 2")
    assert page.evaluate("window.hacked") is None
    assert {url for url in page.asked if not url.startswith(f"http://127.0.0.1:{server.port}/")} == set()
    assert page.told == []
