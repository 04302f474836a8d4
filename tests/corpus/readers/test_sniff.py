"""What a stream holds, told by its first bytes."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from humpback.corpus.raw import Form
from humpback.corpus.readers.sniff import ARC, TAR, WARC, ZIP, Foreign, sniff
from humpback.inputs import Compression
from humpback.tables import TableForm

PROSE = b"Some words stand here, and, as prose does, they have commas.\nMore, of them, follow.\n"


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"<!DOCTYPE html><title>x", "a.txt", Form.HTML),
        (b"\xef\xbb\xbf \n<!-- a comment -->\n<HTML lang=en>", "", Form.HTML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html xmlns="y">', "a.xml", Form.HTML),
        ("<html><p>é".encode("utf-16"), "", Form.HTML),
        ("<html><p>é".encode("utf-16-le"), "", Form.HTML),
        (b"<br>Warning: in line 3<br><html><body>", "a.php", Foreign("source code or settings (.php)")),
        (b"\nWarning: in line 3\n<html><body>", "", Form.HTML),
        (b"<p>one</p><p>two</p>", "", Form.HTML),
        (b"<p align=center>one</p>\n\n# Title\n", "README.md", Form.MARKDOWN),
        (b"plain", "a.html", Form.TEXT),
        (b"<x>plain", "a.html", Form.HTML),
        (b"# Title\n\nText with a [link](http://x.y).\n", "", Form.MARKDOWN),
        (b"---\ntitle: x\n---\n", "", Form.MARKDOWN),
        (b"# Title\n\nText\n", "a.txt", Form.TEXT),
        (b"```html\n<html>\n```\n", "a.md", Form.MARKDOWN),
        (PROSE, "", Form.TEXT),
        (PROSE, "a.rst", Form.TEXT),
        (b"[link](x) and prose", "", Form.TEXT),
        (b"{not json} prose", "", Form.TEXT),
        (b'{"a": 1}\n{"a": 2}\n', "", TableForm.JSONL),
        (b'broken\n{"a": 1}\n{"a": 2}\n', "", TableForm.JSONL),
        (b'{"a": 1}\n{"a"', "a.txt", TableForm.JSONL),
        (b'{"a": "' + b"x" * 9000, "", TableForm.JSONL),
        (b'{"a": "' + b"x" * 9000, "a.json", TableForm.JSON),
        (b'{"data": [{"a": 1}]}', "", TableForm.JSON),
        (b'{\n "a": 1\n}', "", TableForm.JSON),
        (b'[{"a": 1},\n{"a": 2}]', "", TableForm.JSON),
        (b"url,text\nhttp://x,one\nhttp://y,two\n", "", TableForm.CSV),
        (b"url\ttext\nhttp://x\tone, two\n", "a.txt", TableForm.TSV),
        (b"anything", "a.csv", TableForm.CSV),
        (b"PAR1\x15\x04", "a.txt", TableForm.PARQUET),
        (b"ARROW1\0\0\xff\xff\xff\xff", "", TableForm.ARROW_FILE),
        (gzip.compress(b"x"), "a.txt", Compression.GZIP),
        (b"PK\x03\x04\x14", "a.txt", ZIP),
        (tar()[:1024], "", TAR),
        (b"WARC/1.0\r\nWARC-Type: response\r\n", "", WARC),
        (b"filedesc://a.arc 0.0.0.0 20140216050221 text/plain 75\n", "", ARC),
        (b"%PDF-1.7\n", "a.html", Form.PDF),
        (b"\x89PNG\r\n\x1a\n", "a.html", Foreign("image/png")),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", Foreign("image/webp")),
        (b"\0\0\0 ftypisom", "", Foreign("video/mp4")),
        (bytes(range(256)), "a.txt", Foreign("binary data")),
        (b"MZ at the beginning of prose", "", Form.TEXT),
        (b"{\\rtf1 x}", "", Foreign("application/rtf")),
        (b'<?xml version="1.0"?><rss><channel>', "", Foreign("application/xml")),
        (b"<svg xmlns=x>", "", Foreign("application/xml")),
        (b'<document xmlns="http://cnx.rice.edu/cnxml"><para>x</para>', "a.txt", Foreign("application/xml")),
        (b'<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>', "", Form.HTML),
        (b"body { color: red }", "a.css", Foreign("source code or settings (.css)")),
        (b"#!/bin/sh\necho\n", "run", Foreign("source code or settings (a script)")),
        (b"", "a.txt", Foreign("empty")),
    ],
)
def test_kinds(head, name, kind):
    assert sniff(head, name) == kind


@pytest.mark.parametrize("piece", [b"<!--", b"<", b"](", b"[", b"{", b"#", b"a,", b"\xff", b"\x1b", b"<?", b"\n", b'"'])
def test_hostile_heads_take_no_time(piece):
    head = (piece * 8192)[:8192]
    for name in ("", "a.md", "a.json", "a.html", "a.csv"):
        assert sniff(head, name) is not None
