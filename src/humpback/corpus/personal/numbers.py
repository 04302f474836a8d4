"""Numbers with rules of their own: payment cards, bank accounts, US Social Security numbers, IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from humpback.corpus.personal.found import DASHES, SPACES, Found, plain

ISSUERS = (
    (r"4", (13, 16, 19)),
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    (r"3[47]", (15,)),
    (r"6011|64[4-9]|65", (16, 19)),
    (r"30[0-5]|3095|36|3[89]", (14, 16, 19)),
    (r"352[89]|35[3-8]", (16, 19)),
    (r"62", (16, 17, 18, 19)),
    (r"50(?:18|20|38)|5893|6304|6759|676[1-3]", (13, 14, 15, 16, 17, 18, 19)),
)
"""First digits and lengths of Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay and Maestro cards
(ISO/IEC 7812 issuer ranges, as the networks publish them)."""

CARD_GROUPS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (6, 13), (4, 4, 4, 1)})
"""How cards' digits are printed; other groupings are other numbers."""

NOBODYS_SSN = frozenset({"078051120", "219099999", "123456789"})
"""Numbers withdrawn after they had been printed in advertisements (Social Security Administration), and the one that
every form gives as its example."""

RESOLVERS = frozenset({"1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9", "208.67.220.220", "208.67.222.222"})
"""Public name servers that manuals name; nobody's own (ours)."""

VERSION_PART = 32
"""Four numbers whose first three are all smaller are taken for a version or a section, unless the words before speak
of an address (ours: of 2^24 networks one in 500 looks so)."""

CONTEXT_CHARS = 40
"""How far before a number words about it are looked for (ours: some six words)."""

_RUN = re.compile(rf"\d[\d{SPACES}().／/．{DASHES}]{{5,}}(?<=\d)")
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}")
_GROUP = re.compile(r"\d+")
_CARD_WORD = re.compile(r"card|visa|amex|american express|diners|maestro|discover", re.IGNORECASE)
_IBAN = re.compile(rf"[A-Z]{{2}}\d\d(?:[{SPACES}{DASHES}]?[A-Z0-9]){{11,40}}", re.ASCII)
_SSN = re.compile(r"\d{3}([ -]?)\d{2}\1\d{4}")
_SSN_WORD = re.compile(r"\bssn\b|social.security", re.IGNORECASE)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_IPV6 = re.compile(r"[23][0-9a-f]{3}:[0-9a-f:]{2,34}", re.IGNORECASE)
_IP_WORD = re.compile(r"\bips?\b|address|\bhosts?\b|server|\bping\b|client|\bdns\b|gateway|\bfrom\b", re.IGNORECASE)
_TITLE = re.compile(rf"[.*]{{0,3}}[{SPACES}]+[*\"“]{{0,3}}[^\W\d_a-z]")
_VERSION_WORD = re.compile(
    r"(?:\b(?:versions?|ver|v|release|firmware|build|sections?|sect|§+|chapter|clause|rule|oid|paragraph|para|table|"
    r"figure|step|update|patch|appendix)|[/_=@])\W{0,3}$",
    re.IGNORECASE,
)


def digit_runs(text: str) -> list[tuple[int, int]]:
    """Where digits with nothing but spaces, dashes, dots, slashes and brackets between them stand, as spans."""
    return [run.span() for run in _RUN.finditer(text)]


