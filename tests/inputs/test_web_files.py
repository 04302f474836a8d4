"""Files on the web, at a server that breaks connections, hands out no parts, or has bad moments."""

from __future__ import annotations

import gzip
import os

import pytest
from web_host import LONG

from humpback.config import IngestConfig
from humpback.corpus import corpus_digest, read_documents
from humpback.corpus.raw import RawDocument
from humpback.errors import InputError
from humpback.inputs import content_digest, locate, raise_if_lost
from humpback.inputs.remote import open_remote


def read(url: str) -> bytes:
    with open_remote(url, "corpus") as stream:
        data = stream.read()
        raise_if_lost(stream)
        return data


def message(url: str) -> str:
    with pytest.raises(InputError) as caught:
        read(url)
    return str(caught.value)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("body", [LONG, b"short", b""])
def test_a_file_is_read_whole(web, body, ranges):
    assert read(web.put("a.txt", body, ranges=ranges)) == body


def test_a_file_with_ranges_can_be_read_from_anywhere(web):
    with open_remote(web.put("a.txt"), "corpus") as stream:
        assert stream.seekable()
        stream.seek(10_000_000)
        assert stream.read(20) == LONG[10_000_000:10_000_020]
        stream.seek(-5, os.SEEK_END)
        assert stream.read() == LONG[-5:]
        stream.seek(0)
        assert (stream.read(10), stream.tell()) == (LONG[:10], 10)
    with open_remote(web.put("b.txt", ranges=False), "corpus") as stream:
        assert not stream.seekable()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("at", [0, 1_000_000, len(LONG) - 2])
def test_a_connection_that_breaks_once_is_made_again(web, ranges, at):
    assert read(web.put("a.txt", ranges=ranges, breaks_at=at, breaks=1)) == LONG


@pytest.mark.parametrize("ranges", [True, False])
def test_one_that_always_breaks_is_given_up_with_one_message(web, ranges):
    url = web.put("a.txt", ranges=ranges, breaks_at=7_000_000)
    with open_remote(url, "corpus") as stream:
        with pytest.raises(OSError, match="breaks off after"):
            stream.read()
        with pytest.raises(InputError, match=r"corpus: .*a\.txt' breaks off after .* bytes .*Run the same command"):
            raise_if_lost(stream)
        with pytest.raises(OSError, match="breaks off after"):  # not an end, however often it is read
            stream.read(1)


def test_a_file_that_changes_in_between_is_not_patched_together(web):
    url = web.put("a.txt", breaks_at=6_000_000, breaks=1, becomes=LONG[::-1] + b"x")
    with open_remote(url, "corpus") as stream, pytest.raises(OSError, match="has changed while it was read"):
        stream.read()


@pytest.mark.parametrize("fails", [[503], [503, 500, 429]])
def test_a_bad_moment_passes(web, fails):
    assert read(web.put("a.txt", fails=fails)) == LONG


def test_a_server_without_head(web):
    assert read(web.put("a.txt", b"text", head=False)) == b"text"


@pytest.mark.parametrize(
    ("status", "told", "requests"),
    [
        (404, "(404 Not Found). Check the address.", 2),
        (403, "(403 Forbidden). It is not open to you.", 2),
        (401, "(401 Unauthorized). It is not open to you.", 2),
        (503, "(503 Service Unavailable). Check the address and the connection", 8),
    ],
)
def test_what_is_refused_is_said_once(web, status, told, requests):
    url = web.put("a.txt", fails=[status] * 100)
    assert message(url).startswith(f"corpus: {url!r} cannot be read {told}")
    assert web.asked.total() == requests  # no is asked once, a bad moment four times; HEAD, then GET


def test_addresses_without_a_server_or_a_pattern(web):
    web.server.shutdown()
    web.server.server_close()
    assert "Check the address and the connection" in message(f"http://127.0.0.1:{web.server.server_port}/a")


def test_there_are_no_patterns_on_the_web(web):
    assert "On the web it names one file" in message(web.put("a.txt").replace("a.txt", "*.txt"))


def test_a_question_begins_a_query(web):
    url = web.put("a.md", b"# A\n\ntext") + "?page=[1]&b=*"
    assert [file.name for file in locate([url], "corpus")] == [url]
    assert read(url) == b"# A\n\ntext"


def test_the_digest_changes_with_the_file(web):
    files = locate([web.put("a.txt", b"one"), web.put("b.txt", b"other")], "corpus")
    digest = content_digest(files)
    assert content_digest(files) == digest
    web.put("b.txt", b"other one")
    assert content_digest(files) != digest
    web.put("b.txt", b"", fails=[404, 404])
    with pytest.raises(InputError, match="404"):
        corpus_digest([files[1].name])


@pytest.mark.parametrize("ranges", [True, False])
def test_documents_of_a_broken_connection_are_never_a_shorter_corpus(web, ranges):
    """What was read so far must not pass for the file, or the next run would not read it again."""
    lines = [b'{"text": "Row %d %s"}\n' % (number, os.urandom(400).hex().encode()) for number in range(20_000)]
    rows = gzip.compress(b"".join(lines), 1)
    url = web.put("rows.jsonl.gz", rows, ranges=ranges, breaks_at=len(rows) * 2 // 3)
    found = []
    with pytest.raises(InputError, match="breaks off after"):
        found.extend(read_documents([url], IngestConfig()))
    web.put("rows.jsonl.gz", rows, ranges=ranges)
    whole = list(read_documents([url], IngestConfig()))
    assert len(whole) == len(lines)
    assert all(isinstance(row, RawDocument) for row in whole)
