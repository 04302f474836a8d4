"""What counts as one source when the share of each is bounded."""

from __future__ import annotations

from urllib.parse import urlsplit

from humpback.corpus.sites import site_of
from humpback.records import Source


def source_name(source: Source) -> str:
    """The source to which a text belongs.

    - A web page: its host, in lower case and without `www.`.
    - A record in a file (a row of a table, a member of an archive): the file.
    - A file that an address names inside an archive (`zip://a.md::s3://bucket/b.zip`): the archive.
    - Any other file: its folder.
    """
    uri = source.uri
    if uri.lower().startswith(("http://", "https://")):
        return site_of(uri) or _place(uri)
    if source.record is not None:
        return uri
    inside, chained, archive = uri.partition("::")
    if chained and "://" in inside:
        return archive
    folder, _, _ = uri.rpartition("/")
    return folder or ("/" if uri.startswith("/") else ".")


def _place(uri: str) -> str:
    """Host and port as they stand, for hosts without a domain such as `localhost`."""
    try:
        return urlsplit(uri).netloc.lower().rpartition("@")[2] or uri
    except ValueError:
        return uri
