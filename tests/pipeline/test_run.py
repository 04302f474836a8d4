"""A scripted run from documents to dataset, and what of it a change runs again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from humpback.config import load_config
from humpback.errors import ConfigError, InputError, NothingLeftError, WorkspaceError
from humpback.pipeline import STAGES, preflight, run_pipeline, run_state
from humpback.records import Candidate, Curated, DropReason, Example, Rating, Segment
from humpback.workspace import RunFolder, dropped_rows, read_rows

ALL = [
    "seed",
    "passages",
    "segments",
    "models/backward",
    "models/m0",
    "candidates",
    "ratings-1",
    "curated-1",
    "models/m1",
    "ratings-2",
    "curated-2",
    "models/m2",
    "dataset",
    "evaluation",
    "report",
]


@pytest.fixture(scope="module")
def finished(write_inputs_to, tmp_path_factory):
    """A finished run that tests only read."""
    inputs = write_inputs_to(tmp_path_factory.mktemp("run") / "inputs")
    config = load_config(inputs.config)
    return inputs, config, run_pipeline(config)


@pytest.fixture
def config(small_inputs):
    return load_config(small_inputs.config)


def changed(inputs, *overrides: str):
    return load_config(inputs.config, overrides)


def statuses(config) -> list[str]:
    return [state.step.name for state in run_state(config) if state.status != "done"]


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "dataset/train.jsonl").read_text(encoding="utf-8").splitlines()]


def share_of_candidates(config, fraction: float) -> int:
    """A few of the scripted answers never end, so that the number of candidates depends on where the inputs stand."""
    return round(fraction * sum(1 for _ in read_rows(config.folder / "candidates", Candidate)))


def test_every_step_is_done(finished):
    _, config, result = finished
    assert result.executed == ALL
    assert result.reused == []
    assert statuses(config) == []
    for name in ALL:
        manifest = RunFolder(config.folder).step(name).manifest()
        assert manifest.step == name
        assert manifest.files, f"{name} wrote something"
        assert manifest.versions["humpback"]
    for file in ("dataset/README.md", "dataset/train.parquet", "report/index.html", "evaluation/evaluation.json"):
        assert (config.folder / file).stat().st_size > 0


def test_a_second_run_executes_nothing(finished):
    _, config, _ = finished
    before = {file: file.stat().st_mtime_ns for file in config.folder.rglob("*.*") if file.name != ".lock"}
    result = run_pipeline(config)
    assert result.executed == []
    assert result.reused == ALL
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_outputs_are_the_bytes_of_their_documents(finished):
    inputs, config, _ = finished
    rows = rows_of(config.folder)
    assert len(rows) == share_of_candidates(config, 0.4)
    for row in rows:
        document = Path(row["source"]["uri"])
        assert document.parent == inputs.corpus
        text = document.read_bytes().decode("utf-8")
        assert row["output"] == text[row["source"]["start"] : row["source"]["end"]]
        assert row["source"]["end"] - row["source"]["start"] >= 600
        assert row["instruction"]
        assert row["headers"][0].startswith("On ")
        assert len(row["ratings"]) == 2
        assert row["rating"] == row["ratings"][-1]


def test_the_parquet_dataset_holds_the_same_rows(finished):
    import pyarrow.parquet as pq

    _, config, _ = finished
    assert pq.read_table(config.folder / "dataset/train.parquet").to_pylist() == rows_of(config.folder)


def test_no_row_disappears_uncounted(finished):
    _, config, _ = finished
    folder = config.folder
    passages, segments = list(read_rows(folder / "passages", Segment)), list(read_rows(folder / "segments", Segment))
    candidates = list(read_rows(folder / "candidates", Candidate))
    duplicates = list(dropped_rows(folder / "segments"))
    unanswered = list(dropped_rows(folder / "candidates"))
    assert Counter(row.id for row in passages) == Counter(row.id for row in [*segments, *duplicates])
    unanswered = [row for row in unanswered if row.reason != DropReason.NOT_CHOSEN]
    assert len(segments) == len(candidates) + len(unanswered)
    assert {row.output for row in candidates} | {row.text for row in unanswered} == {row.text for row in segments}
    for number in (1, 2):
        rated = [row.candidate_id for row in read_rows(folder / f"ratings-{number}", Rating)]
        assert rated == [row.id for row in candidates]
        kept = list(read_rows(folder / f"curated-{number}", Curated))
        left_out = list(dropped_rows(folder / f"curated-{number}"))
        assert Counter(rated) == Counter(row.id for row in [*kept, *left_out])
        lowest = min(row.rating for row in kept)
        assert all(float(row.detail.split()[-1]) <= lowest + 1e-3 for row in left_out)
    for name in ALL:
        manifest = RunFolder(folder).step(name).manifest()
        assert sum(manifest.dropped.values()) == len(list(dropped_rows(folder / name)))


def test_seed_pairs_are_trained_on_or_held_out(finished):
    _, config, _ = finished
    trained = {row.instruction for row in read_rows(config.folder / "seed", Example)}
    held_out = {row.instruction for row in read_rows(config.folder / "seed/held-out", Example)}
    assert (len(trained), len(held_out)) == (21, 3)
    assert not trained & held_out


@pytest.mark.parametrize(
    ("override", "stale"),
    [
        ("curate.keep_fraction=0.5", ["curated-1", "models/m1", "ratings-2", "curated-2", "models/m2"]),
        ("rate.method=written", ["ratings-1", "curated-1", "models/m1", "ratings-2", "curated-2", "models/m2"]),
        ("evaluate.max_pairs=2", []),
        ("train.steps=3", ALL[3:12]),
        ("prompts.seed_tag=Other", ALL[3:12]),
        ("augment.temperature=0.5", ["candidates", *ALL[6:12]]),
        ("ingest.max_segments=20", ["segments", "candidates", *ALL[6:12]]),
        ("ingest.min_chars=500", ["passages", "segments", "candidates", *ALL[6:12]]),
        ("ingest.held_out_fraction=0.2", ["seed", *ALL[3:12]]),
    ],
)
def test_a_changed_setting_makes_exactly_what_is_downstream_stale(finished, override, stale):
    inputs, _, _ = finished
    downstream = {
        "evaluate.max_pairs=2": ["evaluation", "report"],
    }.get(override, ["dataset", "evaluation", "report"])
    assert statuses(changed(inputs, override)) == [*stale, *downstream]


@pytest.mark.parametrize(
    "override",
    ["engine.batch_tokens=64", "cluster.replicas=2", "train.checkpoint_minutes=1", "engine.device=cpu"],
)
def test_settings_of_speed_rerun_nothing_but_the_report_that_lists_them(finished, override):
    inputs, _, _ = finished
    assert set(statuses(changed(inputs, override))) <= {"report"}


def test_a_change_runs_exactly_what_is_stale(small_inputs, config):
    run_pipeline(config)
    result = run_pipeline(changed(small_inputs, "curate.keep_fraction=0.5"))
    assert result.executed == ALL[7:]
    assert result.reused == ALL[:7]
    assert len(rows_of(config.folder)) == share_of_candidates(config, 0.5)


def test_a_changed_document_runs_the_corpus_side_again(small_inputs, config):
    run_pipeline(config)
    document = small_inputs.corpus / "document-0.md"
    document.write_text(document.read_text() + "\nOne more line.\n")
    assert statuses(config) == ["passages", "segments", "candidates", *ALL[6:]]


def test_a_changed_seed_runs_the_seed_side_again(small_inputs, config):
    run_pipeline(config)
    lines = small_inputs.seed.read_text().splitlines()
    small_inputs.seed.write_text("\n".join(lines[:-1]) + "\n")
    assert statuses(config) == ["seed", *ALL[3:]]


def test_a_truncated_output_is_made_again(config):
    run_pipeline(config)
    before = rows_of(config.folder)
    shard = config.folder / "ratings-1/part-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-1])
    result = run_pipeline(config)
    assert result.executed == ["ratings-1"], "what is downstream was made from the same bytes"
    assert rows_of(config.folder) == before


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_with_all_that_it_needs(config, stage):
    result = run_pipeline(config, target=stage)
    last = {
        "ingest": ALL[:3],
        "train": ALL[:12],
        "augment": ALL[:6],
        "rate": ALL[:10],
        "curate": ALL[:11],
        "evaluate": [name for name in ALL if name not in ("dataset", "report")],
        "export": [name for name in ALL[:13] if name != "models/m2"],
        "report": ALL,
    }[stage]
    assert result.executed == last


def test_a_single_step_runs_with_all_that_it_needs(config):
    assert run_pipeline(config, target="models/m0").executed == ["seed", "models/m0"]
    with pytest.raises(ValueError, match="no such stage or step"):
        run_pipeline(config, target="models/m7")


def test_another_folder_gives_the_same_bytes(small_inputs, config):
    first = run_pipeline(config)
    other = changed(small_inputs, f"runs_dir={small_inputs.folder / 'elsewhere'}")
    second = run_pipeline(other)
    name = "dataset/train.jsonl"
    assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_shards_of_another_size_hold_the_same_rows(small_inputs, config):
    run_pipeline(config)
    other = changed(
        small_inputs,
        f"runs_dir={small_inputs.folder / 'elsewhere'}",
        "engine.rows_per_shard=7",
        "ingest.documents_per_shard=3",
    )
    run_pipeline(other)
    assert rows_of(other.folder) == rows_of(config.folder)


def test_another_random_seed_gives_other_instructions(small_inputs, config):
    run_pipeline(config, target="augment")
    other = changed(small_inputs, f"runs_dir={small_inputs.folder / 'elsewhere'}", "random_seed=1")
    run_pipeline(other, target="augment")
    texts = [{row.instruction for row in read_rows(c.folder / "candidates", Candidate)} for c in (config, other)]
    assert texts[0] != texts[1]


def test_a_threshold_that_keeps_nothing_says_what_would(small_inputs):
    config = changed(small_inputs, "curate.threshold=5")
    with pytest.raises(NothingLeftError) as caught:
        run_pipeline(config)
    message = str(caught.value)
    assert "curate.threshold: 5 keeps none of 2" in message
    assert "curate.keep_fraction" in message
    assert RunFolder(config.folder).step("ratings-1").manifest() is not None
    result = run_pipeline(changed(small_inputs, "curate.keep_fraction=0.2"))
    assert "ratings-1" in result.reused
    assert "curated-1" in result.executed


def test_a_threshold_keeps_what_reaches_it(small_inputs):
    config = changed(small_inputs, "curate.threshold=3")
    run_pipeline(config)
    for number in (1, 2):
        kept = {row.id for row in read_rows(config.folder / f"curated-{number}", Curated)}
        rated = list(read_rows(config.folder / f"ratings-{number}", Rating))
        assert kept == {row.candidate_id for row in rated if row.rating >= 3}
        reasons = {str(row.reason) for row in dropped_rows(config.folder / f"curated-{number}")}
        assert reasons == {"below_threshold"}


def test_written_ratings_that_cannot_be_read_are_set_aside_with_a_reason(small_inputs, monkeypatch):
    from humpback.engines import Generation
    from humpback.engines.scripted import ScriptedEngine

    usual = ScriptedEngine.generate

    def generate(self, requests, sampling):
        answers = usual(self, requests, sampling)
        if "Score:" not in requests[0].prompt:
            return answers
        texts = ["Score: 4", "Score: 10", "no idea", ""]
        return [Generation(answer.row_id, text, "end", 2) for answer, text in zip(answers, texts, strict=False)]

    monkeypatch.setattr(ScriptedEngine, "generate", generate)
    config = changed(small_inputs, "rate.method=written")
    run_pipeline(config)
    ratings = list(read_rows(config.folder / "ratings-1", Rating))
    assert {(row.rating, row.unparsed_reason) for row in ratings} == {
        (4.0, None),
        (None, "out_of_range"),
        (None, "no_score"),
        (None, "empty"),
    }
    unparsed = {row.candidate_id for row in ratings if row.rating is None}
    dropped = {row.id for row in dropped_rows(config.folder / "curated-1") if row.reason == "unparsed"}
    assert dropped == unparsed
    manifest = RunFolder(config.folder).step("ratings-1").manifest()
    assert sum(manifest.facts["unparsed"].values()) == len(unparsed)


def test_no_segment_left_says_why(small_inputs):
    config = changed(small_inputs, "ingest.min_chars=2900")
    with pytest.raises(NothingLeftError, match=r"no segment is left \(24 too_short, 8 too_long\).*ingest\.min_chars"):
        run_pipeline(config)


def test_too_few_seed_pairs_are_refused_before_anything_runs(small_inputs, config):
    lines = small_inputs.seed.read_text().splitlines()
    small_inputs.seed.write_text("\n".join(lines[:9]) + "\n")
    with pytest.raises(InputError, match=r"seed: .*seed\.jsonl: 9 usable pairs .*at least 10"):
        run_pipeline(config)
    assert not config.folder.exists()
    small_inputs.seed.write_text("\n".join(lines[:10]) + "\n")
    assert run_pipeline(config).executed == ALL


def test_all_problems_are_told_at_once(small_inputs):
    config = changed(
        small_inputs,
        "seed=absent.jsonl",
        "corpus=absent/",
        "evaluate.sets.other=absent.json",
        "prompts.rating_template=absent.jinja",
        "prompts.chat_template=absent2.jinja",
    )
    problems = preflight(config)
    assert len(problems) == 4
    with pytest.raises(ConfigError) as caught:
        run_pipeline(config)
    text = str(caught.value)
    for part in ("seed: 'absent.jsonl'", "corpus: 'absent/'", "evaluate.sets.other", "rating_template: absent.jinja"):
        assert part in text


def test_seed_pairs_of_an_evaluation_set_are_not_trained_on(small_inputs, tmp_path):
    pairs = [json.loads(line) for line in small_inputs.seed.read_text().splitlines()]
    tests = tmp_path / "tests.jsonl"
    tests.write_text(json.dumps({"prompt": pairs[3]["instruction"].upper() + "!"}) + "\n")
    config = changed(small_inputs, f"ingest.decontaminate.against=[{tests}]")
    run_pipeline(config, target="seed")
    (dropped,) = dropped_rows(config.folder / "seed")
    assert (dropped.reason, dropped.text) == ("contaminated", pairs[3]["instruction"])
    manifest = RunFolder(config.folder).step("seed").manifest()
    assert manifest.facts["contamination"] == {str(tests): ["1"]}


def test_near_duplicates_go_for_the_longer_one_and_languages_are_counted(small_inputs):
    folder = Path(small_inputs.corpus)
    text = sorted(folder.glob("*.md"))[0].read_text()
    (folder / "zz.md").write_text(text.replace(".", ". ", 1) + " And that is how it was.")
    config = changed(small_inputs)
    run_pipeline(config, target="segments")
    near = [row for row in dropped_rows(config.folder / "segments") if row.reason == "near_duplicate"]
    assert near
    kept = {row.id for row in read_rows(config.folder / "segments", Segment)}
    for row in near:
        named, alike = row.detail.removeprefix("of segment ").split(", ")
        assert named in kept
        assert int(alike.removesuffix("% alike")) >= 40
    facts = RunFolder(config.folder).step("passages").manifest().facts
    assert list(facts["languages"]) == ["en"]
    assert facts["documents"] == len(list(folder.glob("*.md")))
    assert not (config.folder / "segments/signatures").exists()


def test_a_run_in_use_is_refused(config):
    with RunFolder(config.folder).locked(), pytest.raises(WorkspaceError, match="is in use by process"):
        run_pipeline(config)


def test_more_pairs_to_measure_on_are_measured(small_inputs, tmp_path):
    other = tmp_path / "other.jsonl"
    rows = [{"instruction": f"What is said of number {n} in list {n * 7}?", "output": "Little."} for n in range(9)]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = changed(small_inputs, f"evaluate.sets.again={other}", "evaluate.max_pairs=5")
    run_pipeline(config, target="evaluate")
    result = json.loads((config.folder / "evaluation/evaluation.json").read_text())
    assert {name: part["pairs"] for name, part in result["sets"].items()} == {"seed": 3, "again": 5}
    assert set(result["sets"]["again"]["models"]) == {"base", "backward", "m0", "m1", "m2"}
    m2 = result["sets"]["seed"]["models"]["m2"]
    assert m2["loss"]["low"] <= m2["loss"]["mean"] <= m2["loss"]["high"]
    m0 = result["sets"]["seed"]["models"]["m0"]
    assert m2["against_m0"]["mean"] == pytest.approx(m2["loss"]["mean"] - m0["loss"]["mean"])


def test_wrong_labels_are_found_before_anything_runs(small_inputs, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,good\nc1,perhaps\n", encoding="utf-8")
    config = changed(small_inputs, f"curate.labels={labels}")
    with pytest.raises(InputError, match=r"labels\.csv: line 2: a label needs"):
        run_pipeline(config)
    assert not config.folder.exists()
