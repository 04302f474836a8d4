"""The pages on which candidates are read, searched and labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from humpback.review import filters as choices
from humpback.review.acts import REVIEW_FOLDER
from humpback.review.candidates import Candidates
from humpback.review.filters import PAGE_ROWS, Filters
from humpback.review.labels import BAD, GOOD, Labels, log_of, read_all
from humpback.review.pages import RefusedActError, act, page, render, typed_text

if TYPE_CHECKING:
    from starlette.requests import Request

VERDICTS = (GOOD, BAD, None)


class LabelPages:
    """A run's candidates and everybody's labels of them. Endpoints run one after the other, in one thread."""

    def __init__(self, run: Path, annotators: Sequence[str]) -> None:
        """Reads run and labels.

        Raises:
            InputError: the run has no candidates yet.
        """
        folder = run / REVIEW_FOLDER
        self._run = run
        self.candidates = Candidates(run)
        self._labels = read_all(folder)
        for name in annotators:
            self._labels.setdefault(name, Labels(log_of(folder, name)))
        for name, labels in self._labels.items():
            self.candidates.put_labels(name, dict(labels.by_id))

    def routes(self) -> list[Route]:
        """What the server answers to."""
        return [
            Route("/", self._list),
            Route("/row/{row_id}", self._row),
            Route("/label", act(self._label), methods=["POST"]),
            Route("/undo", act(self._undo), methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        me: str = request.state.annotator
        wanted = Filters.from_query(request.query_params)
        places = self.candidates.find(wanted, me)
        pages = max(1, -(-len(places) // PAGE_ROWS))
        number = min(wanted.page, pages)
        rows = self.candidates.page(places, number, me)
        asked = request.query_params.get("row", "")
        # Rows that get a label leave the choice of those without one, so that its first page is always the next.
        later = 1 if wanted.label == "none" else number + 1 if number < pages else 0
        first = asked if self.candidates.has(asked) else (rows[0].id if rows else "")
        return page(
            "candidates.html.jinja",
            run=self._run.name,
            me=me,
            filters=wanted,
            choices=choices,
            candidates=self.candidates,
            rows=rows,
            found=len(places),
            number=number,
            pages=pages,
            first=first,
            asked=bool(asked) and first == asked,
            following=f"/{wanted.to_query(page=later)}" if later else "",
            named_reasons=[(name, f"{name.replace('_', ' ')} ({count:,})") for name, count in self.candidates.reasons],
            named_sources=[(name, f"{name} ({count:,})") for name, count in self.candidates.sources],
            pane=Markup(self._pane(first, me)) if first else "",  # noqa: S704 - rendered with everything escaped
            counts=self.candidates.counts(me),
        )

    async def _row(self, request: Request) -> Response:
        row_id: str = request.path_params["row_id"]
        if not self.candidates.has(row_id):
            return HTMLResponse("<p>There is no such candidate.</p>", 404)
        return HTMLResponse(self._pane(row_id, request.state.annotator))

    def _pane(self, row_id: str, me: str) -> str:
        return render(
            "candidate.html.jinja",
            row=self.candidates.detail(row_id),
            label=self._labels[me].get(row_id),
            others=self.candidates.others(row_id, me),
        )

    def _label(self, request: Request, values: dict[str, Any]) -> Response:
        """Sets `verdict`, `instruction` or both; what is not given stays."""
        row_id, me = values.get("id"), request.state.annotator
        if not isinstance(row_id, str) or not self.candidates.has(row_id):
            raise RefusedActError("There is no such candidate.", 404)
        label = self._labels[me].get(row_id)
        verdict = values.get("verdict", label.verdict)
        if verdict not in VERDICTS:
            raise RefusedActError("A verdict is good, bad, or null for none.")
        edited = typed_text(values, "instruction") if "instruction" in values else label.instruction
        if edited == self.candidates.instruction(row_id).replace("\r\n", "\n").strip():
            edited = None
        self._labels[me].set(row_id, verdict, edited)
        return self._told(row_id, me)

    def _undo(self, request: Request, values: dict[str, Any]) -> Response:
        me = request.state.annotator
        row_id = self._labels[me].undo()
        if row_id is None:
            raise RefusedActError("There is nothing to undo.", 409)
        return self._told(row_id, me)

    def _told(self, row_id: str, me: str) -> Response:
        """What the page shows anew after an act."""
        label = self._labels[me].get(row_id)
        self.candidates.put_labels(me, {row_id: label})
        counts = self.candidates.counts(me)
        return JSONResponse(
            {
                "id": row_id,
                "verdict": label.verdict,
                "edited": label.instruction is not None,
                "good": counts.good,
                "bad": counts.bad,
                "left": counts.left,
                "pane": self._pane(row_id, me) if self.candidates.has(row_id) else "",
            }
        )
