"""One raw document all the way to its segments."""

from __future__ import annotations

import hashlib

import pytest

from humpback.config import IngestConfig, PersonalDataConfig
from humpback.corpus import Form, RawDocument, segments_of, stopped, whole_document
from humpback.records import Document, Dropped, DropReason, Source

TEA = (
    "Tea is made by pouring hot water over the leaves of a plant that grows in the hills of many countries. The leaves "
    "are picked by hand in the early morning and are dried on the same day, before they can spoil. "
)
MILK = (
    "Milk was once brought to the door of every house in the town by a man with a horse and a cart. He left bottles "
    "on the step and took the empty ones with him, and that was how people had butter for their bread. "
)
WATER = (
    "Water that comes out of the ground has been there for a long time, and it carries what the stones gave to it. "
    "That is why the taste of a spring is not the taste of the next one, and why a kettle turns white inside. "
)
BREAD = (
    "Bread needs flour, salt and time, and those who have no time buy it from the baker who got up at three. A loaf "
    "that was made the day before is better for soup, and one that is still warm should not be cut with a dull knife. "
)
CONFIG = IngestConfig(min_chars=300, max_chars=1200)


def page(*sections: tuple[str, str]) -> RawDocument:
    body = "".join(f"<h2>{header}</h2><p>{text}</p>" for header, text in sections)
    html = f"<html><head><title>Drinks</title></head><body><main><h1>Drinks</h1>{body}</main></body></html>"
    return RawDocument(html.encode(), Form.HTML, Source("https://example.org/drinks", "crawl.warc@12", fetched="2026"))


def test_a_page_becomes_segments_with_their_source():
    found = segments_of(page(("How tea is made", TEA * 1 + MILK + WATER)), CONFIG)
    (segment,) = found.kept
    document = whole_document(page(("How tea is made", TEA + MILK + WATER)))
    assert isinstance(document, Document)
    source = segment.source
    assert segment.text == document.text[source.start : source.end]
    assert source.sha256 == hashlib.sha256(segment.text.encode()).hexdigest()
    assert (source.uri, source.record, source.fetched) == ("https://example.org/drinks", "crawl.warc@12", "2026")
    assert segment.language == "en"
    assert segment.headers[0] == "Drinks"


def test_personal_data_costs_its_own_section_only():
    marked = TEA + "Write to m.okafor@mail.example.net about it. ".replace("example.net", "tealeaves.net") + WATER
    sections = (("How tea is made", marked), ("How milk came to the town", MILK + BREAD))
    found = segments_of(page(*sections), CONFIG.model_copy(update={"max_chars": 1500}))
    assert [segment.headers[-1] for segment in found.kept] == ["How milk came to the town"]
    assert {row.reason for row in found.dropped} == {DropReason.PERSONAL_DATA}
    assert all("email" in row.detail for row in found.dropped)


def test_personal_data_can_be_redacted_or_kept():
    raw = page(("How tea is made", TEA + MILK + "Write to m.okafor@tealeaves.net about it. " + WATER))
    redact = CONFIG.model_copy(update={"personal_data": PersonalDataConfig(action="redact")})
    (segment,) = segments_of(raw, redact).kept
    assert "Write to <email> about it." in segment.text
    assert "okafor" not in segment.text
    keep = CONFIG.model_copy(update={"personal_data": PersonalDataConfig(action="keep")})
    (segment,) = segments_of(raw, keep).kept
    assert "m.okafor@tealeaves.net" in segment.text


def test_other_languages_are_set_aside_and_named():
    french = (
        "Le thé est une boisson que l'on prépare avec les feuilles d'un arbuste, et que l'on boit chaude dans bien "
        "des pays. Les feuilles sont cueillies à la main, puis séchées le jour même avant d'être envoyées au marché. "
    )
    more = (
        "Chaque région a ses habitudes: ici on ajoute du sucre et de la menthe, là-bas un peu de lait. Personne ne "
        "s'accorde sur la durée de l'infusion, mais tout le monde sait reconnaître une tasse trop amère. "
    )
    raw = page(("Le thé", french + more))
    rows = [row for row in segments_of(raw, CONFIG).dropped if row.reason == DropReason.OTHER_LANGUAGE]
    assert {row.detail for row in rows} == {"the language is 'fr'"}
    every = segments_of(raw, CONFIG.model_copy(update={"languages": None}))
    assert [segment.language for segment in every.kept] == ["fr"]


@pytest.mark.parametrize(
    ("data", "form", "reason"),
    [
        (b"<html><body><script>1</script></body></html>", Form.HTML, DropReason.NO_CONTENT),
        (b"", Form.HTML, DropReason.NO_CONTENT),
        (b" \n", Form.TEXT, DropReason.NO_CONTENT),
        (b"a\0b", Form.MARKDOWN, DropReason.UNREADABLE),
        (b"no pdf", Form.PDF, DropReason.UNREADABLE),
        (b"no docx", Form.DOCX, DropReason.UNREADABLE),
    ],
)
def test_what_holds_nothing_or_cannot_be_read_is_one_row(data, form, reason):
    (row,) = segments_of(RawDocument(data, form, Source("x")), CONFIG).dropped
    assert row.reason == reason
    assert "\0" not in row.text


def test_dropped_rows_pass_through_and_stopped_ones_say_why():
    row = Dropped("id", DropReason.TOO_LARGE, "detail", "", Source("x"))
    assert segments_of(row, CONFIG).dropped == [row]
    halted = stopped(RawDocument("text " * 1000, Form.TEXT, Source("x")), "took longer than 20 s")
    assert (halted.reason, halted.detail) == (DropReason.STOPPED, "took longer than 20 s")
    assert halted.text == "text " * 400


def test_a_site_that_was_taken_down_leaves_no_text():
    found = segments_of(page(("How tea is made", TEA + MILK + WATER)), CONFIG, ["example.org"])
    assert found.kept == []
    (row,) = found.dropped
    assert (row.reason, row.text, row.source.uri) == (DropReason.TAKEN_DOWN, "", "https://example.org/drinks")
