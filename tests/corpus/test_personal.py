"""Personal data in texts: what is found, what belongs to nobody, and what only looks like it."""

from __future__ import annotations

import time

import pytest

from humpback.config import PersonalDataConfig
from humpback.corpus.personal import find, redact

PERSONAL = [
    # e-mail addresses
    ("Write to jane.smith@gmail.com today.", "email", "jane.smith@gmail.com"),
    ("Mail [Jane](mailto:jane.smith@gsa.gov).", "email", "jane.smith@gsa.gov"),
    ("<j.o'neil+news@mail.uni-bonn.de>", "email", "j.o'neil+news@mail.uni-bonn.de"),
    ("Ask jane_smith@state.co.us.", "email", "jane_smith@state.co.us"),
    ("müller@köln-bücher.de", "email", "müller@köln-bücher.de"),
    ("Write to smith [at] physics [dot] edu.", "email", "smith [at] physics [dot] edu"),
    ("Write to smith(at)physics.edu now", "email", "smith(at)physics.edu"),
    ("Write to jane.smith AT kernel DOT org now", "email", "jane.smith AT kernel DOT org"),
    ("Write to smith at mail dot physics dot edu now", "email", "smith at mail dot physics dot edu"),
    ("jane＠gmail.com", "email", "jane＠gmail.com"),
    ("Write to jane dot smith at cs dot ox dot ac dot uk", "email", "jane dot smith at cs dot ox dot ac dot uk"),
    ("Write to jane.smith@cs[dot]ox[dot]ac[dot]uk", "email", "jane.smith@cs[dot]ox[dot]ac[dot]uk"),
    ("[email](mailto:%20bill@brantley.com)", "email", "bill@brantley.com"),
    ("[Email us](mailto:jane.smith@gsa.gov)", "email", "jane.smith@gsa.gov"),
    ("Ask our team's lead, steventhomas@gsa.gov", "email", "steventhomas@gsa.gov"),
    # phone numbers
    ("Call 202-456-1111 today.", "phone", "202-456-1111"),
    ("Our man is at (202) 456-1111.", "phone", "(202) 456-1111"),
    ("202.456.1111", "phone", "202.456.1111"),
    ("Reach her on 1-202-456-1111!", "phone", "1-202-456-1111"),
    ("Phone: 2024561111", "phone", "2024561111"),
    ("Her phone number is 202 456 1111.", "phone", "202 456 1111"),
    ("+1 202 456 1111", "phone", "+1 202 456 1111"),
    ("tel:+12024561111", "phone", "+12024561111"),
    ("+44 20 7930 4832", "phone", "+44 20 7930 4832"),
    ("+49 (0)30 227 32152", "phone", "+49 (0)30 227 32152"),
    ("+33 1 44 55 57 50", "phone", "+33 1 44 55 57 50"),
    ("202\u2011456\u20111111", "phone", "202\u2011456\u20111111"),
    ("(202)\u00a0456\u20131111", "phone", "(202)\u00a0456\u20131111"),
    ("Call \uff12\uff10\uff12-\uff14\uff15\uff16-\uff11\uff11\uff11\uff11", "phone", "２０２-４５６-１１１１"),
    ("```\ncontact = '202-456-1111'\n```", "phone", "202-456-1111"),
    # cards
    ("Card 4111 1111 1111 1111, please", "card", "4111 1111 1111 1111"),
    ("5500-0000-0000-0004", "card", "5500-0000-0000-0004"),
    ("378282246310005", "card", "378282246310005"),
    ("3782 822463 10005", "card", "3782 822463 10005"),
    ("6011\u00a01111\u00a01111\u00a01117", "card", "6011\u00a01111\u00a01111\u00a01117"),
    ("number = 4111111111111111;", "card", "4111111111111111"),
    # bank accounts
    ("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", "account", "DE89 3704 0044 0532 0130 00"),
    ("GB82WEST12345698765432", "account", "GB82WEST12345698765432"),
    ("an FR14 2004 1010 0505 0001 3M02 606 zahlen", "account", "FR14 2004 1010 0505 0001 3M02 606"),
    # IP addresses
    ("A request from 91.198.174.192 came in.", "ip", "91.198.174.192"),
    ("The server 5.9.21.17 is down", "ip", "5.9.21.17"),
    ("host 2a00:1450:4001:81b::200e answered", "ip", "2a00:1450:4001:81b::200e"),
    # US Social Security numbers
    ("His number is 536-22-1846.", "us_ssn", "536-22-1846"),
    ("SSN 536 22 1846", "us_ssn", "536 22 1846"),
    ("Social Security number: 536221846", "us_ssn", "536221846"),
]

