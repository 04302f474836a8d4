"""The corpus benchmark: extraction, the whole chain, near-duplicates and memory, beside other tools, in one run.

    make benchmark-corpus HUMPBACK_SHARED=... DOCUMENTATION="dir dir"

prints one table a question. The pages: the 181 of the article extraction benchmark (scrapinghub, MIT) with their gold
texts, and HTML documentation, e.g. of Debian's packages libreoffice-help-en-us, python3.11-doc, postgresql-doc-15,
debian-handbook and anarchism. What other tools do is run in environments of their own (`--peers`, `--datatrove`).
All speeds are pages a second of CPU time on one core.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import near_duplicates
import scores
from pages import Page, documentation_pages, gold_pages, write_warc

from humpback.config import IngestConfig
from humpback.corpus import read_documents, segments_of
from humpback.corpus.html import read_page
from humpback.corpus.near_duplicates import find_duplicates
from humpback.hardware import hardware_line
from humpback.records import DropReason, Segment
from humpback.workspace import Shard, StepFolder, dropped_counts, map_shards, part_files, row_count

HERE = Path(__file__).parent
DOCUMENTATION_PAGES = 1000  # of each folder


@dataclass(frozen=True, slots=True)
class Tool:
    """What one tool found in every page, in their order, and how long it took."""

    name: str
    version: str
    seconds: float
    texts: list[str]


def main() -> None:
    """Runs everything that the arguments allow and prints it as Markdown."""
    arguments = _arguments()
    gold = gold_pages(arguments.shared)
    documentation = documentation_pages(arguments.documentation, DOCUMENTATION_PAGES)
    print(f"{hardware_line()}; Python {platform.python_version()}; Humpback's parser turbohtml ", end="")
    print(f"{metadata.version('turbohtml')}; {len(gold)} gold pages, {len(documentation)} pages of documentation\n")
    extraction(gold, documentation, arguments.peers)
    with tempfile.TemporaryDirectory() as folder:
        chain(gold, [*gold, *documentation], Path(folder), arguments.datatrove)
    near_duplicates.measure(arguments.shared, arguments.rows)


def extraction(gold: Sequence[Page], documentation: Sequence[Page], peers: Path | None) -> None:
    """F1 of the texts by the benchmark's own definition, headings kept, pages a second."""
    pages = [*gold, *documentation]
    tools = [_ours(pages), *_peers(pages, peers)]
    print("| tool | F1 | precision | recall | gold headings | documentation headings | pages/s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for tool in tools:
        texts, manuals = tool.texts[: len(gold)], tool.texts[len(gold) :]
        score = scores.article_score([page.article or "" for page in gold], texts)
        gold_share = scores.gold_headings_kept(gold, texts)
        manual_share = scores.page_headings_kept(documentation, manuals)
        speed, ours = len(pages) / tool.seconds, len(pages) / tools[0].seconds
        print(
            f"| {tool.name} {tool.version} | {score.f1:.3f} | {score.precision:.3f} | {score.recall:.3f} | "
            f"{gold_share:.2f} | {manual_share:.2f} | {speed:,.0f} | {ours / speed:.1f} |"
        )
    held_out = [index for index, page in enumerate(gold) if page.name[0] in "abcdef"]
    ours_held_out = scores.article_score(
        [gold[i].article or "" for i in held_out], [tools[0].texts[i] for i in held_out]
    )
    print(f"\nOn the {len(held_out)} gold pages that were not looked at while the rules were written: ", end="")
    print(f"F1 {ours_held_out.f1:.3f}. Headings count as kept when they stand as Markdown headings.\n")


def chain(gold: Sequence[Page], pages: Sequence[Page], folder: Path, datatrove: Path | None) -> None:
    """The whole way from a WARC file to Parquet, one process, beside datatrove + trafilatura + Gopher filters."""
    warc = folder / "pages.warc.gz"
    write_warc(warc, pages)
    config = IngestConfig()
    find_duplicates(folder / "warm", _warm_up(folder, config), config.near_duplicates)
    seconds, step = _timed_chain(warc, folder / "ours", config)
    speed = len(pages) / seconds
    print("| WARC to Parquet | rows kept | pages/s | ratio |\n|---|---|---|---|")
    print(
        f"| Humpback: segments, filters, language, personal data, near-duplicates | {row_count(step.path):,} | ", end=""
    )
    print(f"{speed:,.0f} | 1 |")
    if datatrove is not None:
        answer = _run(datatrove, "chain", str(warc), str(folder / "datatrove"))[0]
        theirs = len(pages) / answer["cpu_seconds"]
        print(f"| {answer['tool']} {answer['version']}: whole pages | {answer['kept']:,} | ", end="")
        print(f"{theirs:,.0f} | {speed / theirs:.1f} |")
    gold_warc = folder / "gold.warc.gz"
    write_warc(gold_warc, gold)
    gold_seconds, gold_step = _timed_chain(gold_warc, folder / "gold", config)
    _, any_language = _timed_chain(gold_warc, folder / "any", config.model_copy(update={"languages": None}))
    print(f"\nThe gold pages alone: {len(gold) / gold_seconds:,.0f} pages/s.")
    print(
        f"\nSegments that pass every filter, a gold page: {row_count(any_language.path) / len(gold):.2f} in any ",
        end="",
    )
    print(f"language, {row_count(gold_step.path) / len(gold):.2f} in English. ", end="")
    print("What became of the rest of both:\n\n| reason | all pages | gold pages |\n|---|---|---|")
    counts, gold_counts = dropped_counts(step.path), dropped_counts(gold_step.path)
    for reason in DropReason:
        if counts.get(reason):
            print(f"| {reason} | {counts[reason]:,} | {gold_counts.get(reason, 0):,} |")
    print()


def _timed_chain(warc: Path, folder: Path, config: IngestConfig) -> tuple[float, StepFolder]:
    """CPU seconds from the file to the last shard and the list of duplicates, in this process alone."""
    step = StepFolder(folder, "passages")
    step.begin("benchmark")

    def cut(rows: list[Any]) -> Shard:
        found = [segments_of(row, config) for row in rows]
        return Shard([one for each in found for one in each.kept], [one for each in found for one in each.dropped])

    started = time.process_time()
    map_shards(read_documents([str(warc)], config), step, Segment, cut, rows_per_shard=config.documents_per_shard)
    find_duplicates(folder / "signatures", part_files(folder), config.near_duplicates)
    return time.process_time() - started, step


def _warm_up(folder: Path, config: IngestConfig) -> list[Path]:
    """Imports and loads what is loaded once in a run."""
    warc = folder / "warm.warc.gz"
    write_warc(warc, [Page("warm", "<h1>Tea</h1><p>" + "Tea is made of leaves and water. " * 40 + "</p>")])
    _, step = _timed_chain(warc, folder / "warm-up", config)
    return part_files(step.path)


def _ours(pages: Sequence[Page]) -> Tool:
    read_page(pages[0].html)
    started = time.process_time()
    texts = [_or_empty(lambda html: read_page(html).text, page.html) for page in pages]
    return Tool("Humpback", metadata.version("humpback"), time.process_time() - started, texts)


def _or_empty(extract: Callable[[str], str], html: str) -> str:
    try:
        return extract(html)
    except ValueError:
        return ""


def _peers(pages: Sequence[Page], python: Path | None) -> Iterator[Tool]:
    if python is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "pages.jsonl"), Path(folder, "texts.jsonl")
        given.write_text("".join(json.dumps({"name": page.name, "html": page.html}) + "\n" for page in pages))
        answers = _run(python, "extraction", str(given), str(found))
        texts: dict[str, list[str]] = {}
        for line in found.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts.setdefault(row["tool"], []).append(row["text"])
    for answer in answers:
        yield Tool(answer["tool"], answer["version"], answer["cpu_seconds"], texts[answer["tool"]])


def _run(python: Path, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [str(python), str(HERE / "corpus_peers.py"), *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, required=True, help="folder with corpora/extraction-gold-scrapinghub.tar.gz"
    )
    parser.add_argument("--documentation", type=Path, nargs="*", default=[], help="folders of HTML documentation")
    parser.add_argument("--peers", type=Path, help="Python with trafilatura, resiliparse, readability-lxml")
    parser.add_argument("--datatrove", type=Path, help="Python with datatrove[io,processing]")
    parser.add_argument("--rows", type=int, default=1_000_000, help="synthetic segments of the memory measurement")
    return parser.parse_args()


if __name__ == "__main__":
    main()
