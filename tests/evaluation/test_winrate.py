"""Win rates: by hand, as AlpacaEval's package counts them, and as its leaderboards have them."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import sys
import warnings
from pathlib import Path

import pytest

from humpback.errors import InputError
from humpback.evaluation.winrate import length_control
from humpback.evaluation.winrate.annotations import read_annotations
from humpback.evaluation.winrate.categories import CATEGORIES, category_of
from humpback.evaluation.winrate.figures import win_rate
from humpback.evaluation.winrate.length_control import length_adjusted_winrate, length_controlled
from humpback.evaluation.winrate.summary import summarise

SHARED = os.environ.get("HUMPBACK_SHARED")


def row(preference, ours="Our answer.", theirs="Their answer.", **values):
    return {
        "instruction": "What is it?",
        "output_1": theirs,
        "generator_1": "base",
        "output_2": ours,
        "generator_2": "mine",
        "annotator": "judge",
        "dataset": "d",
        "preference": preference,
    } | values


def written(folder: Path, rows, name="annotations.json") -> Path:
    file = folder / name
    text = json.dumps(rows)
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


def drawn(count=60, seed=0):
    rng = random.Random(seed)
    return [row(1 + rng.random(), "x" * rng.randint(10, 900), "y" * rng.randint(10, 900)) for _ in range(count)]


def test_by_hand(tmp_path):
    found = win_rate(read_annotations(written(tmp_path, [row(2, "four"), row(1, "six six"), row(1.5), row(2)])))
    assert found.win_rate == 62.5
    assert found.standard_error == pytest.approx(100 * 0.4787135538781691 / 2)
    assert (found.n_wins, found.n_wins_base, found.n_draws, found.n_total, found.n_unparsed) == (2, 1, 1, 4, 0)
    assert found.discrete_win_rate == 62.5
    assert found.avg_length == int((4 + 7 + 11 + 11) / 4)


def test_an_old_draw_is_a_draw_and_what_is_no_preference_is_counted_apart(tmp_path):
    rows = [row(0), row(None), row(2), row(-1), row(3)]
    found = win_rate(read_annotations(written(tmp_path, rows)))
    assert (found.win_rate, found.n_draws, found.n_wins, found.n_total, found.n_unparsed) == (75.0, 1, 1, 2, 3)
    assert win_rate(read_annotations(written(tmp_path, [row(2)]))).standard_error is None


@pytest.mark.parametrize("seed", range(3))
def test_as_the_package_counts(tmp_path, seed):
    metrics = pytest.importorskip("alpaca_eval.metrics")
    rows = [*drawn(seed=seed), row(0), row(1.5), row(2), row(1)]
    theirs = metrics.get_winrate(rows)
    ours = win_rate(read_annotations(written(tmp_path, rows)))
    for name in ("win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total", "discrete_win_rate"):
        assert getattr(ours, name) == pytest.approx(theirs[name], abs=1e-9), name


@pytest.mark.skipif(SHARED is None, reason="HUMPBACK_SHARED names no folder with AlpacaEval's annotations")
@pytest.mark.parametrize("version", [1, 2])
def test_as_the_leaderboard_has_it(version):
    folder = Path(str(SHARED)) / "data" / "eval" / "alpaca_eval"
    stem = f"oasst-rlhf-llama-33b__alpaca_eval_{version}"
    found = win_rate(read_annotations(folder / f"{stem}_annotations.json.gz"))
    with (folder / f"{stem}_leaderboard.csv").open() as file:
        (published,) = csv.DictReader(file)
    for name in ("win_rate", "standard_error", "discrete_win_rate", "n_total", "n_wins", "n_draws", "avg_length"):
        assert getattr(found, name) == pytest.approx(float(published[name]), abs=1e-6), name


def unreachable() -> Path:
    raise ConnectionError


def calibration(folder: Path, prompts: int) -> Path:
    """A file of the form of df_gamed.csv: two ways to play with length, of one model, on every prompt."""
    rng = random.Random(7)
    file = folder / "df_gamed.csv"
    with file.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["preference", "index", "std_delta_len", "instruction_difficulty", "not_gamed_baseline", "model"])
        for model, level in (("concise", 1.0), ("verbose", -1.5)):
            for number in range(prompts):
                out.writerow(
                    [0.3 * rng.random(), number, level + rng.gauss(0, 0.5), (number * 37 % 100) / 50 - 1, False, model]
                )
    return file


def test_length_is_controlled_as_the_package_does_with_a_file_that_is_given(tmp_path, monkeypatch):
    metrics = pytest.importorskip("alpaca_eval.metrics.glm_winrate")
    usual = metrics.hf_hub_download
    rng = random.Random(1)
    rows = []
    for _ in range(120):  # preferred for its length alone
        ours, theirs = rng.randint(10, 900), rng.randint(10, 900)
        rows.append(row(2 if ours > theirs else 1, "x" * ours, "y" * theirs))
    annotations = read_annotations(written(tmp_path, rows))
    found = length_controlled(annotations, calibration(tmp_path, 120))
    assert found.reason is None
    assert 0 < found.length_controlled_winrate < 100
    assert found.lc_standard_error > 0
    assert metrics.hf_hub_download is usual
    monkeypatch.setattr(metrics, "hf_hub_download", lambda **_: str(calibration(tmp_path, 120)))
    with warnings.catch_warnings(action="ignore"):
        theirs = metrics.get_length_controlled_winrate(rows, save_weights_dir=None)
    assert found.length_controlled_winrate == pytest.approx(theirs["length_controlled_winrate"], abs=1e-9)
    assert found.lc_standard_error == pytest.approx(theirs["lc_standard_error"], abs=1e-9)


def test_fewer_rows_than_a_given_file_knows_are_taken_for_its_first_with_a_warning(tmp_path, caplog):
    pytest.importorskip("alpaca_eval.metrics")
    found = length_controlled(read_annotations(written(tmp_path, drawn(40))), calibration(tmp_path, 60))
    assert found.reason is None
    assert "knows 60 prompts and there are 40 annotations" in caplog.text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a,b\n1,2\n", "lacks the columns index, instruction_difficulty"),
        ("", "cannot be read as CSV"),
        (None, "no such file"),
    ],
)
def test_a_calibration_file_of_another_form_is_refused(tmp_path, text, wrong):
    file = tmp_path / "given.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=wrong):
        length_controlled(read_annotations(written(tmp_path, drawn())), file)


def test_a_calibration_of_fewer_prompts_is_refused(tmp_path):
    with pytest.raises(InputError, match="knows 20 prompts and there are 60"):
        length_controlled(read_annotations(written(tmp_path, drawn(60))), calibration(tmp_path, 20))


def test_without_the_file_there_is_a_reason_and_an_estimate_of_our_own(tmp_path, monkeypatch):
    pytest.importorskip("alpaca_eval.metrics")
    monkeypatch.setattr(length_control, "_fetched", unreachable)
    found = summarise(written(tmp_path, drawn(805)))
    assert (found["length_controlled_winrate"], found["lc_standard_error"]) == (None, None)
    assert found["length_controlled_reason"].startswith(
        "df_gamed.csv of the dataset tatsu-lab/alpaca_eval cannot be had (ConnectionError)"
    )
    assert 0 < found["length_adjusted_winrate"] < 100


def test_the_hub_is_not_asked_for_other_prompts_than_the_benchmarks(tmp_path, monkeypatch):
    pytest.importorskip("alpaca_eval.metrics")
    monkeypatch.setattr(length_control, "_fetched", lambda: pytest.fail("the hub was asked"))
    found = length_controlled(read_annotations(written(tmp_path, drawn(80))))
    assert found.length_controlled_winrate is None
    assert found.reason == "the fit knows AlpacaEval's 805 prompts by their number, and there are 80 annotations"


def test_without_the_package_there_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "alpaca_eval.metrics", None)
    found = summarise(written(tmp_path, drawn(9)), calibration(tmp_path, 9))
    assert found["length_controlled_winrate"] is None
    assert 'pip install "humpback[winrate]"' in found["length_controlled_reason"]
    assert found["win_rate"] > 0
    assert found["standard_error"] > 0


def test_both_orders_of_our_own_judge_are_summed_up(tmp_path):
    orders = [(2.0, 2.0), (2.0, 1.0), (1.0, None)]
    rows = [row(2.0, preference_in_order=one, preference_swapped=other) for one, other in orders]
    found = summarise(written(tmp_path, rows))
    assert (found["order_agreement"], found["first_preferred"]) == (0.5, 0.25)
    assert "order_agreement" not in summarise(written(tmp_path, [row(2.0)]))


def test_our_own_estimate_takes_out_what_length_explains(tmp_path):
    rng = random.Random(3)
    rows = []
    for _ in range(400):
        ours, theirs = rng.randint(400, 900), rng.randint(10, 500)
        longer = ours - theirs
        rows.append(row(2 if longer + rng.gauss(0, 120) > 200 else 1, "x" * ours, "y" * theirs))
    annotations = read_annotations(written(tmp_path, rows))
    assert win_rate(annotations).win_rate > 80
    assert length_adjusted_winrate(annotations) < 15
    assert length_adjusted_winrate(read_annotations(written(tmp_path, [row(2)] * 5))) is None


def test_a_compressed_file_a_breakdown_and_one_of_several_models(tmp_path):
    rows = [row(2, dataset="koala"), row(1, dataset="vicuna", category="writing"), row(2, generator_2="other")]
    file = written(tmp_path, rows, "annotations.json.gz")
    with pytest.raises(InputError, match="2 models, mine, other; choose one by --model"):
        summarise(file)
    found = summarise(file, model="mine", breakdown=True)
    assert found["n_total"] == 2
    assert {name: one["win_rate"] for name, one in found["by_source"].items()} == {"koala": 100.0, "vicuna": 0.0}
    assert set(found["by_category"]) == {"information", "writing"}
    with pytest.raises(InputError, match="no annotation is of third; there are mine, other"):
        summarise(file, model="third")


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([{"instruction": "i", "output": "o"}], r"row 1: no `preference` \(it has instruction, output\)"),
        ([row(2), row("2")], "row 2: `preference` is '2'; it must be a number"),
        ([row(2), row(True)], "row 2: `preference` is True"),
        ([row(2), row(2) | {"output_2": None}], "row 2: `output_2` is missing or no text"),
        ([row(2), row(2, annotator="x")], "`annotator` differs between rows, judge, x"),
        ([row(2), row(2, generator_1="x")], "`generator_1` differs"),
        ([row(None)], "none of its 1 rows has a preference"),
        ([], "holds no row"),
    ],
)
def test_a_file_of_another_form_is_one_message(tmp_path, rows, wrong):
    with pytest.raises(InputError, match=wrong):
        summarise(written(tmp_path, rows))


@pytest.mark.parametrize(
    ("instruction", "category"),
    [
        ("Give me a recipe for lentil soup.", "recipe"),
        ("Solve the equation 3x + 4 = 10 step by step.", "reasoning"),
        ("Write a short poem about the sea.", "writing"),
        ("How can I improve my sleep?", "advice"),
        ("When was the printing press invented?", "information"),
        ("Hmm.", "other"),
    ],
)
def test_categories(instruction, category):
    assert category_of(instruction) == category
    assert category in CATEGORIES
