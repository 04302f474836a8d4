"""Seed files of every form, and every reason for which a row is set aside."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from humpback.config import IngestConfig
from humpback.errors import InputError
from humpback.records import Dropped, DropReason
from humpback.seed import SeedRows, read_seed, seed_digest

LOOSE = IngestConfig(max_broken_fraction=1.0)


def read(folder: Path, rows: list[object], config: IngestConfig = LOOSE, name: str = "seed.jsonl") -> SeedRows:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_seed([str(path)], config)


def pairs(found: SeedRows) -> list[tuple[str, str]]:
    return [(example.instruction, example.output) for example in found.examples]


def only(found: SeedRows) -> Dropped:
    assert len(found.dropped) == 1
    return found.dropped[0]


def tree(text: str = "q", lang: str = "en", replies: list[dict[str, object]] | None = None) -> dict[str, object]:
    return {
        "message_tree_id": "1",
        "prompt": {"text": text, "role": "prompter", "lang": lang, "replies": replies},
    }


def reply(text: str, **more: object) -> dict[str, object]:
    return {"text": text, "role": "assistant", "lang": "en", "deleted": False, **more}


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "q", "output": " a\n"},
        {"instruction": "q", "input": "", "output": " a\n"},
        {"Instruction": "q", "Context": None, "Response": " a\n"},
        {"prompt": "q", "completion": " a\n"},
        {"QUESTION": "q", "ANSWER": " a\n"},
        {"question": "q", "answer": " a\n", "rank": 0.0},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": " a\n"}]},
        {"conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": " a\n"}]},
        {"conversations": ["q", " a\n"]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": " a\n"}]},
        {"instruction": "q", "instances": [{"input": "", "output": " a\n"}]},
        tree(replies=[reply(" a\n", rank=0)]),
    ],
)
def test_every_form_is_recognised_and_the_answer_is_untouched(tmp_path, row):
    found = read(tmp_path, [row])
    assert pairs(found) == [("q", " a\n")]
    assert found.examples[0].source.record == "1"
    assert found.examples[0].source.uri == str(tmp_path / "seed.jsonl")
    assert not found.dropped


@pytest.mark.parametrize(
    ("row", "instruction"),
    [
        ({"instruction": "q", "input": "in", "output": "a"}, "q\n\nin"),
        ({"instruction": "q", "context": "in", "response": "a"}, "q\n\nin"),
        ({"instruction": "q", "instances": [{"input": "in", "output": "a"}, {"output": "b"}]}, "q\n\nin"),
        (
            {
                "messages": [
                    {"role": "system", "content": "in"},
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": "a"},
                    {"role": "user", "content": "more"},
                ]
            },
            "in\n\nq",
        ),
    ],
)
def test_context_is_joined_by_a_blank_line(tmp_path, row, instruction):
    assert pairs(read(tmp_path, [row])) == [(instruction, "a")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"instruction": " ", "output": "a"}, DropReason.EMPTY_INSTRUCTION),
        ({"instruction": "q2", "output": "\n"}, DropReason.EMPTY_OUTPUT),
        ({"instruction": "q2", "output": None}, DropReason.EMPTY_OUTPUT),
        ({"instruction": "q", "output": "a"}, DropReason.DUPLICATE),
        ({"instruction": ["q2"], "output": "a"}, DropReason.UNREADABLE),
        ({"instruction": "q2"}, DropReason.UNREADABLE),
        ([1], DropReason.UNREADABLE),
    ],
)
def test_one_bad_row_is_dropped_alone(tmp_path, row, reason):
    found = read(tmp_path, [{"instruction": "q", "output": "a"}, row, {"instruction": "q ", "output": "a"}])
    assert pairs(found) == [("q", "a"), ("q ", "a")]
    assert only(found).reason is reason
    assert only(found).source.record == "2"
    assert only(found).detail


def test_only_the_best_ranked_answer_stays(tmp_path):
    rows = [("q", "worse", 1), ("r", "only", 3), ("q", "best", 0), ("q", "", 0), ("q", "x", "no")]
    found = read(tmp_path, [{"question": q, "answer": a, "rank": rank} for q, a, rank in rows])
    assert pairs(found) == [("r", "only"), ("q", "best")]
    assert [(one.source.record, one.reason) for one in found.dropped] == [
        ("1", DropReason.NOT_BEST_REPLY),
        ("4", DropReason.EMPTY_OUTPUT),
        ("5", DropReason.UNREADABLE),
    ]


def test_trees(tmp_path):
    rows = [
        tree("q1", replies=[reply("b", rank=1), reply("gone", rank=0, deleted=True), reply("c", rank=None)]),
        tree("q2", lang="de", replies=[reply("b")]),
        tree("q3", replies=[reply("gone", deleted=True)]),
        tree("q4", replies=None),
        {"prompt": {"text": "q5", "replies": "none"}},
    ]
    found = read(tmp_path, rows)
    assert pairs(found) == [("q1", "b")]
    assert [one.reason for one in found.dropped] == [
        DropReason.OTHER_LANGUAGE,
        DropReason.NO_REPLY,
        DropReason.NO_REPLY,
        DropReason.UNREADABLE,
    ]
    every = IngestConfig(seed_language=None, max_broken_fraction=1.0)
    assert ("q2", "b") in pairs(read(tmp_path, rows, every))


def test_flat_messages(tmp_path):
    rows = [
        {"message_id": "1", "parent_id": None, "role": "prompter", "text": "q", "lang": "en"},
        {"message_id": "2", "parent_id": "1", "role": "assistant", "text": "b", "rank": 1, "lang": "en"},
        {"message_id": "3", "parent_id": "1", "role": "assistant", "text": "a", "rank": 0, "lang": "en"},
        {"message_id": "4", "parent_id": "3", "role": "prompter", "text": "more", "lang": "en"},
    ]
    found = read(tmp_path, rows)
    assert pairs(found) == [("q", "a")]
    assert [(one.source.record, one.reason.value) for one in found.dropped] == [
        ("2", "not_best_reply"),
        ("4", "not_best_reply"),
    ]


def test_conversations_without_an_answer(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": "q"}]},
        {"messages": [{"role": "assistant", "content": "a"}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": "a"}]},
        {"messages": "none"},
    ]
    assert [one.reason.value for one in read(tmp_path, rows).dropped] == [
        "no_reply",
        "empty_instruction",
        "no_reply",
        "unreadable",
    ]


def test_an_unknown_form_names_columns_and_forms(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, [{"foo": 1, "bar": 2}])
    for piece in (
        "seed.jsonl",
        "foo, bar",
        "pairs",
        "oasst",
        "sharegpt",
        "messages",
        "self_instruct",
        "ranked",
    ):
        assert piece in str(caught.value)
    with pytest.raises(InputError, match="'messages', which needs"):
        read(tmp_path, [{"instruction": "q", "output": "a"}], IngestConfig(seed_format="messages"))


def test_the_form_asked_for_is_used(tmp_path):
    rows = [{"question": "q", "answer": "b", "rank": 1}, {"question": "q", "answer": "a", "rank": 0}]
    assert pairs(read(tmp_path, rows, IngestConfig(seed_format="pairs"))) == [("q", "b"), ("q", "a")]


def test_too_many_unreadable_rows_refuse_the_file(tmp_path):
    rows = [{"instruction": str(number), "output": "a"} for number in range(9)] + [{"instruction": 1, "output": "a"}]
    with pytest.raises(InputError, match=r"1 of 10 rows.*line 10.*max_broken_fraction"):
        read(tmp_path, rows, IngestConfig())


def test_only_empty_answers_refuse_the_file(tmp_path):
    with pytest.raises(InputError, match="every answer is empty"):
        read(tmp_path, [{"instruction": "q", "output": ""}] * 3)


def test_the_same_pair_in_two_files_stands_once(tmp_path):
    first = read(tmp_path, [{"instruction": "q", "output": "a"}], name="1.jsonl")
    read(tmp_path, [{"instruction": "q", "output": "a"}, {"instruction": "r", "output": "a"}], name="2.jsonl")
    found = read_seed([str(tmp_path)], LOOSE)
    assert len(found.examples) == 2
    assert found.examples[0] == first.examples[0]
    assert only(found).reason is DropReason.DUPLICATE
    assert only(found).source.uri.endswith("2.jsonl")


def test_builtin_pairs(tmp_path):
    found = read_seed(["builtin"], IngestConfig())
    assert len(found.examples) >= 10
    assert found.examples[0].source.uri == "humpback:data/seed.jsonl"
    assert seed_digest(["builtin"]) == seed_digest(["builtin"])


def test_digest_follows_the_contents(tmp_path):
    read(tmp_path, [{"instruction": "q", "output": "a"}])
    before = seed_digest([str(tmp_path)])
    read(tmp_path, [{"instruction": "q", "output": "b"}])
    assert seed_digest([str(tmp_path)]) != before
    with pytest.raises(InputError, match=r"^seed: "):
        seed_digest([str(tmp_path / "none.jsonl")])


@pytest.mark.skipif("HUMPBACK_SHARED" not in os.environ, reason="HUMPBACK_SHARED names no folder of real data")
@pytest.mark.parametrize(
    ("name", "kept", "dropped"),
    [
        ("dolly_3k.json", 2994, {"duplicate": 2}),
        ("oasst2_ranked_replies_dev.jsonl", 1133, {"not_best_reply": 340}),
        ("oasst_en_first_turn_best.jsonl", 1450, {}),
        ("oasst_trees_100.jsonl", 100, {}),
        ("self_instruct_seed_tasks.jsonl", 175, {}),
    ],
)
def test_real_files(name, kept, dropped):
    found = read_seed([str(Path(os.environ["HUMPBACK_SHARED"]) / "data" / "seed" / name)], IngestConfig())
    assert len(found.examples) == kept
    assert Counter(one.reason.value for one in found.dropped) == dropped
