"""Benchmark rows in the harness's columns, and the same as public files have them."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

from humpback.evaluation.harness.suites import DOMAINS

SIQA = [
    {"context": "Ann gave Bo a map.", "question": "Why did Ann do this?", "answerA": "to help", "answerB": "to sell it",
     "answerC": "be lost", "label": "1"},
    {"context": 'Cy said "Stop!" Then he ran.', "question": "How would you describe Cy?", "answerA": "calm",
     "answerB": "in a hurry", "answerC": "asleep", "label": "2"},
]  # fmt: skip
PIQA = [
    {"goal": "To dry shoes, ", "sol1": "put paper inside ", "sol2": "put  water inside", "label": 0},
    {"goal": "cut an onion", "sol1": "use a spoon", "sol2": "use a knife", "label": 1},
    {"goal": "How do I sweep a floor?", "sol1": "With a broom: push it.", "sol2": "With a fork.", "label": 0},
]
ARC = [
    {"question": "What is ice?", "choices": {"text": ["frozen water", "a metal", "a gas"], "label": ["A", "B", "C"]},
     "answerKey": "A"},
    {"question": "Which is a planet? (Pick one.)",
     "choices": {"text": ["the Moon", "Mars", "the Sun", "a comet"], "label": ["A", "B", "C", "D"]}, "answerKey": "B"},
]  # fmt: skip
OBQA = [
    {"question_stem": "Plants need", "choices": {"text": ["noise", "light", "salt", "wind"], "label": list("ABCD")},
     "answerKey": "B"},
]  # fmt: skip
MMLU = [
    {"question": " Which is even? ", "choices": ["1", "2", "3", "5"], "answer": 1},
    {"question": 'What is "x, y"?', "choices": ["a pair", "a\nline", "a set", "nothing"], "answer": 0},
]
CROWS = [
    {"sent_more": "The old man forgot it.", "sent_less": "The young man forgot it.", "bias_type": "age"},
    {"sent_more": "Poor people steal.", "sent_less": "Rich people steal.", "bias_type": "socioeconomic"},
    {"sent_more": "Old people are slow.", "sent_less": "Young people are slow.", "bias_type": "age"},
]
IFEVAL = [
    {"key": 1, "prompt": "Say it without commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {"key": 2, "prompt": "Write at least 3000 words in capitals.",
     "instruction_id_list": ["change_case:english_capital", "length_constraints:number_words"],
     "kwargs": [{}, {"relation": "at least", "num_words": 3000}]},
]  # fmt: skip
SUBJECTS = [subject for subjects in DOMAINS.values() for subject in subjects]


def adapters(question: str, answers: list[str], right: int, name: str = "answer") -> dict[str, str]:
    """A row as LLM-Adapters has it."""
    noun = "solution" if name == "solution" else "answer"
    joined = ("\n\n" if name == "solution" else " ").join(
        f"{name.capitalize()}{place}: {text}" for place, text in enumerate(answers, 1)
    )
    names = "/".join(f"{name}{place}" for place in range(1, len(answers) + 1))
    text = f"Please choose the correct {noun} to the question: {question}\n\n{joined}\n\nAnswer format: {names}"
    return {"instruction": text, "input": "", "output": "", "answer": f"{name}{right + 1}"}


def adapter_files() -> dict[str, list[dict[str, str]]]:
    """All that LLM-Adapters has, by file name."""

    def science(row: dict, name: str = "question") -> dict[str, str]:
        return adapters(row[name], row["choices"]["text"], row["choices"]["label"].index(row["answerKey"]))

    return {
        "social_i_qa_test.json": [
            adapters(f"{row['context']} {row['question']}", [row[f"answer{x}"] for x in "ABC"], int(row["label"]) - 1)
            for row in SIQA
        ],
        "piqa_test.json": [adapters(r["goal"], [r["sol1"], r["sol2"]], r["label"], "solution") for r in PIQA],
        "ARC-Easy_test.json": [science(row) for row in ARC],
        "ARC-Challenge_test.json": [science(row) for row in ARC],
        "openbookqa_test.json": [science(row, "question_stem") for row in OBQA],
    }


def write_public_files(folder: Path) -> Path:
    """A folder as people have it: LLM-Adapters, MMLU's archive, CrowS-Pairs' CSV, IFEval's prompts."""
    for name in ("commonsense", "crows-pairs", "ifeval"):
        (folder / name).mkdir(parents=True)
    for name, rows in adapter_files().items():
        (folder / "commonsense" / name).write_text(json.dumps(rows), encoding="utf-8")
    with (folder / "crows-pairs/crows_pairs_anonymized.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", "sent_more", "sent_less", "stereo_antistereo", "bias_type"])
        writer.writerows(
            [n, row["sent_more"], row["sent_less"], "stereo", row["bias_type"]] for n, row in enumerate(CROWS)
        )
    (folder / "ifeval/input_data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in IFEVAL))
    write_mmlu(folder / "mmlu.tar.gz", SUBJECTS)
    return folder


def write_mmlu(file: Path, subjects: list[str], header: bool = True) -> None:
    """MMLU's archive: with a header and places from 0, or as first published, without one and with letters."""
    with tarfile.open(file, "w:gz") as archive:
        for subject in subjects:
            for split, rows in (("test", MMLU), ("dev", MMLU[:1])):
                text = io.StringIO()
                writer = csv.writer(text)
                if header:
                    writer.writerow(["question", "choice0", "choice1", "choice2", "choice3", "answer"])
                for row in rows:
                    writer.writerow(
                        [row["question"], *row["choices"], row["answer"] if header else "ABCD"[row["answer"]]]
                    )
                content = text.getvalue().encode()
                member = tarfile.TarInfo(f"mmlu/{split}/{subject}_{split}.csv")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
