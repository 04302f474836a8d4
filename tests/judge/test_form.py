"""Signals of form: each is higher in a text with its defect than in the same text without."""

from __future__ import annotations

import pytest

from humpback.judge.form import form_signals

ASKED = "How do whales sleep in the sea?"
ANSWER = (
    "Whales rest one half of the brain at a time. The other half keeps watch and tells them when to breathe.\n\n"
    "Sperm whales hang upright in the water for some minutes. Calves sleep while they swim beside their mothers."
)
GERMAN = "Wale schlafen mit einer Hälfte des Gehirns, während die andere wacht und an das Atmen erinnert. "
DEFECTS = {
    "open_start": ANSWER[14:],
    "linking_start": f"However, {ANSWER}",
    "open_end": ANSWER[:-12],
    "unclosed": f"{ANSWER}\n```\nrest(whale)",
    "number_gap": f"{ANSWER}\n1. Dive.\n3. Breathe.",
    "repeated": f"{ANSWER} Sperm whales hang upright in the water for some minutes.",
    "repeated_lines": f"{ANSWER} Sperm whales hang upright in the water for some minutes.",
    "echo": f"How do whales sleep in the sea? {ANSWER}",
    "echo_run": f"How do whales sleep in the sea? {ANSWER}",
    "restarts": f"How do whales sleep in the sea? {ANSWER}",
    "language": GERMAN * 3,
    "mixed_language": ANSWER + GERMAN * 4,
    "short_lines": f"Home\nAbout us\nWhales\n{ANSWER}",
    "first_person": f"I saw it myself, and I was in awe. {ANSWER}",
    "first_person_most": f"I saw it myself, and I was in awe. {ANSWER}",
    "chat": f"Hello folks, welcome to my blog! {ANSWER}",
    "selling": f"{ANSWER} Order now and save 20 % on our premium whale tours.",
    "selling_most": f"{ANSWER} Order now and save 20 % on our premium whale tours.",
    "site": f"Home » Animals » Whales | Share | Log in\n{ANSWER}",
    "said": f"{ANSWER}\nAnna says: 3 days ago\nReply",
    "general": "There are many different ways and several important aspects. It usually depends on the situation.",
    "untouched": "Bees dance to tell others where flowers are.",
    "untouched_stems": "Bees dance to tell others where flowers are.",
    "few_kinds": "Whales sleep. " * 12,
}


@pytest.mark.parametrize(("name", "text"), DEFECTS.items())
def test_a_signal_grows_with_its_defect(name, text):
    assert form_signals(ASKED, text)[name] > form_signals(ASKED, ANSWER)[name]


def test_every_signal_is_there_and_finite():
    usual = form_signals(ASKED, ANSWER)
    assert set(DEFECTS) <= set(usual)
    for text in ("", "?", "\n\n", "你好", "x" * 5000, "\ud800", "| a | b |\n|---|---|\n| 1 | 2 |"):
        found = form_signals("", text)
        assert found.keys() == usual.keys()
        assert all(abs(value) < 100 for value in found.values())


def test_an_answer_that_ends_in_a_list_is_half_open():
    listed = f"{ANSWER}\n- Sperm whales\n- Blue whales"
    assert form_signals(ASKED, listed)["open_end"] == 0.5
    assert form_signals(ASKED, f"{ANSWER} Calves sleep while")["open_end"] == 1.0


def test_a_numbered_list_that_begins_late():
    assert form_signals(ASKED, "3. Breathe.\n4. Dive.")["open_start"] == 1.0
    assert form_signals(ASKED, "1. Breathe.\n2. Dive.")["open_start"] == 0.0
