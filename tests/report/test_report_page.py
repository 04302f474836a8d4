"""The page of a whole run made with the scripted engine, as it is and with a trained run's figures written in."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from humpback.config import Config, parse_config
from humpback.errors import WorkspaceError
from humpback.pipeline import run_pipeline
from humpback.records import Curated, Dropped, DropReason, Source
from humpback.report import Report, collect_report, render_page
from humpback.report.reasons import reason_text
from humpback.report.samples import MAX_PAIR_BYTES, curated_pairs, dropped_samples, licence_counts
from humpback.workspace import StepFolder, write_rows
from texts import prose

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)></details></main>\u202egnp \x1b[31m {{ 7*7 }}"
VOID = {"meta", "link", "br", "img", "circle", "rect", "path"}


class Page(HTMLParser):
    """Tags, ids and links of a page; fails on tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.ids.update(value for name, value in attrs if name == "id" and value)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def document(number: int) -> str:
    sections = []
    for part in range(3):
        text = prose(random.Random(number * 10 + part), 1600)
        sections.append(f"## Part {part} of subject {number}\n\n{text}")
    return f"# Subject {number}\n\n" + "\n\n".join(sections) + "\n\n## Tail\n\nShort.\n"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("report")
    pairs = [{"instruction": f"What is {number}?", "output": f"It is {number}. " * 5} for number in range(12)]
    (folder / "seed.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    (folder / "docs").mkdir()
    for number in range(5):
        (folder / "docs" / f"{number}.md").write_text(document(number), encoding="utf-8")
    values = {
        "seed": str(folder / "seed.jsonl"),
        "corpus": str(folder / "docs"),
        "runs_dir": str(folder / "runs"),
        "name": "tiny",
        "engine": {"kind": "scripted"},
        "rate": {"judge": "rubric"},
    }
    config = parse_config(json.dumps(values))
    run_pipeline(config)
    return config


@pytest.fixture
def gather(config: Config) -> Callable[..., Report]:
    def run(**changes: Any) -> Report:
        names = ["seed", "passages", "segments", "models/backward", "candidates", "models/m0"]
        for number in (1, 2):
            names += [f"ratings-{number}", f"curated-{number}", f"models/m{number}"]
        inputs = {name: config.folder / name for name in [*names, "dataset", "evaluation"]}
        return collect_report(config.model_copy(update=changes), inputs, config.folder)

    return run


@pytest.fixture(scope="module")
def page(config: Config) -> str:
    return (config.folder / "report" / "index.html").read_text(encoding="utf-8")


def test_page_asks_nobody_for_anything(page: str) -> None:
    found = Page(page)
    assert not found.tags.keys() & {"script", "iframe", "img", "object", "embed", "form", "base", "video", "audio"}
    assert not [name for name in found.attributes if name.startswith("on") or name in ("srcset", "ping")]
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", page)
    outside = [one for one in found.addresses if not one.startswith(("#", "data:text/csv;base64,"))]
    assert set(outside) <= {"data:,", "https://arxiv.org/abs/2308.06259"}


def test_page_has_one_title_unique_ids_and_links_that_lead_somewhere(page: str) -> None:
    found = Page(page)
    assert found.tags["h1"] == found.tags["main"] == found.tags["nav"] == 1
    assert found.tags["table"] == found.tags["caption"]
    assert max(found.ids.values()) == 1
    assert {address[1:] for address in found.addresses if address.startswith("#")} <= found.ids.keys()
    assert len(re.findall(r"<svg [^>]*role=\"img\" aria-label=\"[^\"]+\"", page)) == found.tags["svg"] > 0
    assert page.count("<th ") == page.count('scope="')


def test_page_says_that_nothing_was_trained(page: str) -> None:
    assert "Scripted engine: no model was trained; the figures mean nothing" in page
    assert "It helped" not in page


def test_funnel_adds_up(gather: Callable[..., Report]) -> None:
    report = gather()
    assert report.funnel.documents == 5
    for stage in report.funnel.stages:
        assert stage.kept + stage.aside == stage.incoming, stage.key
        assert all(reason.meaning for reason in stage.reasons)
    assert report.inputs.seed.kept == 12
    passages = report.funnel.stages[0]
    assert {"too_short"} <= {reason.code for reason in passages.reasons}
    assert all(1 <= len(reason.samples) <= 3 for reason in passages.reasons)


def test_rounds_add_up(gather: Callable[..., Report]) -> None:
    report = gather()
    for found in report.ratings:
        assert sum(found.kept) + sum(found.left) == found.rated == report.cost.candidates
    (change,) = report.changes
    assert change.stayed + change.entered == sum(report.ratings[1].kept) == report.cost.kept
    assert change.stayed + change.left == sum(report.ratings[0].kept)


def test_pairs_are_drawn_by_lot_and_stay_the_same(gather: Callable[..., Report], config: Config) -> None:
    few = config.report.model_copy(update={"examples": 2})
    none = config.report.model_copy(update={"examples": 0})
    all_pairs = gather().pairs
    assert gather().pairs == all_pairs
    assert gather(report=few).pairs.shown == all_pairs.shown[:2]
    assert all(len(pair.ratings) == 2 and None not in pair.ratings for pair in all_pairs.shown)
    report = gather(report=none)
    assert report.pairs.shown == []
    assert "None were asked for" in render_page(report)


def test_the_same_run_gives_the_same_page(gather: Callable[..., Report]) -> None:
    assert render_page(gather()) == render_page(gather())


def test_every_reason_has_a_meaning(config: Config) -> None:
    assert all(reason_text(reason, config) for reason in DropReason)


def test_hostile_text_changes_nothing(tmp_path: Path, gather: Callable[..., Report]) -> None:
    plain = gather()
    sources = [
        Source("javascript:alert(1)", HOSTILE, 0, 5, HOSTILE),
        Source('https://a.example/"onmouseover="x', None, None, None, None),
    ]
    texts = [HOSTILE, "verylong" * 12_500]
    rows = [
        Curated(str(index), text, text, [HOSTILE] * 20, source, 3.0, 2)
        for index, (text, source) in enumerate(zip(texts, sources, strict=True))
    ]
    write_rows(tmp_path / "part-00000.parquet", rows, Curated)
    hostile = dataclasses.replace(
        plain,
        name=HOSTILE.replace("\u202e", "").replace("\x1b", ""),
        config_yaml=f"</pre>{HOSTILE[:60]}",
        licences=list(licence_counts(tmp_path).items()),
        pairs=curated_pairs(tmp_path, [], 20, 0),
    )
    text = render_page(hostile)
    found = Page(text)
    assert not found.tags.keys() & {"script", "img"}
    assert not [name for name in found.attributes if name.startswith("on")]
    assert not [address for address in found.addresses if address.lower().startswith("javascript")]
    assert "{{ 7*7 }}" in text
    assert "⟨U+202E⟩" in text
    assert not set("\u202e\x1b\x00") & set(text)
    assert text.count("verylong" * 200) < 10
    assert "94,000 further characters" in text


def test_page_stays_small_however_much_is_asked_for(tmp_path: Path, gather: Callable[..., Report]) -> None:
    rows = [Curated(f"{n:016x}", "&" * 9_000, '"' * 9_000, [], Source("a"), 3.0, 1) for n in range(150)]
    write_rows(tmp_path / "part-00000.parquet", rows, Curated)
    pairs = curated_pairs(tmp_path, [], 10_000, 0)
    assert pairs.is_cut
    assert 0 < len(pairs.shown) < 150
    text = render_page(dataclasses.replace(gather(), pairs=pairs))
    assert len(text.encode()) < MAX_PAIR_BYTES + 1_000_000
    assert "left out to keep this page small" in text


def test_samples_are_three_of_each_reason(tmp_path: Path) -> None:
    rows = [
        Dropped(f"{n:016x}", DropReason.TOO_LONG if n % 2 else DropReason.TOO_SHORT, "d", f"text {n}", Source("a"))
        for n in range(100)
    ]
    write_rows(tmp_path / "dropped" / "part-00000.parquet", rows[:40], Dropped)
    write_rows(tmp_path / "dropped" / "part-00001.parquet", rows[40:], Dropped)
    found = dropped_samples(tmp_path, 0)
    assert {reason: len(samples) for reason, samples in found.items()} == {"too_short": 3, "too_long": 3}
    assert found == dropped_samples(tmp_path, 0)
    assert found != dropped_samples(tmp_path, 1)


def test_unfinished_step_is_refused(tmp_path: Path, config: Config) -> None:
    with pytest.raises(WorkspaceError, match="is not finished"):
        collect_report(config, {"seed": tmp_path}, tmp_path)


def test_trained_run_shows_verdict_curves_and_plan(
    config: Config, gather: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interval(mean: float) -> dict[str, float]:
        return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "pairs": 40}

    models = {"base": {"loss": interval(2), "against_m0": interval(0.2)}, "m0": {"loss": interval(1.8)}}
    models["m2"] = {"loss": interval(1.83), "against_m0": interval(0.03)}
    evaluation = {"sets": {"seed": {"pairs": 40, "models": models}}}
    history = [{"step": step, "loss": 2 / step, "learning_rate": 1e-5} for step in range(1, 31)]
    training = {"recipe": {"steps": 30, "batch_size": 8, "rates": [1e-5, 9e-6]}, "history": history}
    facts = {"examples": 9, "steps": 30, "batch_size": 8, "first_loss": 2.0, "last_loss": 0.07, "tokens": 61_234}
    plan = {"steps": {"candidates": {"seconds": 3_700.0}}}
    written = {
        config.folder / "plan.json": plan,
        config.folder / "models" / "m2" / "training.json": training,
    }
    original = StepFolder.manifest

    def manifest(self: StepFolder) -> Any:
        found = original(self)
        assert found is not None
        return dataclasses.replace(found, facts=facts) if self.name == "models/m2" else found

    monkeypatch.setattr(StepFolder, "manifest", manifest)
    monkeypatch.setattr("humpback.report.collect._json", lambda file: written.get(file, evaluation))
    for file in written:
        file.write_text("{}", encoding="utf-8")
    try:
        report = gather(engine=config.engine.model_copy(update={"kind": "transformers"}))
        text = render_page(report)
    finally:
        for file in written:
            file.unlink()
    assert report.verdict.tone == "worse"
    assert "the model got worse" in text
    assert "+0.0300" in text
    assert "Planned" in text
    assert "1\N{NO-BREAK SPACE}h 1\N{NO-BREAK SPACE}min" in text
    assert "Training loss by step" in text
    assert "1e−5 → 9e−6" in text
    assert "61.2\N{NO-BREAK SPACE}k" in text
    Page(text)
