"""Evaluation prompts are found in texts, verbatim and lightly edited, and nowhere else."""

from __future__ import annotations

import gzip
import json
import os
import pickle
from pathlib import Path

import pytest

from humpback.config import DecontaminateConfig, IngestConfig
from humpback.corpus.contamination import EvaluationSet, Hit, Prompt, build_index, load_sets, sets_digest
from humpback.corpus.contamination.index import _longest_common
from humpback.corpus.contamination.normal import compact_lines, plain_text, plain_words
from humpback.corpus.contamination.prompts import question_stem
from humpback.corpus.contamination.runs import MAX_SHARING_PROMPTS, run_length
from humpback.errors import InputError
from humpback.seed import read_seed

HAWAII = "Compose an engaging travel blog post about a recent trip to Hawaii, highlighting cultural experiences."
ONLY_FILES = DecontaminateConfig(defaults=False)
HOST = "The agency publishes its budget every spring. {} Readers may send comments by post until the end of June."


def index_of(*texts: str, config: DecontaminateConfig = ONLY_FILES):
    prompts = [Prompt(str(number), text) for number, text in enumerate(texts, start=1)]
    return build_index([EvaluationSet("bench", prompts)], config)


def found(text: str, *prompts: str) -> list[str]:
    return [hit.prompt for hit in index_of(*prompts).hits(text)]


def against(*values: object) -> DecontaminateConfig:
    return DecontaminateConfig(against=[str(value) for value in values], defaults=False)


def write_jsonl(path: Path, *rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# --- normal form ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's “Love”?", ["whats", "love"]),
        ("Café – NAÏVE_word", ["cafe", "naive", "word"]),
        ("don’t stop…now", ["dont", "stop", "now"]),
        ("Straße", ["strasse"]),
        ("中文 ok", ["中", "文", "ok"]),
        ("** 1.5 **", ["1", "5"]),
        ("\ud800 half a character", ["half", "a", "character"]),
        ("", []),
    ],
)
def test_words_lose_case_accents_and_punctuation(text: str, words: list[str]):
    assert plain_words(plain_text(text)) == words


def test_lines_keep_the_ends_of_sentences():
    assert compact_lines(plain_text("Say hi. Go\non, é!")) == ["sayhi\rgo", "one\r"]


# --- what is found ---


@pytest.mark.parametrize(
    "text",
    [
        HAWAII,
        HOST.format(HAWAII),
        HOST.format(HAWAII.upper().replace(",", " –")),
        HOST.format(HAWAII.replace(" ", "\n")),
        HOST.format(HAWAII.replace("engaging", "interesting")),
        HOST.format(HAWAII.replace("recent ", "")),
        HOST.format(HAWAII.replace("blog", "short blog")),
    ],
)
def test_a_prompt_is_found_verbatim_and_lightly_edited(text: str):
    assert found(text, HAWAII) == ["1"]


def test_overlap_is_the_share_of_covered_words():
    (hit,) = index_of(HAWAII).hits(HOST.format(HAWAII))
    assert hit == Hit("bench", "1", 1.0)
    # The first 7 of 15 words stand in runs of 4, `about` is another word, and the last 7 do.
    (hit,) = index_of(HAWAII).hits(HOST.format(HAWAII.replace("about", "on")))
    assert hit.overlap == 14 / 15


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        HOST,
        # a third of the prompt
        HOST.format("A travel blog post about a recent trip that nobody took."),
        # all of its words, in another order
        HOST.format(" ".join(reversed(HAWAII.split()))),
        # both halves, a page apart
        HOST.format(HAWAII[:48]) + " and so on" * 50 + HAWAII[48:],
    ],
)
def test_a_part_of_a_prompt_is_no_hit(text: str):
    assert found(text, HAWAII) == []


def test_a_common_phrase_and_one_shared_word_are_no_hit():
    text = "The minister said that education plays an important role in health."
    assert found(text, "The limbic system plays an important role in") == []


def test_half_of_a_long_prompt_is_enough():
    words = [f"word{number}" for number in range(200)]
    assert found(" ".join(words[:104]), " ".join(words)) == ["1"]
    assert found(" ".join(words[:96]), " ".join(words)) == []


