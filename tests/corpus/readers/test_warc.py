"""Records of crawls: each accounted for, good ones behind broken ones found."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections import Counter
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from humpback.config import IngestConfig, LimitsConfig
from humpback.corpus.documents import read_documents
from humpback.corpus.raw import Form, RawDocument
from humpback.corpus.readers.http import parse_response
from humpback.corpus.readers.payload import payload_form
from humpback.corpus.readers.sniff import Foreign
from humpback.records import Dropped, DropReason

CONFIG = IngestConfig(limits=LimitsConfig(max_document_bytes=5000))
PAGE = b"<html><p>A page.</p></html>"
GZIP = "Content-Encoding: gzip\r\n"
BROTLI = "Content-Encoding: br\r\n"
PACK = {".gz": gzip.compress, ".zst": zstandard.compress, ".lz4": lz4.frame.compress}


def record(
    block: bytes,
    kind: str = "response",
    uri: str = "http://a.b/",
    media: str = "application/http",
    length: int | None = None,
) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: 2020-01-02T03:04:05Z\r\n"
        f"Content-Type: {media}\r\nContent-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body: bytes = PAGE, media: str = "text/html", status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}\r\n".encode() + body


def read(folder: Path, data: bytes, name: str = "x.warc", config: IngestConfig = CONFIG) -> list[RawDocument | Dropped]:
    (folder / name).write_bytes(data)
    return list(read_documents([str(folder / name)], config))


def told(found: list[RawDocument | Dropped]) -> list[object]:
    """Forms of documents, reasons of the others."""
    return [one.reason if isinstance(one, Dropped) else one.form for one in found]


def test_a_page_with_its_provenance(tmp_path):
    data = record(b"software: x", "warcinfo") + record(http(media="text/html; charset=KOI8-R"), uri="<http://a.b/c>")
    info, page = read(tmp_path, data)
    assert isinstance(info, Dropped)
    assert (info.reason, info.detail) == (DropReason.NOT_A_DOCUMENT, "record of type warcinfo")
    assert isinstance(page, RawDocument)
    assert (page.data, page.form, page.encoding) == (PAGE, Form.HTML, "KOI8-R")
    assert (page.source.uri, page.source.fetched) == ("http://a.b/c", "2020-01-02T03:04:05Z")
    assert page.source.record == f"{tmp_path}/x.warc@{data.index(b'WARC/1.0', 10)}"


@pytest.mark.parametrize("suffix", PACK)
def test_offsets_are_those_of_the_file_as_stored(tmp_path, suffix):
    pieces = [PACK[suffix](record(http(), uri=f"http://a.b/{n}")) for n in range(4)]
    found = read(tmp_path, b"".join(pieces), f"x.warc{suffix}")
    for one in found:
        name, _, offset = str(one.source.record).rpartition("@")
        assert name == f"{tmp_path}/x.warc{suffix}"
        data = b"".join(pieces)[int(offset) :]
        assert data.startswith(pieces[int(one.source.uri[-1])])


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_compressed_as_one_piece_numbers_its_records(tmp_path, suffix):
    found = read(tmp_path, PACK[suffix](b"".join(record(http()) for _ in range(3))), f"x.warc{suffix}")
    assert [str(one.source.record).rpartition("/")[2] for one in found] == [
        f"x.warc{suffix}@0",
        f"x.warc{suffix}@0#2",
        f"x.warc{suffix}@0#3",
    ]


@pytest.mark.parametrize(
    ("data", "expected", "detail"),
    [
        (record(http(b"plain words", "text/plain")), Form.TEXT, ""),
        (record(http(b"# words", "text/markdown")), Form.MARKDOWN, ""),
        (record(http(b"# words", "text/plain"), uri="http://a.b/README.md?raw"), Form.MARKDOWN, ""),
        (record(http(b"%PDF-1.4", "application/pdf")), Form.PDF, ""),
        (record(http(PAGE, "application/xhtml+xml")), Form.HTML, ""),
        (record(http(PAGE, "image/png")), Form.HTML, ""),
        (record(http(PAGE, "")), Form.HTML, ""),
        (record(http(b"just words", "text/html")), Form.TEXT, ""),
        (record(http(b"Hm <b>words</b>", "text/html")), Form.HTML, ""),
        (record(http(b"a,b\n1,2\n3,4\n", "text/plain")), Form.TEXT, ""),
        (record(PAGE, "resource", media="text/html"), Form.HTML, ""),
        (record(b"words", "resource", media="text/plain"), Form.TEXT, ""),
        (record(b"words", "conversion", media="text/plain"), Form.TEXT, ""),
        (record(http(b"\x89PNG\r\n", "text/html")), DropReason.NOT_A_DOCUMENT, "image/png"),
        (record(http(b"GIF89a", "image/gif")), DropReason.NOT_A_DOCUMENT, "image/gif"),
        (record(http(b"p { }", "text/css")), DropReason.NOT_A_DOCUMENT, "text/css"),
        (record(http(b"{}", "application/json")), DropReason.NOT_A_DOCUMENT, "application/json"),
        (record(http(b'{"a": 1}', "text/html")), DropReason.NOT_A_DOCUMENT, "JSONL data"),
        (record(http(b"", "text/html")), DropReason.NOT_A_DOCUMENT, "empty"),
        (record(http(PAGE, status="404 Not Found")), DropReason.NOT_A_DOCUMENT, "HTTP status 404"),
        (record(http(PAGE, status="301 Moved")), DropReason.NOT_A_DOCUMENT, "HTTP status 301"),
        (record(b"GET / HTTP/1.1\r\n\r\n", "request"), DropReason.NOT_A_DOCUMENT, "record of type request"),
        (record(b"", "revisit"), DropReason.NOT_A_DOCUMENT, "record of type revisit"),
        (record(b"{}", "metadata", media="application/json"), DropReason.NOT_A_DOCUMENT, "record of type metadata"),
        (record(b"x", "Made-Up"), DropReason.NOT_A_DOCUMENT, "record of type made-up"),
        (record(b"a.b. 60 IN A 1.1.1.1\n", uri="dns:a.b", media="text/dns"), DropReason.NOT_A_DOCUMENT, "text/dns"),
        (record(b"x", "resource", "metadata://x/log", "text/plain"), DropReason.NOT_A_DOCUMENT, "the crawler's own"),
        (record(b"xTTP/1.1 200\r\n\r\n" + PAGE), DropReason.UNREADABLE, "an HTTP response without a status"),
        (record(http(b"\xff" * 20 + b"\0", more=BROTLI)), DropReason.UNREADABLE, "its content coding br is broken"),
        (record(http(b"<p>" + b"x" * 5000)), DropReason.TOO_LARGE, "more than 5000 bytes"),
        (record(http(b"<p>" + b"x" * 100_000)), DropReason.TOO_LARGE, "more than 5000 bytes"),
        (record(http(gzip.compress(b"x" * 9_000_000), more=GZIP)), DropReason.TOO_LARGE, "more than 5000 bytes"),
    ],
)  # fmt: skip
def test_one_record(tmp_path, data, expected, detail):
    (found,) = read(tmp_path, data)
    assert told([found]) == [expected]
    if isinstance(found, Dropped):
        assert found.detail.startswith(detail)


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x;note=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (PAGE, ""),
        (chunked(PAGE[:9], PAGE[9:]), "Transfer-Encoding: chunked\r\n"),
        (PAGE, "Transfer-Encoding: chunked\r\n"),  # the crawler took the chunks out
        (gzip.compress(PAGE), "Content-Encoding: gzip\r\n"),
        (PAGE, "Content-Encoding: gzip\r\n"),
        (chunked(gzip.compress(PAGE)), "Content-Encoding: GZIP\r\nTransfer-Encoding: Chunked\r\n"),
        (zlib.compress(PAGE), "Content-Encoding: deflate\r\n"),
        (zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate\r\n"),
        (PAGE, "Content-Encoding: deflate\r\n"),
        (zstandard.compress(PAGE), "Content-Encoding: zstd\r\n"),
        (gzip.compress(zlib.compress(PAGE)), "Content-Encoding: deflate, gzip\r\n"),
        (PAGE, "Content-Encoding: br\r\n"),
        (PAGE, "Content-Encoding: identity\r\n"),
    ],
)
def test_bodies_are_read_as_the_server_meant_them(body, headers):
    assert parse_response(http(body, more=headers), 5000).body == PAGE


def test_brotli():
    from fastwarc.stream_io import BrotliWriter

    file = io.BytesIO()
    with BrotliWriter(file) as writer:
        writer.write(PAGE)
    assert parse_response(http(file.getvalue(), more="Content-Encoding: br\r\n"), 5000).body == PAGE


def test_broken_bodies():
    whole = chunked(PAGE[:9], PAGE[9:])
    assert parse_response(http(whole[:-10], more="Transfer-Encoding: chunked\r\n"), 5000).body == PAGE[:-3]
    cut = gzip.compress(PAGE * 50)[:-12]
    assert PAGE in parse_response(http(cut, more="Content-Encoding: gzip\r\n"), 5000).body
    with pytest.raises(ValueError, match="gzip is broken"):
        parse_response(http(b"\x1f\x8b\x08\0junkjunk", more="Content-Encoding: gzip\r\n"), 5000)
    assert parse_response(b"HTTP/1.0 200", 10).body == b""
    assert parse_response(b"HTTP/1.0 200\nA: b\n\nbody", 10).body == b"body"


def test_docx_in_a_crawl():
    import zipfile

    for name, expected in (("word/document.xml", Form.DOCX), ("a.txt", Foreign("application/zip"))):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, b"<x/>")
        assert payload_form(file.getvalue(), "", "http://a.b") == expected
    assert payload_form(b"PK\x03\x04junk", "application/zip", "http://a.b") == Foreign("application/zip")


GOOD = [record(http(), uri=f"http://a.b/{n}") for n in range(5)]


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_a_truncated_file_yields_its_good_records(tmp_path, suffix):
    pack = PACK.get(suffix, bytes)
    found = read(tmp_path, b"".join(map(pack, GOOD))[:-20], f"x.warc{suffix}")
    assert told(found) == [Form.HTML] * 4 + [DropReason.UNREADABLE]
    (tmp_path / "y.txt").write_bytes(b"next")
    assert told(list(read_documents([str(tmp_path)], CONFIG)))[-1] is Form.TEXT


@pytest.mark.parametrize("suffix", PACK)
def test_reading_goes_on_behind_a_broken_piece(tmp_path, suffix):
    pieces = [PACK[suffix](one) for one in GOOD]
    for broken in (b"junk" + pieces[2][4:], pieces[2][:60] + b"junkjunkjunk" + pieces[2][72:], b"junk"):
        found = read(tmp_path, b"".join([*pieces[:2], broken, *pieces[3:]]), f"x.warc{suffix}")
        good = [one.source.uri for one in found if isinstance(one, RawDocument)]
        assert [uri for uri in good if uri in {f"http://a.b/{n}" for n in (0, 1, 3, 4)}] == [
            f"http://a.b/{n}" for n in (0, 1, 3, 4)
        ]
        if suffix != ".lz4":  # which has no checksums here
            assert told(found) == [Form.HTML] * 2 + [DropReason.UNREADABLE] + [Form.HTML] * 2
    found = read(tmp_path, pieces[0][:60] + b"junkjunkjunk" + pieces[0][72:] + pieces[1], f"x.warc{suffix}")
    assert told(found)[-1] is Form.HTML
    assert suffix == ".lz4" or told(found)[0] is DropReason.UNREADABLE


@pytest.mark.parametrize(
    "broken",
    [
        b"some junk",
        b"WXRC/1.0\r\nWARC-Type: response\r\nContent-Length: 4\r\n\r\nabcd\r\n\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
        b"WARC/1.0\r\nWARC-Type: response\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reading_goes_on_behind_a_broken_record(tmp_path, broken, pack):
    found = read(tmp_path, pack(GOOD[0] + broken + GOOD[1] + GOOD[2]), "x.warc")
    assert [one.source.uri for one in found if isinstance(one, RawDocument)] == [f"http://a.b/{n}" for n in range(3)]
    bad = [one for one in found if isinstance(one, Dropped)]
    assert {one.reason for one in bad} == {DropReason.UNREADABLE}
    assert len({one.id for one in bad}) == len(bad) >= 1


def test_a_wrong_length_costs_its_record_only(tmp_path):
    short = record(http(), uri="http://a.b/short", length=len(http()) - 7)
    long = record(http(), uri="http://a.b/long", length=len(http()) + 30)
    found = read(tmp_path, GOOD[0] + short + GOOD[1] + long + GOOD[2] + GOOD[3])
    uris = [one.source.uri for one in found if isinstance(one, RawDocument)]
    assert {"http://a.b/0", "http://a.b/1", "http://a.b/3"} <= set(uris)
    endless = record(http(), uri="http://a.b/endless", length=10**12)
    found = read(tmp_path, GOOD[0] + endless + GOOD[1])
    assert told(found) == [Form.HTML, DropReason.UNREADABLE, Form.HTML]


def test_memory_is_bounded_by_the_limit(tmp_path):
    import tracemalloc

    data = gzip.compress(record(http(b"<p>" + bytes(60_000_000)))) + gzip.compress(GOOD[0])
    tracemalloc.start()
    found = read(tmp_path, data, "x.warc.gz")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert told(found) == [DropReason.TOO_LARGE, Form.HTML]


def test_within_other_files(tmp_path):
    import bz2
    import zipfile

    packed = gzip.compress(GOOD[0]) + gzip.compress(GOOD[1])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/x.warc.gz", packed)
    found = read(tmp_path, file.getvalue(), "x.zip")
    assert told(found) == [Form.HTML] * 2
    assert [one.source.record for one in found] == [
        f"{tmp_path}/x.zip!a/x.warc.gz@0",
        f"{tmp_path}/x.zip!a/x.warc.gz@{len(GOOD[0])}",
    ]
    assert told(read(tmp_path, bz2.compress(GOOD[0]), "x.warc.bz2")) == [Form.HTML]
    assert told(read(tmp_path, bz2.compress(GOOD[0] * 2)[:-9], "x.warc.bz2"))[-1] is DropReason.UNREADABLE


ARC_HEAD = b"filedesc://x.arc 0.0.0.0 20140216050221 text/plain 10\n1 0 Some\nx\n\n"


def arc(body: bytes, uri: bytes = b"http://a.b/", length: bytes | None = None) -> bytes:
    stated = b"%d" % len(body) if length is None else length
    return uri + b" 1.2.3.4 20140216050221 text/html " + stated + b"\n" + body + b"\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_arc(tmp_path, pack):
    data = ARC_HEAD + arc(http(), b"http://a.b/c d") + arc(http(status="404 Not Found"))
    head, page, missing = read(tmp_path, pack(data), "x.arc")
    assert isinstance(head, Dropped)
    assert head.detail == "record of type arc_header"
    assert isinstance(page, RawDocument)
    assert (page.data, page.source.uri, page.source.fetched) == (PAGE, "http://a.b/c d", "2014-02-16T05:02:21Z")
    assert page.source.record == f"{tmp_path}/x.arc@{len(ARC_HEAD)}"
    assert isinstance(missing, Dropped)
    assert missing.detail == "HTTP status 404"


def test_broken_arc(tmp_path):
    data = (
        ARC_HEAD
        + arc(b"", length=b"abc")
        + b"junk\nmore\n"
        + arc(http(b"<p>" + b"x" * 90_000))
        + arc(http())
        + arc(http())[:-9]
    )
    found = read(tmp_path, data, "x.arc")
    unreadable, large = DropReason.UNREADABLE, DropReason.TOO_LARGE
    assert told(found)[1:] == [unreadable, unreadable, large, Form.HTML, unreadable]
    assert told(read(tmp_path, gzip.compress(data)[:-9], "x.arc.gz"))[-1] is unreadable


@pytest.mark.skipif("HUMPBACK_SHARED" not in os.environ, reason="HUMPBACK_SHARED names no folder of real data")
def test_real_files(tmp_path):
    """As many records as fastwarc, its quirks mode and warcio find at best, in 45 real and really broken files."""
    import tarfile

    with tarfile.open(Path(os.environ["HUMPBACK_SHARED"]) / "data" / "corpora" / "warc.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    records: Counter[str] = Counter()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            found = read_documents([str(path)], IngestConfig())
            gaps = ("broken ", "no ARC record")
            records[path.name] += sum(not (isinstance(one, Dropped) and one.detail.startswith(gaps)) for one in found)
    assert sum(records.values()) == REAL_RECORDS
    for name, count in (
        ("iana.warc.gz", 343),
        ("warcfile.warc.lz4", 50),
        ("clueweb-quirk.warc.gz", 30),
        ("bad.arc", 8),
    ):
        assert records[name] == count


REAL_RECORDS = 683
"""In all files together, each at the best count of the three; the two copies of bad.arc count twice."""