def cards(text: str, runs: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Payment card numbers: an issuer's range and length, printed as cards are, with a right check digit."""
    for start, end in runs:
        run = plain(text[start:end])
        if end - start < 13:
            continue
        for match in _CARD.finditer(run):
            first, last = start + match.start(), start + match.end()
            if not _joined(text, first, last) and _is_card(match[0], text[max(0, first - CONTEXT_CHARS) : first]):
                yield Found("card", first, last)


def _is_card(number: str, before: str) -> bool:
    digits = re.sub(r"\D", "", number)
    if not any(len(digits) in lengths and re.match(first, digits) for first, lengths in ISSUERS):
        return False
    groups = tuple(len(group) for group in _GROUP.findall(number))
    if (len(groups) > 1 and groups not in CARD_GROUPS) or not _luhn(digits) or len(set(digits)) == 1:
        return False
    # Unbroken numbers of other lengths are article numbers and the like as often as not.
    return len(groups) > 1 or len(digits) in (15, 16) or _CARD_WORD.search(before) is not None


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def accounts(text: str, runs: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """International bank account numbers (ISO 13616): the country's form and length, and the remainder by 97."""
    for match in _IBAN.finditer(text):
        start = match.start()
        if start and text[start - 1].isalnum():
            continue
        end = _iban_end(plain(match[0]))
        if end and not _joined(text, start, start + end):
            yield Found("account", start, start + end)


def _iban_end(candidate: str) -> int:
    """Where the account number at the beginning of `candidate` ends; 0 where there is none."""
    from stdnum import iban

    for end in range(len(candidate), 14, -1):
        if candidate[end - 1] in " -" or (end < len(candidate) and candidate[end].isalnum()):
            continue
        number = candidate[:end]
        if len(iban.compact(number)) <= 34 and iban.is_valid(number, check_country=False):
            return end
    return 0


def social_security(text: str, runs: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """US Social Security numbers in ranges that are assigned; without hyphens only where the words before say so."""
    for start, end in runs:
        for match in _SSN.finditer(plain(text[start:end])):
            first, last = start + match.start(), start + match.end()
            digits = re.sub(r"\D", "", match[0])
            if _joined(text, first, last) or not _is_assigned(digits):
                continue
            if match[1] == "-" or _SSN_WORD.search(text[max(0, first - CONTEXT_CHARS) : first]):
                yield Found("us_ssn", first, last)


def _is_assigned(digits: str) -> bool:
    """Whether an SSN's parts are in use (Social Security Administration, "SSN randomization", 2011)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return False
    return digits not in NOBODYS_SSN and len(set(digits)) > 1


def addresses(text: str, runs: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Public IP addresses; no versions, networks, name servers, nor ranges kept for documentation."""
    for start, end in runs:
        for match in _IPV4.finditer(plain(text[start:end])):
            first, last = start + match.start(), start + match.end()
            if not _joined(text, first, last, also="/") and _is_host(match[0], text, (first, last)):
                yield Found("ip", first, last)
    if "::" not in text and text.count(":") < 7:
        return
    for match in _IPV6.finditer(text):
        number = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
        first, last = match.start(), match.start() + len(number)
        if not _joined(text, first, last, also="/:") and _is_public(number):
            yield Found("ip", first, last)


def _is_host(number: str, text: str, span: tuple[int, int]) -> bool:
    start, end = span
    parts = number.split(".")
    if number in RESOLVERS or parts[3] in ("0", "255") or not _is_public(number):
        return False
    before = text[max(0, start - CONTEXT_CHARS) : start].rpartition("\n")[2]
    if _VERSION_WORD.search(before):
        return False
    if _IP_WORD.search(before):
        return True
    is_heading = not before.strip(" \t\xa0#*|>-") and _TITLE.match(text, end) is not None
    return max(map(int, parts[:3])) >= VERSION_PART and not is_heading


def _is_public(number: str) -> bool:
    try:
        address = ipaddress.ip_address(number)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _joined(text: str, start: int, end: int, also: str = "") -> bool:
    """Whether the span is a piece of something longer: a word, a decimal number, a path, a longer row of digits."""
    before, after = plain(text[max(0, start - 2) : start]), plain(text[end : end + 2])
    if before and (before[-1].isalnum() or before[-1] in "_-.,/=#%&"[: 9 if before[:1].isalnum() else 7]):
        return True
    if len(before) == 2 and before[0].isdigit() and before[1] == " ":
        return True
    if after and (after[0].isalnum() or after[0] in "_" + also):
        return True
    return len(after) == 2 and after[0] in " -.,/" and after[1].isdigit()
