"""Documents of every kind of file, found in order and parsed, and those that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from humpback.config import IngestConfig
from humpback.corpus.documents import corpus_digest, read_documents
from humpback.corpus.front_matter import read_front_matter
from humpback.corpus.html import read_page
from humpback.corpus.parse import parse_document
from humpback.corpus.raw import RawDocument
from humpback.corpus.segment import segment_document
from humpback.errors import InputError
from humpback.records import Document, Dropped, DropReason

CONFIG = IngestConfig(max_broken_fraction=1.0)
PAGE = """<!DOCTYPE html><html><head><title> A  page
</title>{head}<style>p {{ color: red }}</style></head><body><nav><a href="/">Menu</a></nav><main><article>
<h1>Big</h1><p>Some words with a <a href="http://x.y/z">link</a> and 2*3*4, so that this is a paragraph.</p>
<script>bad()</script><h2>Small</h2><pre><code>def f():
    # no header
    return 1
</code></pre><p>More words stand here, after the code and before the list that ends the page.</p>
<ol><li>first</li><li>second</li></ol><img src="i.png" alt="picture"></article></main></body></html>"""


def read(*inputs: Path | str, config: IngestConfig = CONFIG) -> list[Document | Dropped]:
    found = read_documents([str(one) for one in inputs], config)
    return [parse_document(one) if isinstance(one, RawDocument) else one for one in found]


def one(folder: Path, name: str, content: str | bytes, config: IngestConfig = CONFIG) -> Document | Dropped:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = read(path, config=config)
    return found


def test_markdown_keeps_its_text_and_gives_title_and_licence(tmp_path):
    text = "---\ntitle: 'A &amp; B'\nlicense: CC0-1.0\n---\r\n\n# Head\n"
    found = one(tmp_path, "a.MD", text)
    assert isinstance(found, Document)
    assert (found.text, found.title, found.source.licence) == (text, "A & B", "CC0-1.0")
    assert found.source.uri == str(tmp_path / "a.MD")


@pytest.mark.parametrize(
    ("text", "end", "title"),
    [
        ("---\ntitle: a: b: [c\n---\nx", 24, "a: b: [c"),
        ("---\ntitle: 2048\n---\nx", 20, "2048"),
        ("---\ntitle: [a]\n...\nx", 19, None),
        ("\n\n---\ntitle: a\n---", 18, "a"),
        ("---\n---\nx", 8, None),
        ("---\nProse between two rules.\n---\nx", 0, None),
        ("---\ntitle: never closed\nx", 0, None),
        ("--- x\ntitle: a\n---\n", 0, None),
        ("---\na: &a [1]\nb: *a\n!!python/object:os.system c: d\n---\n", 55, None),
        ("---\na: " + "[" * 10_000 + "\n---\n", 10_012, None),
        ("x\n---\ntitle: a\n---\n", 0, None),
    ],
)
def test_front_matter(text, end, title):
    found = read_front_matter(text)
    assert (found.end, found.title) == (end, title)


def test_plain_text_is_called_after_its_file(tmp_path):
    found = one(tmp_path, "my notes.txt", "a\r\nb\n")
    assert isinstance(found, Document)
    assert (found.title, found.text) == ("my notes", "a\r\nb\n")


def test_html_becomes_markdown(tmp_path):
    head = '<link rel="canonical" href="https://a.b/c"><link rel="license" href="https://l.m/n">'
    found = one(tmp_path, "a.html", PAGE.format(head=head))
    assert isinstance(found, Document)
    assert found.title == "A page"
    assert found.source.uri == "https://a.b/c"
    assert found.source.record == str(tmp_path / "a.html")
    assert found.source.licence == "https://l.m/n"
    for piece in (
        "# Big",
        "a link and 2*3*4",
        "## Small",
        "```\ndef f():\n    # no header\n    return 1\n```",
        "1. first",
    ):
        assert piece in found.text
    for piece in ("Menu", "bad()", "color", "picture", "http"):
        assert piece not in found.text
    segments = segment_document(found, IngestConfig(min_chars=10))
    assert [segment.headers for segment in segments.kept] == [["A page", "Big"]]


def test_html_without_an_address_is_its_file(tmp_path):
    found = one(tmp_path, "a.htm", PAGE.format(head='<link rel="canonical" href="/c">'))
    assert (found.source.uri, found.source.record) == (str(tmp_path / "a.htm"), None)


@pytest.mark.parametrize("tag", ["div", "blockquote", "ul><li", "b", "table><tr><td", "span"])
def test_deep_html_is_read(tag):
    assert isinstance(read_page(f"<main>{f'<{tag}>' * 2000}{'some words ' * 50}").text, str)


@pytest.mark.parametrize("html", ["", "<", "<!--", "<html>", "a\0b", "<title></title>", "&#0;&#xD800;<p>x"])
def test_odd_html_is_read(html):
    read_page(html).text.encode()


@pytest.mark.parametrize(("name", "good"), [("a.md", b"x"), ("a.txt", b"x"), ("a.html", b"<p>x")])
def test_bytes_that_are_no_text_are_set_aside(tmp_path, name, good):
    bad = one(tmp_path, name, b"PNG\0\x81\xff")
    assert isinstance(bad, Dropped)
    assert (bad.reason, bad.detail) == (DropReason.NOT_A_DOCUMENT, "binary data")
    assert isinstance(one(tmp_path, name, good), Document)


def test_rows_with_provenance(tmp_path):
    rows = [
        {"body": "a", "title": "T", "url": "https://x", "license_id": "CC0"},
        {"body": "b", "url": None},
        {"body": 3},
        {"other": "c"},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    found = read(path, config=IngestConfig(text_column="body", max_broken_fraction=1.0))
    first, second, *bad = found
    assert isinstance(first, Document)
    assert (first.title, first.source.uri, first.source.licence) == ("T", "https://x", "CC0")
    assert first.source.record == f"{path}:1"
    assert (second.source.uri, second.source.record) == (str(path), "2")
    assert [one.reason for one in bad if isinstance(one, Dropped)] == [DropReason.UNREADABLE] * 3
    assert [one.source.record for one in bad] == ["3", "4", "5"]
    assert len({one.id for one in bad if isinstance(one, Dropped)}) == 3
    with pytest.raises(InputError) as caught:
        read(path, config=IngestConfig(text_column="nothing", max_broken_fraction=1.0))
    for piece in ("a.jsonl", "body, title, url", "ingest.text_column"):
        assert piece in str(caught.value)


def test_parquet_and_csv(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("text\nc\n")
    found = read(tmp_path)
    assert [one.text for one in found] == ["a", "", "c"]
    assert isinstance(found[1], Dropped)


def test_order_and_max_documents(tmp_path):
    for name in ("b.md", "a.txt", "c/d.md", ".e.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [one.text for one in read(tmp_path)] == ["a.txt", "b.md", "c/d.md"]
    assert [one.text for one in read(tmp_path, config=IngestConfig(max_documents=2))] == ["a.txt", "b.md"]
    (tmp_path / "aa.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    found = read(tmp_path, config=IngestConfig(max_documents=2))
    assert [one.text for one in found if isinstance(one, Document)] == ["a.txt", "b.md"]
    assert [one.detail for one in found if isinstance(one, Dropped)] == ["image/png"]
    with pytest.raises(InputError, match=r"^corpus: "):
        read(tmp_path / "none")


def test_urls_are_read(tmp_path):
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe_file("/corpus/a.md", b"# A")
    files.pipe_file("/corpus/b.jsonl", b'{"text": "b"}\n')
    try:
        found = read("memory://corpus")
        digest = corpus_digest(["memory://corpus"])
        files.pipe_file("/corpus/a.md", b"# Another")
        assert corpus_digest(["memory://corpus"]) != digest
    finally:
        files.store.clear()
    assert [one.text for one in found] == ["# A", "b"]
    assert [str(one.source) for one in found] == ["memory:///corpus/a.md", "memory:///corpus/b.jsonl:1"]


def test_installed_packages():
    found = read("packages")
    names = [str(one.source.record).split()[0] for one in found]
    assert "typer" in names
    assert "humpback" not in names
    assert len(set(names)) == len(names)
    assert found == read("packages")
    for one in found:
        assert isinstance(one, Document)
        assert one.source.uri.startswith("http")
    assert any(one.source.licence for one in found)


def test_digest(tmp_path):
    (tmp_path / "a.md").write_text("a")
    before = corpus_digest([str(tmp_path)])
    assert before == corpus_digest([str(tmp_path)])
    assert corpus_digest([str(tmp_path), "packages"]) != before
    (tmp_path / "a.md").write_text("b")
    assert corpus_digest([str(tmp_path)]) != before
