"""The page of progress: what it says, that it fetches nothing, and that what it shows of others stays text."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import pytest

from humpback.report.progress_page import Bar, Cost, Message, RunProgress, StepProgress, clock, progress_page, rate_text

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp {{ 7*7 }}"
CLUSTER = "cluster: 40 shards by 3 workers on 2 nodes, 61.2 s of work, 1 handed out again"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

RUNNING = RunProgress(
    name="mine",
    state="running",
    updated=time.time(),
    elapsed=8950,
    spent=9000,
    step="candidates",
    steps=[
        StepProgress("segments", "done", rows=381_002, aside=31_308, seconds=61, planned=55, cluster=CLUSTER),
        StepProgress("models/backward", "done", rows=2880, seconds=905, planned=840),
        StepProgress("candidates", "running", seconds=5210, planned=14_000, left=9310),
        StepProgress("ratings-1", "to do", planned=9000, left=9300),
        StepProgress("report", "to do"),
    ],
    bar=Bar("writing instructions", "segments", 138_496, 381_002, rate=26.4, left=9310),
    planned=895,
    taken=966,
    left=18_610,
    untimed=1,
    cost=Cost(19_000, 36_000, gpu_hour=2.5),
    forecast=Cost(60_000, 72_000, gpu_hour=2.5),
    messages=[Message(time.time(), "warning", HOSTILE)],
)


def changed(**values) -> RunProgress:
    return dataclasses.replace(RUNNING, **values)


def test_a_running_page_reads_itself_anew_and_says_how_far_it_is():
    page = progress_page(RUNNING)
    assert '<meta http-equiv="refresh" content="5">' in page
    for said in ("Running: candidates", "138,496 of 381,002 segments", "26.4 segments a second", CLUSTER, "31,308"):
        assert said in page
    assert "25.00" in page, "ten hours of GPUs at 2.5"
    assert "<b>50.00</b>" in page, "twenty in the end"


def test_a_step_that_has_taken_longer_than_planned_says_so():
    late = [dataclasses.replace(step, left=0.0) if step.status == "running" else step for step in RUNNING.steps]
    page = progress_page(changed(steps=late))
    assert "longer than planned" in page
    assert "about 0.00 s left" not in page


@pytest.mark.parametrize(
    ("state", "said"), [("done", "Finished"), ("failed", "Failed"), ("stopped", "Stopped"), ("killed", "Was killed")]
)
def test_a_page_that_has_ended_stays_as_it_is(state, said):
    page = progress_page(changed(state=state, bar=None))
    assert "refresh" not in page
    assert f"<title>{said}" in page


def test_the_report_is_linked_once_it_is_there():
    link = 'href="report/index.html"'
    assert link in progress_page(changed(state="done", bar=None, has_report=True))
    assert link not in progress_page(changed(state="done", bar=None))


def test_without_plan_or_price_there_are_times_alone():
    bare = changed(planned=None, taken=5, left=None, forecast=None, cost=Cost(60, 0), bar=None)
    page = progress_page(bare)
    assert "not known" in page
    assert "of GPUs" not in page.split("</header>")[0]


def test_hostile_words_stay_words():
    hostile = changed(
        name=HOSTILE,
        state="failed",
        error=HOSTILE,
        step=HOSTILE,
        steps=[StepProgress(HOSTILE, "running", cluster=HOSTILE)],
        bar=Bar(HOSTILE, HOSTILE, 1, 2, 1.0, 1.0, HOSTILE),
    )
    for state in ("failed", "running"):
        page = progress_page(dataclasses.replace(hostile, state=state))
        assert page.count("&lt;script&gt;") >= 4
        assert "<script" not in page
        assert "<img" not in page
        assert page.count("</title>") == page.count("</style>") == 1
        assert "default-src 'none'" in page


def test_rates_and_times_for_people():
    assert rate_text(Bar("", "pairs", 1, 2, rate=2.44)) == "2.4 pairs a second"
    assert rate_text(Bar("", "pairs", 1, 2, rate=0.05)) == "3.0 pairs a minute"
    assert rate_text(Bar("", "pairs", 0, 2)) == ""
    now = time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, -1))
    assert clock(now, now) == "03:04:05"
    assert clock(now + 86_400, now) == "2026-01-03 03:04"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_asks_nobody(scheme: str, tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "progress.html"
    file.write_text(progress_page(RUNNING), encoding="utf-8")
    asked: list[str] = []
    told: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth == e.clientWidth)")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}
    assert told == []
    assert (ground == "rgb(13, 20, 26)") == (scheme == "dark")
