"""A site's texts go from every row of a run, and the models that learnt from them are named."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from humpback.config import load_config
from humpback.corpus.sites import is_of_site, site_of
from humpback.engines.scripted import ScriptedEngine
from humpback.errors import EngineError, InputError
from humpback.pipeline import run_pipeline
from humpback.pipeline.takedown import takedown
from humpback.records import Candidate, Curated, Segment
from humpback.workspace import StepFolder, dropped_rows, read_rows


@pytest.fixture
def config(write_inputs_to, tmp_path):
    """A run over pages of two sites, one of them with a host below it."""
    inputs = write_inputs_to(tmp_path / "inputs")
    rows = []
    for number, file in enumerate(sorted(Path(inputs.corpus).rglob("*.md"))):
        site = ("https://example.org/", "https://www.example.org/", "https://kept.example/")[number % 3]
        rows.append({"text": file.read_text(), "url": f"{site}{number}", "title": f"Page {number}"})
    table = tmp_path / "pages.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = yaml.safe_load(Path(inputs.config).read_text()) | {"corpus": str(table)}
    Path(inputs.config).write_text(yaml.safe_dump(settings))
    return inputs.config


def texts_of(folder: Path, site: str) -> list[str]:
    """Every file of the run that still names an address of the site."""
    found = []
    for file in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(file)
        if "source" in table.schema.names:
            uris = [row["uri"] for row in table["source"].to_pylist()]
            found += [str(file)] * any(is_of_site(uri, site) for uri in uris)
    return found + [str(file) for file in folder.rglob("*.jsonl") if f"://{site}/" in file.read_text()]


def test_rows_leave_every_step_and_the_dataset_and_models_are_named(config):
    settings = load_config(config)
    folder = run_pipeline(settings).folder
    learnt = [row for row in read_rows(folder / "curated-2", Curated) if is_of_site(row.source.uri, "example.org")]
    listed = takedown(folder, "example.org", dry_run=True)
    assert texts_of(folder, "example.org")  # a dry run removes nothing
    found = takedown(folder, "www.example.org")
    assert found == listed
    assert {row.uri.split("/")[2] for row in found.rows} == {"example.org", "www.example.org"}
    assert found.models["models/m2"] == len(learnt) > 0
    assert "models/m0" not in found.models  # it learnt from the seed only
    assert texts_of(folder, "example.org") == texts_of(folder, "www.example.org") == []
    rows = [json.loads(line) for line in (folder / "dataset/train.jsonl").read_text().splitlines()]
    assert [row["source"]["uri"].split("/")[2] for row in rows] == ["kept.example"] * len(rows)
    card = (folder / "dataset/README.md").read_text()
    assert f"{len(rows)} instruction/output pairs" in card
    for step in ("passages", "segments", "candidates", "ratings-1", "curated-1", "ratings-2", "curated-2", "dataset"):
        manifest = StepFolder(folder / step, step).manifest()
        assert manifest is not None, f"{step} does not count as finished any more"


def test_only_the_report_is_written_anew_and_a_later_run_leaves_the_site_out(config):
    settings = load_config(config)
    folder = run_pipeline(settings).folder
    takedown(folder, "example.org")
    assert run_pipeline(settings).executed == ["report"]
    run_pipeline(load_config(config, ["ingest.max_chars=2999"]))
    assert texts_of(folder, "example.org") != []  # as rows without their text
    for part in (folder / "passages").rglob("*.parquet"):
        for row in pq.read_table(part).to_pylist():
            if is_of_site(row["source"]["uri"], "example.org"):
                assert (row["reason"], row["text"]) == ("taken_down", "")


def test_a_step_that_is_half_done_begins_again_and_loses_no_row(config, monkeypatch):
    settings = load_config(config, ["engine.rows_per_shard=2"])
    usual, seen = ScriptedEngine.generate, []

    def breaks(engine, requests, sampling):
        seen.extend(requests)
        if len(seen) > 6:
            raise EngineError("the power goes")
        return usual(engine, requests, sampling)

    monkeypatch.setattr(ScriptedEngine, "generate", breaks)
    with pytest.raises(EngineError, match="the power goes"):
        run_pipeline(settings)
    monkeypatch.undo()
    assert list((settings.folder / "candidates").rglob("part-*.parquet"))
    assert takedown(settings.folder, "example.org", dry_run=True).again == ["candidates"]
    assert takedown(settings.folder, "example.org").again == ["candidates"]
    run_pipeline(settings)
    left = [row.source for row in read_rows(settings.folder / "segments", Segment)]
    kept = [row.source for row in read_rows(settings.folder / "candidates", Candidate)]
    aside = [row.source for row in dropped_rows(settings.folder / "candidates") if row.reason != "not_chosen"]
    assert left
    assert sorted(map(repr, kept + aside)) == sorted(map(repr, left))


def test_what_is_no_host_name_is_refused(config):
    folder = run_pipeline(load_config(config)).folder
    for domain in ("", "org", "not a host", "exa mple.org"):
        with pytest.raises(InputError, match="no host name"):
            takedown(folder, domain)


@pytest.mark.parametrize(
    ("uri", "is_of"),
    [
        ("https://example.org/a", True),
        ("http://EXAMPLE.org:8080", True),
        ("https://a.b.example.org/", True),
        ("https://user@example.org/", True),
        ("https://notexample.org/", False),
        ("https://example.org.evil.test/", False),
        ("https://other.test/?u=example.org", False),
        ("docs/example.org/page.html", False),
        ("https://[broken/", False),
    ],
)
def test_addresses_belong_to_their_host_and_those_above(uri, is_of):
    assert is_of_site(uri, "example.org") is is_of


def test_a_site_is_named_in_any_way():
    assert site_of("https://www.Example.org/page") == site_of("WWW.example.org.") == "example.org"
    assert site_of("müller.example") == "xn--mller-kva.example"