NOT_PERSONAL = [
    # offices, lists, placeholders, and what is no address
    "Write to info@gsa.gov, press-office@nasa.gov or no-reply@list.org.",
    "webmaster@site.gov, Support@Apple.com, customer.service@shop.com, foia_officer@epa.gov",
    "someone@example.com, jane@mail.example.org, bob@host.test, x@y.invalid, root@db.localhost",
    "federalfrontdoor.team@gsa.gov, customerexperience@gsa.gov, usagov@gsa.gov, 18f@gsa.gov, uswds@support.gsa.gov",
    "Contact the archive team at [dap@gsa.gov](mailto:dap@gsa.gov). Write to us at icam@gsa.gov.",
    "[email us](mailto:icam@gsa.gov), %20webmaster@gsa.gov, fema-news@fema.gov",
    "control@bugs.host.org, distutils-sig@python.org, gnu-arch@lists.gnu.org",
    "Enter your.name@gmail.com or username@yahoo.com.",
    "git@github.com:owner/project.git and icon@2x.png and react@18.2.0",
    "Follow @jane.smith or @jane@mastodon.social, see https://medium.com/@jane.smith",
    "We looked at the dot com bubble, and at a dot org later.",
    "The function f(at) and the array a[at] in C.",
    "@app.route('/') and @ 5 dollars each; a@b",
    # numbers of nobody
    "Call 1-800-829-1040 or (888) 333-4444, or 1-900-555-1234.",
    "Call 202-555-0143 or (555) 123-4567 or 123-456-7890.",
    "Call +44 20 7946 0123 or +44 800 123 4567.",
    "Dial 911, 311 or 1-1-2.",
    # numbers that are no phone's
    "ISBN 978-0-13-468599-1, ISBN 0-306-40615-2, ISSN 2049-3630",
    "From 2015-2016 to 2019-2020, on 2019-03-04 and 04/05/2019.",
    "It is 1914-1918, 10-12-2019 14:00, 20190304123000.",
    "It costs $2,024,561,111 or 202.456.111,10 euros.",
    "Version 202.456.1111 of build 2024561111",
    "Order 202-456-1111, item no. 2024561111, patent 202-456-1111",
    "Pi is 3.1415926535 and e is 2.7182818284.",
    "as defined in Clause\n252.227-7013, size 659/5000000 bytes, mask +7 (999) 999-99-99",
    "2024561111 rows and 2024561112 columns",
    "12 34 56 78 90 12 34 56 78",
    "202 456 1111 202 456 1112 203 456 1113",
    "| 202 | 456 | 1111 |",
    "https://example.net/article/202-456-1111/page?id=2024561111",
    "doi:10.1000/202-456-1111, arXiv 2202.45611",
    "ZIP 20500-0003, case 19-1392-2021, 38.8977 -77.0365",
    "sha 2024561111abcdef, model X202-456-1111",
    "1,202,456,111 people; 202,456 km",
    "UTC-05:00, 12:30:45, 2020-01-02T03:04:05Z",
    # no cards
    "4111 1111 1111 1112 and 1234 5678 9012 3452",
    "9999 9999 9999 9995, EAN 4006381333931, 4.111111111111111",
    "14111111111111111, 4111111111111111a, /4111111111111111",
    "0.4111111111111111 and 1 4111 1111 1111 1111",
    # no accounts
    "DE88 3704 0044 0532 0130 00, XX89 3704 0044 0532 0130 00, DE89 3704 0044 0532 0130",
    # no persons' addresses in networks
    "127.0.0.1, 10.1.2.3, 192.168.178.21, 192.0.2.17, 198.51.100.7, 203.0.113.9, 255.255.255.0, 224.0.0.5",
    "version 91.198.174.192, v91.198.174.192, Chrome/91.198.174.192, 91.198.174.192.5, 256.1.2.3",
    "207.5.2.1 Life-Threatening Injury\n## 207.5.2.2 Other Injury",
    "43.13.2.3.\u00a0RETURN NEXT\n\n91.198.255.255 and 91.198.174.0",
    "1.2.3.4 Further rules\nSection 4.17.2.9\n91.198.174.0/24, 8.8.8.8",
    "::1, fe80::1, 2001:db8::17, std::string, ff02::1, 12:30:45",
    # no social security numbers
    "000-12-3456, 666-12-3456, 912-12-3456, 536-00-1846, 536-22-0000, 078-05-1120, 123-45-6789",
    "1536-22-1846, 536-22-18467, 536 22 1846",
]


