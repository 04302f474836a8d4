"""Personal data in texts: e-mail addresses and numbers that belong to a person, found and replaced.

Where a kind of number has a checksum, a length or unassigned ranges, they are used: a number that fails them is no
hit. What belongs to no person (`info@`, toll-free numbers, documentation ranges, example domains) is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from humpback.config import PersonalDataConfig
from humpback.corpus.personal.emails import emails
from humpback.corpus.personal.found import Found, Kind
from humpback.corpus.personal.numbers import accounts, addresses, cards, digit_runs, social_security
from humpback.corpus.personal.phones import phones

__all__ = ["Found", "Kind", "find", "redact"]

_OF_RUNS: dict[Kind, Callable[[str, Sequence[tuple[int, int]]], Iterable[Found]]] = {
    "card": cards,
    "account": accounts,
    "us_ssn": social_security,
}
"""Numbers that hold a run of digits; the ones with a checksum first: where two begin together, the first is right."""


def find(text: str, config: PersonalDataConfig) -> list[Found]:
    """The personal data in `text` of the kinds wanted, in order and without overlaps."""
    found: list[Found] = []
    if "email" in config.kinds:
        found += emails(text)
    runs = digit_runs(text)
    if runs:
        for kind, finder in _OF_RUNS.items():
            if kind in config.kinds:
                found += finder(text, runs)
    if "ip" in config.kinds:
        found += addresses(text, runs)
    if runs and "phone" in config.kinds:
        found += phones(text, runs, config.phone_region)
    return _without_overlaps(found)


def redact(text: str, found: Sequence[Found]) -> str:
    """`text` with `<email>` and the like in the place of each; `found` is what `find` gave for the same text."""
    pieces: list[str] = []
    end = 0
    for one in found:
        pieces += (text[end : one.start], f"<{one.kind}>")
        end = one.end
    return "".join((*pieces, text[end:]))


def _without_overlaps(found: list[Found]) -> list[Found]:
    """`found` in order; of two that overlap the one that begins first, and of those that begin together the first."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: one.start):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept
