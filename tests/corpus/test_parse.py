"""Bytes become text whatever they state, and documents of each form become Markdown."""

from __future__ import annotations

import importlib.util
import io
import zipfile

import pytest

from humpback.corpus.decoding import decode_html, decode_text
from humpback.corpus.parse import parse_document
from humpback.corpus.raw import Form, RawDocument
from humpback.errors import MissingDependencyError
from humpback.records import Source

HERE = Source(uri="here")
TEXTS = {
    "windows-1251": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. ",
    "koi8-r": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. ",
    "shift_jis": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で",
    "euc-jp": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で",
    "iso-2022-jp": "吾輩は猫である。名前はまだ無い。",
    "gbk": "道可道,非常道;名可名,非常名。无名天地之始,有名万物之母。故常无欲,以观其妙。",
    "big5": "道可道,非常道;名可名,非常名。無名天地之始,有名萬物之母。故常無欲,以觀其妙。",
    "euc-kr": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "cp1252": "Le cœur déçu mais l’âme plutôt naïve, Louÿs rêva de crapaüter en canoë au delà des îles.",
    "iso-8859-2": "Zażółć gęślą jaźń. Wszyscy ludzie rodzą się wolni i równi pod względem swej godności.",
    "cp1253": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "cp1256": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.",
}


def page(text: str, stated: str | None) -> str:
    meta = f'<meta charset="{stated}">' if stated else ""
    return f"<html><head>{meta}<title>x</title></head><p>{text * 4}</p>"


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("stated", ["truly", None, "utf-8", "iso-8859-1", "no-such-encoding"])
def test_encodings_stated_unstated_and_lying(encoding, stated):
    stated = encoding if stated == "truly" else stated
    for in_page, in_header in ((stated, None), (None, stated)):
        html = page(TEXTS[encoding], in_page)
        assert decode_html(html.encode(encoding), in_header) == html


@pytest.mark.parametrize("stated", ["windows-1251", "shift_jis", "iso-8859-1", None])
def test_utf8_is_utf8_whatever_is_stated(stated):
    for text in TEXTS.values():
        html = page(text, stated)
        assert decode_html(html.encode(), stated) == html
        assert decode_html(b"\xef\xbb\xbf" + html.encode(), stated) == html
        assert decode_html(html.encode("utf-16"), stated) == html
        assert decode_html(html.encode("utf-16-le"), stated) == html


def test_what_the_header_states_counts_before_the_page():
    html = page("Tschüß, Grüße, Mädchen, größer, hören, für, über, müssen. ", "utf-8")
    assert decode_html(html.encode("cp1252"), "windows-1252") == html


def test_a_few_faults_do_not_make_utf8_another_encoding():
    text = "Prix élevé, déjà vu, garçon, où, élève. "
    assert decode_text(text.encode() * 3 + b"\xff" + text.encode() * 3) == text * 3 + "\ufffd" + text * 3
    assert decode_text(text.encode() + "é".encode()[:1]) == text + "\ufffd"


def test_sparse_signs_are_western():
    assert decode_text(b"It costs \xa35 and that\x92s all.") == "It costs £5 and that’s all."
    assert decode_html(b"<p>It costs \xa35") == "<p>It costs £5"


def test_a_nul_in_a_page_is_left_out_and_makes_text_unreadable():
    assert decode_html(b"<p>a\0b") == "<p>ab"
    with pytest.raises(ValueError, match="NUL"):
        decode_text(b"a\0b")


def test_text_and_titles():
    def parsed(data: bytes | str, form: Form, title: str = "") -> tuple[str, str, str | None]:
        found = parse_document(RawDocument(data, form, HERE, title))
        return found.text, found.title, found.source.licence

    front = "---\ntitle: T\nlicense: CC0\n---\n# a\n"
    assert parsed(front, Form.MARKDOWN) == (front, "T", "CC0")
    assert parsed(front, Form.MARKDOWN, "named") == (front, "named", "CC0")
    assert parsed("# é".encode("cp1252"), Form.TEXT, "name") == ("# é", "name", None)
    assert parsed("<title>T</title><p>x", Form.HTML, "named")[1] == "named"
    assert parsed("<title>T</title><p>x", Form.HTML)[1] == "T"


def test_the_address_of_a_page_counts_only_for_files():
    html = '<link rel="canonical" href="https://a.b/c"><link rel="license" href="https://l.m/n"><p>x</p>'
    crawled = Source(uri="https://a.b/c?d", record="x.warc@0", licence=None)
    found = parse_document(RawDocument(html, Form.HTML, crawled)).source
    assert found == Source(uri="https://a.b/c?d", record="x.warc@0", licence="https://l.m/n")
    member = Source(uri="a.zip", record="b/c.html", licence="stated")
    found = parse_document(RawDocument(html, Form.HTML, member)).source
    assert found == Source(uri="https://a.b/c", record="a.zip!b/c.html", licence="stated")


def docx() -> bytes:
    """A file with a heading, a paragraph and a list, as a word processor writes it."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    text = "Enough words stand in this paragraph that nobody takes it for navigation."
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0"?><w:document {space}><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"'
        f"/></w:pPr><w:r><w:t>A head &amp; more</w:t></w:r></w:p><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
        "</w:document>",
        "word/styles.xml": f'<?xml version="1.0"?><w:styles {space}><w:style w:type="paragraph" w:styleId="Heading1">'
        '<w:name w:val="heading 1"/></w:style></w:styles>',
        "docProps/core.xml": '<?xml version="1.0"?><c xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The &amp;'
        " title</dc:title></c>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def pdf(text: str, title: str = "") -> bytes:
    """A page with one line of text, as the format's specification shows it."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (%s) >>" % title.encode(),
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF" % len(data)
    return data + b"xref\n0 7\n0000000000 65535 f \n" + table + trailer


def test_pdf():
    pytest.importorskip("pypdf")
    found = parse_document(RawDocument(pdf("Hello there", "A title"), Form.PDF, HERE, "name"))
    assert (found.text, found.title) == ("Hello there", "A title")
    assert parse_document(RawDocument(pdf("Hello"), Form.PDF, HERE, "name")).title == "name"
    for broken in (b"%PDF-1.4\n", pdf("x")[:200], b"%PDF-1.4\n" + b"<<" * 10_000):
        with pytest.raises(ValueError, match="broken PDF"):
            parse_document(RawDocument(broken, Form.PDF, HERE))


def test_encrypted_pdf():
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf("secret"))))
    writer.encrypt("password", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    with pytest.raises(ValueError, match="password"):
        parse_document(RawDocument(file.getvalue(), Form.PDF, HERE))


def test_docx():
    pytest.importorskip("mammoth")
    found = parse_document(RawDocument(docx(), Form.DOCX, HERE, "name"))
    assert found.title == "The & title"
    assert found.text.startswith("# A head & more\n\nEnough words")
    for broken in (b"PK\x03\x04", docx()[:300]):
        with pytest.raises(ValueError, match="broken DOCX"):
            parse_document(RawDocument(broken, Form.DOCX, HERE))


@pytest.mark.parametrize(("form", "package"), [(Form.PDF, "pypdf"), (Form.DOCX, "mammoth")])
def test_a_missing_package_is_named(form, package, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(MissingDependencyError, match=r"pip install \"humpback\[documents\]\""):
        parse_document(RawDocument(b"", form, HERE))