def test_overlap_and_ngram_are_the_users():
    half = HOST.format("Compose an engaging travel blog post about a recent trip.")
    strict = DecontaminateConfig(defaults=False, overlap=1.0)
    assert [hit.prompt for hit in index_of(HAWAII, config=strict).hits(HOST.format(HAWAII))] == ["1"]
    assert index_of(HAWAII, config=strict).hits(HOST.format(HAWAII.replace("about", "on"))) == []
    assert index_of(HAWAII, config=strict).hits(half) == []
    pairs = DecontaminateConfig(defaults=False, ngram=2)
    every_fourth = HAWAII.replace("travel", "x").replace("recent", "x")
    assert index_of(HAWAII, config=pairs).hits(every_fourth)


@pytest.mark.parametrize(("words", "length"), [(8, 4), (19, 4), (20, 5), (40, 6), (99, 6), (100, 8), (5000, 8)])
def test_runs_grow_with_the_prompt(words: int, length: int):
    assert run_length(words, 8) == length
    assert run_length(words, 3) == 3


def test_short_prompts_must_equal_a_line_or_sentence():
    assert found("Tell me. What is love?\nAll you need.", "What is love?") == ["1"]
    assert found("# what IS love\nAll you need.", "What is love?") == ["1"]
    assert found("Asked what is love, he was silent.", "What is love?") == []
    assert found("What is love? And why?\nBecause.", "What is love? And why?") == ["1"]


def test_a_term_must_equal_the_first_line():
    assert found("Real GDP\nIt is output at constant prices.", "Real GDP") == ["1"]
    assert found("Growth\nReal GDP\nIt is output at constant prices.", "Real GDP") == []
    assert found("table\nof contents", "table") == []


def test_a_first_line_may_ask_with_other_function_words():
    prompt = "How many days is it until Christmas?"
    assert found("How many days until christmas?\nCount them.", prompt) == ["1"]
    assert found("Count them.\nHow many days until christmas?", prompt) == []
    assert found("Days, Christmas\nCount them.", prompt) == []
    assert found("How many days is it until Easter?\nCount them.", prompt) == []


def test_phrases_that_many_prompts_share_count_for_nothing():
    frame = "Please choose the correct answer to the question: {}"
    topics = ["cats", "dogs", "maps", "rain", "iron", "salt", "wine", "silk", "gold", "corn", "bees", "moss"]
    assert len(topics) > MAX_SHARING_PROMPTS
    asked = "Which metal rusts fastest when sea water covers the hull of a ship?"
    prompts = [frame.format(f"Where would ancient traders have bought {topic} cheaply?") for topic in topics]
    assert found(frame.format("How tall is it?"), *prompts) == []
    assert found(HOST.format(asked), *prompts, frame.format(asked)) == ["13"]
    assert found(frame.format(asked), *prompts, frame.format(asked)) == ["13"]


def test_languages_without_spaces():
    prompt = "请用中文写一篇关于北京历史和文化的短文并列出三个著名的景点"
    assert found(f"欢迎。{prompt}。谢谢。", prompt) == ["1"]
    assert found("请用中文回答。北京历史很长。", prompt) == []
    assert found("你好吗？我很好。", "你好吗?") == ["1"]


def test_equal_prompts_are_reported_for_each_set():
    sets = [
        EvaluationSet("a", [Prompt("1", HAWAII), Prompt("2", HAWAII.upper())]),
        EvaluationSet("b", [Prompt("x", HAWAII)]),
    ]
    index = build_index(sets, ONLY_FILES)
    assert len(index) == 1
    assert index.hits(HAWAII) == [Hit("a", "1", 1.0), Hit("b", "x", 1.0)]


def test_the_index_can_be_pickled():
    index = pickle.loads(pickle.dumps(index_of(HAWAII, "What is love?")))
    assert [hit.prompt for hit in index.hits(f"{HAWAII}\nWhat is love?")] == ["1", "2"]


@pytest.mark.parametrize("sets", [[], [EvaluationSet("a", [])], [EvaluationSet("a", [Prompt("1", "?!")])]])
def test_an_empty_index_finds_nothing(sets: list[EvaluationSet]):
    index = build_index(sets, ONLY_FILES)
    assert len(index) == 0
    assert index.hits(HAWAII) == []


