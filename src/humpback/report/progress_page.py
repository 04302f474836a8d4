"""How far a run is and what it costs, on one page that reads itself anew while the run works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from humpback.report.pages import environment, page_style

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

TEMPLATE_FILE = "progress.html.jinja"
REFRESH_SECONDS = 5

RunState = Literal["not started", "running", "done", "stopped", "failed", "killed"]
"""`stopped` by Ctrl-C; `killed` where nothing was said at the end: the process or its machine went."""

TITLES: dict[RunState, str] = {
    "not started": "Not started",
    "running": "Running",
    "done": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "killed": "Was killed, or its machine stopped",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A long piece of work: `done` of `total` (None where nobody can know it), `rate` a second, `left` in seconds."""

    label: str
    unit: str
    done: int
    total: int | None
    rate: float | None = None
    left: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A warning or an error; `time` in seconds since 1970."""

    time: float
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step.

    `seconds` it has taken, `planned` by the plan, `left` estimated from here on; `cluster` is the line about work on
    a cluster.
    """

    name: str
    status: Literal["done", "running", "started", "to do"]
    rows: int = 0
    aside: int = 0
    seconds: float | None = None
    planned: float | None = None
    left: float | None = None
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of machines and of GPUs; `gpu_hour` is the price of a GPU's hour, where it was given."""

    machine_seconds: float
    gpu_seconds: float
    gpu_hour: float | None = None

    @property
    def price(self) -> float | None:
        """What the GPUs cost; None where no price was given."""
        return None if self.gpu_hour is None else self.gpu_seconds / 3600 * self.gpu_hour


@dataclass(frozen=True, slots=True)
class RunProgress:
    """All that the page shows.

    `elapsed` are the seconds since this start, `spent` those of all starts, `step` is the one that runs or did last.
    `planned` and `taken` compare the plan with what the steps done took, over those that the plan timed; where it timed
    none, `planned` is None and `taken` of all. `left` is None where nothing is known; `untimed` counts steps to do of
    which nothing is. `updated` is in seconds since 1970.
    """

    name: str
    state: RunState
    updated: float
    elapsed: float
    spent: float
    step: str | None
    steps: list[StepProgress]
    bar: Bar | None
    planned: float | None
    taken: float
    left: float | None
    untimed: int
    cost: Cost
    forecast: Cost | None
    messages: list[Message]
    error: str = ""
    has_report: bool = False

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(step.status == "done" for step in self.steps)

    @property
    def is_planned(self) -> bool:
        """Whether the plan timed any step."""
        return any(step.planned is not None for step in self.steps)

    @property
    def end(self) -> float | None:
        """When it will have ended, by the estimate, in seconds since 1970."""
        return None if self.left is None else self.updated + self.left


def progress_page(found: RunProgress) -> str:
    """The page: HTML with its style inside, no script, nothing fetched from anywhere."""
    page, style = _parts()
    return page.render(
        run=found,
        title=TITLES[found.state],
        style=style,
        refresh=REFRESH_SECONDS if found.state == "running" else None,
        clock=clock,
        rate=rate_text,
    )


@cache
def _parts() -> tuple[Template, Markup]:
    """Kept, since the page is made again and again."""
    return environment().get_template(TEMPLATE_FILE), page_style()


def clock(when: float, now: float) -> str:
    """The time of day by this machine's clock, with the date where that is another than now's."""
    at, today = time.localtime(when), time.localtime(now)
    return time.strftime("%H:%M:%S" if at[:3] == today[:3] else "%Y-%m-%d %H:%M", at)


def rate_text(bar: Bar) -> str:
    """E.g. `2.4 pairs a second`, or a minute where it is slow."""
    if not bar.rate:
        return ""
    if bar.rate >= 1:
        return f"{bar.rate:,.1f} {bar.unit} a second"
    return f"{60 * bar.rate:,.1f} {bar.unit} a minute"
