"""What other tools do with the same pages. Runs in an environment of its own, since their pins conflict with ours.

`python corpus_peers.py extraction PAGES.jsonl OUT.jsonl` or `... chain PAGES.warc.gz OUT_FOLDER`; prints one JSON
line a tool. Uses nothing of Humpback.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

Extract = Callable[[str], str]


def trafilatura_text(html: str) -> str:
    """trafilatura's Markdown at its defaults, without comments."""
    import trafilatura

    return trafilatura.extract(html, include_comments=False, output_format="markdown", include_formatting=True) or ""


def trafilatura_fast(html: str) -> str:
    """The same without its fallback extractors."""
    import trafilatura

    return (
        trafilatura.extract(html, include_comments=False, output_format="markdown", include_formatting=True, fast=True)
        or ""
    )


def resiliparse_text(html: str) -> str:
    """resiliparse's main content."""
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, main_content=True, alt_texts=False))


def readability_text(html: str) -> str:
    """readability-lxml's summary, as plain text."""
    import lxml.html
    from readability import Document

    return str(lxml.html.fromstring(Document(html).summary()).text_content())


EXTRACTORS: dict[str, tuple[str, Extract]] = {
    "trafilatura": ("trafilatura", trafilatura_text),
    "trafilatura, fast": ("trafilatura", trafilatura_fast),
    "resiliparse": ("resiliparse", resiliparse_text),
    "readability-lxml": ("readability-lxml", readability_text),
}


def extraction(pages: Path, out: Path) -> None:
    """Times every extractor over the pages and writes what each found: one line a tool and page."""
    rows = [json.loads(line) for line in pages.read_text(encoding="utf-8").splitlines()]
    with out.open("w", encoding="utf-8") as file:
        for name, (package, extract) in EXTRACTORS.items():
            extract(rows[0]["html"])  # imports
            started = time.process_time()
            for row in rows:
                text = _or_empty(extract, row["html"])
                file.write(json.dumps({"tool": name, "page": row["name"], "text": text}) + "\n")
            seconds = time.process_time() - started
            _say({"tool": name, "version": metadata.version(package), "pages": len(rows), "cpu_seconds": seconds})


def _or_empty(extract: Extract, html: str) -> str:
    try:
        return extract(html)
    except Exception:
        return ""


def chain(warc: Path, out: Path) -> None:
    """datatrove: WARC, trafilatura, Gopher's repetition and quality filters, Parquet; CPU time with its children's."""
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.readers import WarcReader
    from datatrove.pipeline.writers import ParquetWriter

    started = _cpu_seconds()
    data: Iterator[Any] = WarcReader(str(warc.parent), glob_pattern=warc.name).run()
    steps = [Trafilatura(timeout=10), GopherRepetitionFilter(), GopherQualityFilter(), ParquetWriter(str(out))]
    for step in steps:
        data = step.run(data)
    kept = sum(1 for _ in data)
    _say(
        {
            "tool": "datatrove + trafilatura + Gopher",
            "version": f"{metadata.version('datatrove')}, trafilatura {metadata.version('trafilatura')}",
            "kept": kept,
            "cpu_seconds": _cpu_seconds() - started,
        }
    )


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _say(row: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    {"extraction": extraction, "chain": chain}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
