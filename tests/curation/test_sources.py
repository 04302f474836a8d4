"""Which source a text belongs to."""

from __future__ import annotations

import pytest

from humpback.curation.sources import source_name
from humpback.records import Source


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (Source("https://WWW.Example.org/a/b?c=d"), "example.org"),
        (Source("http://docs.example.org:8080/a::b"), "docs.example.org"),
        (Source("https://example.org/a", record="crawl.warc.gz@1200"), "example.org"),
        (Source("http://localhost:8000/a"), "localhost:8000"),
        (Source("http://user:secret@localhost/a"), "localhost"),
        (Source("http://[broken/a"), "http://[broken/a"),
        (Source("docs/guide/a.md"), "docs/guide"),
        (Source("docs/guide/a.md", start=3, end=9), "docs/guide"),
        (Source("a.md"), "."),
        (Source("/a.md"), "/"),
        (Source("docs/all.zip", record="guide/a.md"), "docs/all.zip"),
        (Source("docs/all.jsonl", record="17"), "docs/all.jsonl"),
        (Source("s3://bucket/docs/a.md"), "s3://bucket/docs"),
        (Source("zip://guide/a.md::s3://bucket/all.zip"), "s3://bucket/all.zip"),
    ],
)
def test_hosts_archives_and_folders(source, name):
    assert source_name(source) == name
