"""Real pages for the corpus benchmark: gold articles, documentation, and WARC files made of them."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page; `article` is its gold text, None where there is none."""

    name: str
    html: str
    article: str | None = None


def gold_pages(shared: Path) -> list[Page]:
    """The pages of the article extraction benchmark with their texts, from its archive in `shared`/corpora."""
    found = {}
    truth = {}
    with tarfile.open(shared / "corpora" / "extraction-gold-scrapinghub.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            if member.name.endswith(".html.gz"):
                key = Path(member.name).name.removesuffix(".html.gz")
                found[key] = gzip.decompress(file.read()).decode("utf-8")
            elif member.name.endswith("ground-truth.json"):
                truth = json.load(file)
    return [Page(key, found[key], truth[key]["articleBody"]) for key in sorted(truth)]


def documentation_pages(folders: Sequence[Path], most: int) -> list[Page]:
    """At most `most` pages of each folder of HTML documentation, spread evenly over it."""
    pages = []
    for folder in folders:
        files = sorted(path for path in folder.rglob("*.html") if path.is_file())
        chosen = files[:: max(1, len(files) // most)][:most]
        pages += [Page(str(file), file.read_text(encoding="utf-8", errors="replace")) for file in chosen]
    return pages


def write_warc(path: Path, pages: Iterable[Page]) -> int:
    """Writes the pages as responses of a WARC file, one gzip member a record, as crawls store them; how many."""
    count = 0
    with path.open("wb") as file:
        for count, page in enumerate(pages, start=1):
            body = page.html.encode("utf-8", "surrogatepass")
            http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
            head = (
                "WARC/1.0\r\nWARC-Type: response\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{count:012d}>\r\n"
                f"WARC-Target-URI: https://example.org/{count}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
            )
            file.write(gzip.compress(head.encode() + http + b"\r\n\r\n", 6))
    return count
