"""The pages on which people compare answers without knowing whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from humpback.review.acts import REVIEW_FOLDER
from humpback.review.arena.pairs import CHOICES, Arena, Question
from humpback.review.arena.results import arena_results
from humpback.review.arena.votes import Votes, votes_of
from humpback.review.pages import RefusedActError, act, page, typed_text

if TYPE_CHECKING:
    from starlette.requests import Request


class ArenaPages:
    """A comparison's questions, one after the other, and its results for those who are done.

    No page names a model, and none holds anything that depends on it, before the annotator has ended the voting.
    """

    def __init__(self, arena: Arena, run: Path, annotators: Sequence[str], judgements: Path | None = None) -> None:
        self._arena, self._run, self._judgements = arena, run, judgements
        self._folder = run / REVIEW_FOLDER / arena.folder_name
        self._orders = {name: arena.order(name) for name in annotators}
        self._votes = {name: votes_of(self._folder, name) for name in annotators}

    def routes(self) -> list[Route]:
        """What the server answers to."""
        return [
            Route("/", self._question),
            Route("/results", self._results),
            Route("/vote", act(self._vote), methods=["POST"]),
            Route("/undo", act(self._undo), methods=["POST"]),
            Route("/end", act(self._end), methods=["POST"]),
        ]

    def done(self, annotator: str) -> int:
        """How many questions an annotator has answered."""
        return sum(one.key in self._votes[annotator].by_key for one in self._orders[annotator])

    async def _question(self, request: Request) -> Response:
        me: str = request.state.annotator
        if self._votes[me].ended:
            return RedirectResponse("/results", 303)
        total, done = len(self._orders[me]), self.done(me)
        shared: dict[str, Any] = {"run": self._run.name, "me": me, "done": done, "total": total}
        question = self._next(me)
        if question is None:
            return page("arena_done.html.jinja", **shared)
        a_first = self._arena.a_is_first(me, question)
        answers = (question.a, question.b) if a_first else (question.b, question.a)
        return page("arena.html.jinja", **shared, key=question.key, instruction=question.instruction, answers=answers)

    async def _results(self, request: Request) -> Response:
        me: str = request.state.annotator
        if not self._votes[me].ended:
            return RedirectResponse("/", 303)
        results = arena_results(self._arena, self._folder, self._judgements)
        return page("results.html.jinja", run=self._run.name, me=me, results=results)

    def _vote(self, request: Request, values: dict[str, Any]) -> Response:
        me: str = request.state.annotator
        question = None if self._votes[me].ended else self._next(me)
        if question is None or values.get("key") != question.key:
            raise RefusedActError("This question is answered already; the page is loaded again.", 409)
        if values.get("choice") not in CHOICES:
            raise RefusedActError("Choose the first answer, the second, or no difference.")
        self._votes[me].vote(self._arena, me, question, values["choice"], typed_text(values, "reason"))
        return JSONResponse({"done": self.done(me)})

    def _undo(self, request: Request, values: dict[str, Any]) -> Response:
        votes = self._open_votes(request)
        if votes.undo() is None:
            raise RefusedActError("There is nothing to undo.", 409)
        return JSONResponse({"done": self.done(request.state.annotator)})

    def _end(self, request: Request, values: dict[str, Any]) -> Response:
        votes = self._open_votes(request)
        if self._next(request.state.annotator) is not None:
            raise RefusedActError("Some questions are not answered yet.", 409)
        votes.end()
        return JSONResponse({"done": self.done(request.state.annotator)})

    def _open_votes(self, request: Request) -> Votes:
        votes = self._votes[request.state.annotator]
        if votes.ended:
            raise RefusedActError("You have ended the voting; nothing can be changed any more.", 409)
        return votes

    def _next(self, annotator: str) -> Question | None:
        """The first question without a vote: after an undo, the one whose vote was taken back or an earlier one."""
        voted = self._votes[annotator].by_key
        return next((one for one in self._orders[annotator] if one.key not in voted), None)
