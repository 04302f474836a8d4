"""Phone numbers of subscribers, by the numbering plans of Google's libphonenumber."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from humpback.corpus.personal.found import Found, plain

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberMatch

MIN_DIGITS = 7
"""Fewest digits of a number with its area code in the shortest plans (E.164 sets none)."""

MAX_DIGITS = 45
"""A row of more digits is a table's (ours: three numbers of the longest kind, E.164, beside one another)."""

BEFORE_CHARS = 40
"""How far before a number words about it are looked for (ours: some six words)."""

AFTER_CHARS = 16
"""What is read behind a number: room for "extension 12345"."""

_FICTIONAL = {
    1: re.compile(r"\d{3}555"),
    44: re.compile(r"1(?:1[3-8]|[2-6]1)4960|1914980|1632960|2079460|28964966|2920180|3069990|7700900|8081570|9098790"),
}
"""By country code, the beginnings of numbers that nobody has: in North America the exchange 555, of which 0100 to
0199 are set aside for fiction and none is a subscriber's; in Britain those for drama (Ofcom)."""

_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.][0-3]?\d|[0-3]?\d[-/.][0-3]?\d[-/.](?:19|20)\d\d)(?!\d)"
)
_YEARS = re.compile(r"\(?(?:1[5-9]|20)\d\d\)?(?:[ ./-]{1,3}\(?(?:1[5-9]|20)\d\d\)?)*")
_BREAK = re.compile(r" {2,}| [-/.] |\t|/(?=\+|\()|(?<=\d\d\d\d)[ /](?=\(|\d{3}[-.)])")
_CALL = re.compile(
    r"(?:phones?|tele?(?:phone|fon)?|t[ée]l(?:[ée]phone)?|m[oó]bil[e]?|handy|cell(?:ular)?|call(?:ing)?|fax|telefax|"
    r"dial|sms|text(?:ing)?|whatsapp|voice ?mail|tty|tdd|hotline|☎|📞)\W{0,4}(?:\w{1,12}\W{1,3}){0,3}$",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:isbn|issn|doi|oclc|pmid|pmcid|arxiv|rfc|patents?|serial|sku|ein|tin|upc|ean|gtin|asin|invoice|order|item|part|"
    r"model|account|acct|case|docket|versions?|id|grant|contract|document|doc|form|ref|reference|catalog(?:ue)?|"
    r"bug|issue|ticket|order|duns|naics|cas|uei|lccn|omb|control|fr|cfr|usc|clause|no|nr|pp?)(?:-1[03])?(?:\W{0,2}"
    r"(?:no|number|numbers|nr|id|code))?\W{0,3}|[$€£¥#№§=_/~^*])$",
    re.IGNORECASE,
)


def phones(text: str, runs: Sequence[tuple[int, int]], region: str) -> Iterator[Found]:
    """Phone numbers that may be a person's; those without a country code as `region` (ISO 3166) writes them."""
    for run_start, run_end in runs:
        start = _with_opening(text, run_start)
        for first, last in _pieces(plain(text[start:run_end]), start):
            if _may_be_phone(text, first, last):
                yield from _matches(text, first, last, region)


def _with_opening(text: str, start: int) -> int:
    """The run's start with the plus sign and bracket before it."""
    while start and text[start - 1] in "+＋(（":
        start -= 1
    return start


def _pieces(run: str, offset: int) -> Iterator[tuple[int, int]]:
    """The run cut where one number ends and another begins, as spans of the text."""
    start = 0
    for cut in _BREAK.finditer(run):
        yield offset + start, offset + cut.start()
        start = cut.end()
    yield offset + start, offset + len(run)


def _may_be_phone(text: str, start: int, end: int) -> bool:
    number = plain(text[start:end])
    if not MIN_DIGITS <= sum(map(str.isdigit, number)) <= MAX_DIGITS:
        return False
    if start and (text[start - 1].isalnum() or text[start - 1] in "_.,-/=#%$€£&~@"):
        return False
    if text[end : end + 1] in ("%", "_") or (text[end : end + 1].isalpha() and text[end] not in "xX"):
        return False
    if re.match(r"[,:]\d", text[end : end + 2]):
        return False
    return not (_DATE.match(number) or _YEARS.fullmatch(number))


def _matches(text: str, start: int, end: int, region: str) -> Iterator[Found]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    window_start = max(0, start - 2)
    window = text[window_start : end + AFTER_CHARS]
    international = plain(text[start:end]).lstrip("(").startswith(("+", "00"))
    leniency = Leniency.VALID if international else Leniency.STRICT_GROUPING
    for match in PhoneNumberMatcher(window, region, leniency=leniency, max_tries=20):
        first, last = window_start + match.start, window_start + match.end
        if start <= first < end and _is_subscribers(match) and _reads_as_phone(text, match, first, (start, end)):
            yield Found("phone", first, last)


def _reads_as_phone(text: str, match: PhoneNumberMatch, first: int, piece: tuple[int, int]) -> bool:
    """Whether the number is written as phone numbers are, or the words before it say that it is one."""
    written = plain(match.raw_string)
    if written.startswith(("+", "(+")):
        return True
    before = text[max(0, first - BEFORE_CHARS) : first]
    if _CALL.search(before):
        return True
    if written.isdigit() or _OTHER_NUMBER.search(before):
        return False
    rest = plain(text[piece[0] : first] + text[first + len(written) : piece[1]])
    if "/" in written and "-" not in written:
        return False
    return "-" in written or "(" in written or not any(map(str.isdigit, rest))


def _is_subscribers(match: PhoneNumberMatch) -> bool:
    """Whether the number can be a person's: not toll-free, premium, shared-cost, a company's, nor fictional."""
    from phonenumbers import PhoneNumberType, national_significant_number, number_type

    kinds = (
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    )
    if number_type(match.number) not in kinds:
        return False
    fictional = _FICTIONAL.get(match.number.country_code or 0)
    digits = national_significant_number(match.number)
    return len(set(digits)) > 1 and (fictional is None or not fictional.match(digits))