def test_long_repetitive_texts_take_linear_time():
    assert found("compose an engaging travel " * 50_000, HAWAII) == []
    assert found("a. " * 100_000 + "\n" * 100_000, "What is love?", HAWAII) == []


def test_longest_common_subsequence():
    assert _longest_common([1, 2, 3, 4], [2, 9, 4, 3, 4]) == 3  # 2 3 4
    assert _longest_common([1, 1], [1]) == 1
    assert _longest_common([], [1]) == 0


# --- sets ---


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        ({"instruction": "A", "input": "i", "output": "o"}, ["A"]),
        ({"key": 7, "prompt": "A", "kwargs": [{}]}, ["A"]),
        ({"Question": "A", "Best Answer": "b"}, ["A"]),
        ({"context": "C", "question": "A", "answerA": "x"}, ["C\nA"]),
        ({"goal": "A", "sol1": "x", "sol2": "y"}, ["A"]),
        ({"turns": ["A", "B"]}, ["A", "B"]),
        ({"turns": [{"content": "A"}], "cluster": "c"}, ["A"]),
        ({"messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "x"}]}, ["A"]),
        ({"conversations": [{"from": "human", "value": "A"}, {"from": "gpt", "value": "x"}]}, ["A"]),
        ({"prompt": {"text": "A", "role": "prompter", "replies": []}}, ["A"]),
        ({"ctx": "A", "endings": ["x", "y"]}, ["A"]),
        ({"sent_more": "A", "sent_less": "B", "bias_type": "age"}, ["A", "B"]),
        ({"label": "yes", "riddle": "a string that is long enough"}, ["a string that is long enough"]),
    ],
)
def test_columns(tmp_path: Path, row: dict, texts: list[str]):
    file = write_jsonl(tmp_path / "set.jsonl", row)
    (loaded,) = load_sets(against(file), {})
    assert loaded.name == str(file)
    assert [prompt.text for prompt in loaded.prompts] == texts


def test_ids_come_from_the_file_or_are_lines(tmp_path: Path):
    named = write_jsonl(tmp_path / "a.jsonl", {"question_id": 81, "turns": ["A", "B"]})
    unnamed = write_jsonl(tmp_path / "b.jsonl", {"prompt": "A"}, {"prompt": " "}, {"prompt": "B"})
    loaded = load_sets(against(named, unnamed), {})
    assert [[prompt.id for prompt in one.prompts] for one in loaded] == [["81/1", "81/2"], ["1", "3"]]


def test_options_of_a_multiple_choice_question_are_left_out():
    assert question_stem("Why do most stars shine?\nA. Fusion\nB. Fire") == "Why do most stars shine?"
    assert question_stem("Why do most stars shine?\n\nAnswer1: Fusion Answer2: Fire") == "Why do most stars shine?\n"
    assert (
        question_stem("Which is true?\nA. Stars burn\nB. Stars glow") == "Which is true?\nA. Stars burn\nB. Stars glow"
    )
    assert question_stem("Continue this talk:\nA: Hello there") == "Continue this talk:\nA: Hello there"


def test_compressed_files_and_folders(tmp_path: Path):
    folder = tmp_path / "sets"
    write_jsonl(folder / "b" / "test.jsonl", {"prompt": "B"})
    write_jsonl(folder / "b" / "train.jsonl", {"prompt": "never"})
    (folder / "a.json.gz").write_bytes(gzip.compress(json.dumps([{"instruction": "A"}]).encode()))
    (folder / "README.md").write_text("no table", encoding="utf-8")
    (folder / "c.tar.gz").write_bytes(b"no table either")
    (folder / "d.csv").write_text("model,rate\nx,1\n", encoding="utf-8")
    (loaded,) = load_sets(against(folder), {})
    assert [(prompt.id, prompt.text) for prompt in loaded.prompts] == [("a.json.gz:1", "A"), ("b/test.jsonl:1", "B")]