def _found(text: str, config: PersonalDataConfig | None = None) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text, config or PersonalDataConfig())]


@pytest.mark.parametrize(("text", "kind", "expected"), PERSONAL)
def test_personal_data_is_found(text: str, kind: str, expected: str) -> None:
    assert _found(text) == [(kind, expected)]


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_nobodys_data_is_left_alone(text: str) -> None:
    assert _found(text) == []


def test_kinds_not_wanted_are_left_alone() -> None:
    text = "jane.smith@gmail.com, 202-456-1111"
    assert _found(text, PersonalDataConfig(kinds=["phone"])) == [("phone", "202-456-1111")]
    assert _found(text, PersonalDataConfig(kinds=[])) == []


@pytest.mark.parametrize(
    ("region", "text"),
    [("DE", "030 22732152"), ("GB", "020 7930 4832"), ("FR", "01 44 55 57 50"), ("IN", "022 2272 2039")],
)
def test_numbers_without_country_code_are_the_regions(region: str, text: str) -> None:
    assert _found(f"Tel. {text}.", PersonalDataConfig(phone_region=region)) == [("phone", text)]
    assert _found(f"Tel. {text}.") == []


def test_several_stand_side_by_side() -> None:
    text = "(202) 456-1111 / (202) 456-1414, jane@gmail.com; 91.198.174.192"
    assert [kind for kind, _ in _found(text)] == ["phone", "phone", "email", "ip"]


def test_redact_puts_the_kind_in_the_place_of_each() -> None:
    text = "Jane (jane@gmail.com, 202-456-1111) pays with 4111 1111 1111 1111 from 91.198.174.192."
    found = find(text, PersonalDataConfig())
    assert redact(text, found) == "Jane (<email>, <phone>) pays with <card> from <ip>."
    assert redact(text, []) == text


def test_redacted_text_holds_nothing_more() -> None:
    for text, _, _ in PERSONAL:
        config = PersonalDataConfig()
        assert find(redact(text, find(text, config)), config) == []


@pytest.mark.parametrize(
    "text",
    [
        "@" * 50_000,
        "a@" * 25_000,
        "a." * 25_000 + "@",
        "1 " * 25_000,
        "1-" * 25_000,
        "2001:" * 10_000,
        "DE89" * 12_000,
        "1.1.1.1 " * 6_000,
        "[at]" * 12_000,
        " dot at" * 7_000,
        "(" * 50_000 + "2024561111",
        "((1" * 16_000,
        "a at b dot " * 4_000,
        "\ud800\0@\ud800.com" * 5_000,
        "202-456-1111" * 4_000,
        "+1" * 25_000,
        "4111 " * 10_000,
        "٢" * 50_000,
    ],
)
def test_hostile_text_takes_no_long(text: str) -> None:
    start = time.perf_counter()
    find(text, PersonalDataConfig())
    assert time.perf_counter() - start < 2
