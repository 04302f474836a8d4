"""Records that fastwarc, warcio and Humpback find in each file of a folder of crawl files, whole or broken.

    python benchmarks/warc_counts.py FOLDER PYTHON_WITH_WARCIO

prints a Markdown table; the exit code is 1 where Humpback finds fewer than the best of the others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from humpback.config import IngestConfig
from humpback.corpus import RawDocument, read_documents

GAPS = ("broken ", "no ARC record")
"""Details of rows that stand for a place where no record begins, and so are no records."""

WARCIO = """
import json, sys
from warcio.archiveiterator import ArchiveIterator
for name in sys.stdin.read().split(chr(10)):
    count = 0
    try:
        with open(name, "rb") as file:
            for record in ArchiveIterator(file):
                count += 1
    except Exception:
        pass
    print(json.dumps(count))
"""


def main() -> int:
    """Prints the counts; how many files Humpback reads less of than the best of the others, at most 1."""
    folder, python = Path(sys.argv[1]), sys.argv[2]
    names = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    done = subprocess.run([python, "-c", WARCIO], input="\n".join(names), stdout=subprocess.PIPE, text=True, check=True)
    print("| file | fastwarc | fastwarc, quirks mode | warcio | Humpback |\n|---|---|---|---|---|")
    fewer = 0
    for name, warcio in zip(names, map(int, done.stdout.split()), strict=True):
        others = [fastwarc(name, False), fastwarc(name, True), warcio]
        ours = humpback(name)
        fewer += ours < max(others)
        print(f"| {Path(name).name} | {' | '.join(map(str, [*others, ours]))} |")
    print(f"\n{len(names)} files, {fewer} of which Humpback reads less of than the best of the others.")
    return min(fewer, 1)


def fastwarc(name: str, quirks_mode: bool) -> int:
    """How many records fastwarc yields before it ends or gives up."""
    from fastwarc.warc import ArchiveIterator

    count = 0
    try:
        with Path(name).open("rb") as file:
            for _ in ArchiveIterator(file, parse_http=False, quirks_mode=quirks_mode):
                count += 1
    except Exception:
        return count
    return count


def humpback(name: str) -> int:
    """How many records become rows, documents or not."""
    rows = list(read_documents([name], IngestConfig()))
    return sum(isinstance(row, RawDocument) or not row.detail.startswith(GAPS) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
