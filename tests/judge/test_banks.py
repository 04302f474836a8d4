"""The banks of texts that are planted: their size, their halves, their slots and languages."""

from __future__ import annotations

import random
import re
from importlib import resources

import pytest

from humpback.corpus.language import identify
from humpback.judge.banks import Material

BANKS = sorted(
    file.name.removesuffix(".txt")
    for file in (resources.files("humpback.judge") / "material").iterdir()
    if file.name != "slots.txt"
)
LEAST = {"promotion": 60, "navigation": 60, "comments": 40, "comment_frames": 12, "comment_headings": 12, "echoes": 30}


@pytest.mark.parametrize("bank", BANKS)
def test_the_halves_of_a_bank_have_nothing_in_common(bank):
    everything, first, second = (Material(portion).entries(bank) for portion in ("all", "first", "second"))
    assert [*first, *second] == everything
    assert len(set(everything)) == len(everything)
    assert abs(len(first) - len(second)) <= 1
    assert len(everything) >= LEAST.get(bank, 40 if "generic" not in bank else 24)
    for portion in ("all", "first", "second"):
        material = Material(portion)
        for entry in material.entries(bank):
            filled = material.fill(entry, random.Random(1), question="Q", topic="t", text="x", count="2")
            assert not re.search(r"\{\w+\}", filled)
            assert "```" not in filled


def test_there_is_a_bank_for_every_slot_and_none_is_empty():
    used = {name for bank in BANKS for entry in Material().entries(bank) for name in re.findall(r"\{(\w+)\}", entry)}
    given = {"question", "topic", "text", "count"}
    for name in used - given:
        first, second = Material("first").slot(name), Material("second").slot(name)
        assert first
        assert second
        assert set(first).isdisjoint(second)


def test_the_halves_have_no_language_in_common():
    first, second = (
        {entry.partition("\n")[0] for entry in Material(portion).entries("other_languages")}
        for portion in ("first", "second")
    )
    assert first.isdisjoint(second)
    assert min(len(first), len(second)) >= 4


def test_every_language_is_what_its_entry_says():
    for entry in Material().entries("other_languages"):
        code, _, text = entry.partition("\n")
        assert identify(text) == code, text