def test_a_training_split_alone_is_used(tmp_path: Path):
    file = write_jsonl(tmp_path / "train.jsonl", {"prompt": "A"})
    for value in (file, tmp_path):
        (loaded,) = load_sets(against(value), {})
        assert [prompt.text for prompt in loaded.prompts] == ["A"]


def test_the_runs_own_sets_come_first(tmp_path: Path):
    own = write_jsonl(tmp_path / "own.jsonl", {"instruction": "A", "output": "x"})
    other = write_jsonl(tmp_path / "other.jsonl", {"prompt": "B"})
    assert [one.name for one in load_sets(against(other), {"held": str(own)})] == ["held", str(other)]


def cache_dataset(monkeypatch: pytest.MonkeyPatch, cache: Path, name: str) -> Path:
    """A data set as it lies in the hub's cache after a download."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    folder = cache / f"datasets--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(snapshot.name, encoding="utf-8")
    write_jsonl(snapshot / "main" / "test-00000.jsonl", {"question": "Held out"})
    write_jsonl(snapshot / "main" / "train-00000.jsonl", {"question": "Not held out"})
    return snapshot


def test_sets_of_the_hub_come_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    snapshot = cache_dataset(monkeypatch, tmp_path, "openai/gsm8k")
    for config in (DecontaminateConfig(), against("openai/gsm8k")):
        assert load_sets(config, {}) == [EvaluationSet("openai/gsm8k", [Prompt("1", "Held out")])]
    assert load_sets(ONLY_FILES, {}) == []
    before = sets_digest(DecontaminateConfig(), {})
    assert before != sets_digest(ONLY_FILES, {})
    write_jsonl(snapshot / "main" / "test-00000.jsonl", {"question": "Changed"})
    assert sets_digest(DecontaminateConfig(), {}) != before


def test_a_default_set_without_prompts_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    snapshot = cache_dataset(monkeypatch, tmp_path, "openai/gsm8k")
    write_jsonl(snapshot / "main" / "test-00000.jsonl", {"label": 1})
    assert load_sets(DecontaminateConfig(), {}) == []
    assert sets_digest(DecontaminateConfig(), {})


@pytest.mark.parametrize("act", [load_sets, sets_digest])
def test_a_set_that_cannot_be_used_is_refused(act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    empty = write_jsonl(tmp_path / "empty.jsonl", {"label": 1})
    (tmp_path / "folder").mkdir()
    (tmp_path / "zip").write_bytes(b"PK\x03\x04")
    for value in ("nobody/nothing", "no/such/file.jsonl", empty, tmp_path / "folder", tmp_path / "zip"):
        with pytest.raises(InputError, match=r"ingest\.decontaminate\.against: "):
            act(against(value), {})
    with pytest.raises(InputError, match=r"evaluate\.sets\.own: "):
        act(ONLY_FILES, {"own": str(tmp_path / "missing.jsonl")})
    off = DecontaminateConfig(enabled=False, against=["nobody/nothing"])
    assert not act(off, {"own": str(tmp_path / "missing.jsonl")})


def test_the_digest_depends_on_names_and_contents(tmp_path: Path):
    file = write_jsonl(tmp_path / "a.jsonl", {"prompt": "A"})
    same = write_jsonl(tmp_path / "b.jsonl", {"prompt": "A"})
    digest = sets_digest(against(file), {})
    assert int(digest, 16)
    assert digest == sets_digest(against(file), {})
    assert digest != sets_digest(against(same), {})
    assert sets_digest(ONLY_FILES, {"x": str(file)}) != sets_digest(ONLY_FILES, {"y": str(file)})
    write_jsonl(file, {"prompt": "B"})
    assert digest != sets_digest(against(file), {})


@pytest.mark.skipif("HUMPBACK_SHARED" not in os.environ, reason="HUMPBACK_SHARED names no folder of real data")
def test_real_seed_trees_overlap_alpaca_eval():
    data = Path(os.environ["HUMPBACK_SHARED"]) / "data"
    config = against(data / "eval" / "alpaca_eval" / "gpt4.json.gz")
    index = build_index(load_sets(config, {}), config)
    seed = read_seed([str(data / "seed" / "oasst_trees_100.jsonl")], IngestConfig())
    assert any(index.hits(f"{example.instruction}\n{example.output}") for example in seed.examples)
