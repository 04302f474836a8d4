"""Files within files: every member accounted for, none held whole that need not be."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from humpback.config import IngestConfig, LimitsConfig
from humpback.corpus.documents import read_documents
from humpback.corpus.raw import Form, RawDocument
from humpback.records import Dropped, DropReason

MEMBERS = {"b/page.html": b"<html><p>b", "a.md": b"# a", "c.txt": b"c"}
CONFIG = IngestConfig(limits=LimitsConfig(max_document_bytes=1000))


def read(folder: Path, name: str, data: bytes, config: IngestConfig = CONFIG) -> list[RawDocument | Dropped]:
    (folder / name).write_bytes(data)
    return list(read_documents([str(folder / name)], config))


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def reasons(found: list[RawDocument | Dropped]) -> list[tuple[str | None, object]]:
    return [(one.source.record, one.reason if isinstance(one, Dropped) else one.data) for one in found]


PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
    ".lz4": lz4.frame.compress,
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_members_come_in_the_order_of_their_names(tmp_path, method):
    found = read(tmp_path, "x", zipped(MEMBERS, method))
    assert reasons(found) == [("a.md", b"# a"), ("b/page.html", b"<html><p>b"), ("c.txt", b"c")]
    assert [one.form for one in found if isinstance(one, RawDocument)] == [Form.MARKDOWN, Form.HTML, Form.TEXT]
    assert [one.title for one in found if isinstance(one, RawDocument)] == ["", "", "c"]
    assert {one.source.uri for one in found} == {str(tmp_path / "x")}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tar_members_come_as_they_are_stored(tmp_path, suffix, form):
    found = read(tmp_path, f"x.tar{suffix}", PACK[suffix](tarred(MEMBERS, form)))
    assert reasons(found) == [("b/page.html", b"<html><p>b"), ("a.md", b"# a"), ("c.txt", b"c")]


@pytest.mark.parametrize("suffix", list(PACK)[1:])
def test_one_compressed_file(tmp_path, suffix):
    (found,) = read(tmp_path, f"my notes.txt{suffix}", PACK[suffix](b"words"))
    assert isinstance(found, RawDocument)
    assert (found.data, found.form, found.title, found.source.record) == (b"words", Form.TEXT, "my notes", None)
    found = read(tmp_path, f"rows.jsonl{suffix}", PACK[suffix](b'{"text": "a"}\n{"text": "b"}\n'))
    assert reasons(found) == [("1", "a"), ("2", "b")]
    found = read(tmp_path, f"cut.txt{suffix}", PACK[suffix](os.urandom(300).hex().encode())[:-30])
    assert reasons(found) == [(None, DropReason.UNREADABLE)]


def test_archives_within_archives(tmp_path):
    inner = zipped({"deep.md": b"# deep"})
    data = zipped({"a.tar.gz": gzip.compress(tarred({"b.zip": inner, "c.md.gz": gzip.compress(b"# c")}))})
    found = read(tmp_path, "x.zip", data)
    assert reasons(found) == [("a.tar.gz!b.zip!deep.md", b"# deep"), ("a.tar.gz!c.md.gz", b"# c")]
    shallow = IngestConfig(limits=LimitsConfig(archive_depth=1))
    found = read(tmp_path, "x.zip", data, shallow)
    assert reasons(found) == [("a.tar.gz!b.zip", DropReason.TOO_LARGE), ("a.tar.gz!c.md.gz", DropReason.TOO_LARGE)]
    assert reasons(read(tmp_path, "x.gz", gzip.compress(gzip.compress(b"x")), shallow)) == [(None, b"x")]


def test_a_zip_that_cannot_seek_and_tables_that_must(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["one", "two"]}), table)
    data = gzip.compress(zipped({"rows.parquet": table.getvalue()}))
    assert reasons(read(tmp_path, "x", data)) == [("rows.parquet:1", "one"), ("rows.parquet:2", "two")]


def test_members_over_the_limit_are_not_read_whole(tmp_path):
    big = {"big.txt": b"x" * 1001, "fits.txt": b"x" * 1000}
    for data in (zipped(big), tarred(big), gzip.compress(tarred(big))):
        large, fits = read(tmp_path, "x", data)
        assert isinstance(large, Dropped)
        assert (large.reason, large.detail) == (DropReason.TOO_LARGE, "more than 1000 bytes")
        assert isinstance(fits, RawDocument)
    bomb = zipped({"bomb.txt": bytes(b"x" * 50_000_000)})
    assert len(bomb) < 100_000
    assert reasons(read(tmp_path, "x", bomb)) == [("bomb.txt", DropReason.TOO_LARGE)]
    (bomb,) = read(tmp_path, "x.txt.gz", gzip.compress(b"x" * 50_000_000))
    assert isinstance(bomb, Dropped)
    assert bomb.reason is DropReason.TOO_LARGE


def test_rows_in_an_archive_are_limited_one_by_one(tmp_path):
    lines = b'{"text": "%s"}\n' % (b"y" * 500) * 10 + b'{"text": "%s"}\n{"text": "last"}\n' % (b"z" * 2000)
    found = read(tmp_path, "x.zip", zipped({"rows.jsonl": lines}))
    assert [isinstance(one, RawDocument) for one in found] == [True] * 10 + [False, True]
    assert reasons(found)[10] == ("rows.jsonl:11", DropReason.TOO_LARGE)


def test_an_encrypted_member(tmp_path):
    data = bytearray(zipped({"a.txt": b"secret", "b.txt": b"open"}))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + at] |= 1  # the flag in the member's own header and in the list
    found = read(tmp_path, "x.zip", bytes(data))
    assert reasons(found) == [("a.txt", DropReason.UNREADABLE), ("b.txt", b"open")]
    assert isinstance(found[0], Dropped)
    assert found[0].detail == "encrypted"


def test_links_and_devices_in_a_tar(tmp_path):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("p", tarfile.FIFOTYPE),
            ("d", tarfile.DIRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    found = read(tmp_path, "x.tar", file.getvalue())
    assert [one.detail for one in found if isinstance(one, Dropped)] == ["a link", "a link", "a pipe"]


def test_broken_archives(tmp_path):
    words = {"a.txt": os.urandom(400).hex().encode(), "b.txt": b"b" * 600}
    data = bytearray(zipped(words))
    data[100:104] = b"junk"
    found = read(tmp_path, "x.zip", bytes(data))
    assert reasons(found) == [("a.txt", DropReason.UNREADABLE), ("b.txt", b"b" * 600)]
    assert reasons(read(tmp_path, "cut.zip", zipped(words)[:500])) == [(None, DropReason.UNREADABLE)]
    tar = tarred(words)
    assert reasons(read(tmp_path, "cut.tar", tar[:900])) == [
        ("a.txt", DropReason.UNREADABLE),
        (None, DropReason.UNREADABLE),
    ]
    damaged = bytearray(tar)
    damaged[1536 + 150] ^= 1  # the checksum of the second member's header
    assert reasons(read(tmp_path, "y.tar", bytes(damaged))) == [
        ("a.txt", words["a.txt"]),
        (None, DropReason.UNREADABLE),
    ]
    cut = gzip.compress(tar)[:-100]
    assert reasons(read(tmp_path, "cut.tar.gz", cut))[-1] == (None, DropReason.UNREADABLE)


def test_a_tar_with_an_endless_name_is_not_held(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 32
    (found,) = read(tmp_path, "x.tar", info.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))
    assert isinstance(found, Dropped)
    assert "a name of 4294967296 bytes" in found.detail


def test_empty_archives(tmp_path):
    for data in (zipped({}), tarred({}), zipped({"folder/": b""})):
        assert reasons(read(tmp_path, "x", data)) == [(None, DropReason.NOT_A_DOCUMENT)]


def test_office_files(tmp_path):
    docx = zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})
    (found,) = read(tmp_path, "letter.zip", docx)
    assert isinstance(found, RawDocument)
    assert (found.form, found.data, found.title) == (Form.DOCX, docx, "letter")
    for members in (
        {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"},
        {"mimetype": b"x", "content.xml": b"<x/>"},
    ):
        assert reasons(read(tmp_path, "x", zipped(members))) == [(None, DropReason.NOT_A_DOCUMENT)]
    assert reasons(read(tmp_path, "x", zipped({f"{n}.docx": docx for n in range(2)}))) == [
        ("0.docx", docx),
        ("1.docx", docx),
    ]


def test_names_are_only_names(tmp_path):
    found = read(tmp_path, "x.zip", zipped({"../../etc/a.txt": b"a", "/b.txt": b"b"}))
    assert reasons(found) == [("../../etc/a.txt", b"a"), ("/b.txt", b"b")]
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_what_is_no_document(tmp_path):
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = list(read_documents([str(tmp_path)], CONFIG))
    assert [(one.reason, one.detail) for one in found if isinstance(one, Dropped)] == [
        (DropReason.NOT_A_DOCUMENT, "empty"),
        (DropReason.NOT_A_DOCUMENT, "image/png"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x")
    (tmp_path / "a.txt").chmod(0)
    (found,) = read_documents([str(tmp_path / "a.txt")], CONFIG)
    assert isinstance(found, Dropped)
    assert found.reason is DropReason.UNREADABLE
