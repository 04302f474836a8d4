"""The life of one row of a run."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.errors import InputError, WorkspaceError
from humpback.pipeline import explain, run_pipeline
from humpback.records import Example, Segment
from humpback.workspace import dropped_rows, read_rows


@pytest.fixture(scope="module")
def run(write_inputs_to, tmp_path_factory):
    inputs = write_inputs_to(tmp_path_factory.mktemp("explain") / "inputs")
    config = load_config(inputs.config)
    run_pipeline(config)
    return config.folder


@pytest.fixture(scope="module")
def kept(run):
    return json.loads((run / "dataset/train.jsonl").read_text().splitlines()[0])


def test_a_row_of_the_dataset_tells_source_prompts_ratings_and_fate(run, kept):
    found = explain(run, kept["id"])
    assert (found.row_id, found.kind) == (kept["id"], "candidate")
    assert (found.text, found.instruction) == (kept["output"], kept["instruction"])
    assert found.source.uri == kept["source"]["uri"]
    assert found.headers == kept["headers"]
    assert kept["output"] in found.backward_prompt
    assert kept["instruction"] in found.rating_prompt
    events = {event.step: event.text for event in found.events}
    assert events["ratings-1"].startswith(f"rated {kept['ratings'][0]:.3f} (1: 0.")
    assert events["ratings-2"].startswith(f"rated {kept['ratings'][1]:.3f}")
    assert events["curated-2"] == "kept"


def test_a_segment_leads_to_its_candidate(run, kept):
    segment = next(row for row in read_rows(run / "segments", Segment) if row.text == kept["output"])
    assert explain(run, segment.id).row_id == kept["id"]


def test_the_beginning_of_an_id_is_enough(run, kept):
    assert explain(run, kept["id"][:8]).row_id == kept["id"]
    with pytest.raises(InputError, match="at least 6 characters"):
        explain(run, kept["id"][:5])


def test_what_curation_left_out_says_so(run):
    row = next(dropped_rows(run / "curated-1"))
    events = {event.step: event.text for event in explain(run, row.id).events}
    assert events["curated-1"].startswith("set aside: not_among_best (rated ")


def test_a_passage_that_was_no_segment_says_why(run):
    row = next(dropped_rows(run / "passages"))
    found = explain(run, row.id)
    assert (found.kind, found.text, found.instruction) == ("dropped row", row.text, None)
    assert found.events[0].text.startswith("set aside: too_long")


def test_seed_pairs_are_explained(run):
    for folder, kind in (("seed", "seed pair"), ("seed/held-out", "held-out seed pair")):
        pair = next(read_rows(run / folder, Example))
        found = explain(run, pair.id)
        assert (found.kind, found.instruction, found.text) == (kind, pair.instruction, pair.output)


def test_an_unknown_id_and_a_foreign_folder_are_refused(run, tmp_path):
    with pytest.raises(InputError, match=r"no row of .* has such an id"):
        explain(run, "ffffffffffffffff")
    with pytest.raises(WorkspaceError, match="is no run's folder"):
        explain(tmp_path, "ffffffffffffffff")
