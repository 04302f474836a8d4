"""Planted defects: what each kind changes, what it leaves alone, and what it depends on."""

from __future__ import annotations

import random
import re
from functools import cache

import pytest

from humpback.config import IngestConfig
from humpback.corpus.language import identify
from humpback.corpus.markdown import outline
from humpback.corpus.words import words
from humpback.judge.banks import Material
from humpback.judge.defects import Defect, Planter
from humpback.judge.layout import Form, Layout
from humpback.records import Example, Source
from humpback.seed import read_seed

OF_INSTRUCTION = {Defect.OTHER_INSTRUCTION, Defect.NEAR_MISS}
CUTS = {Defect.CUT_START, Defect.CUT_MIDDLE, Defect.CUT_END}
INSERTED = {Defect.PROMOTION, Defect.NAVIGATION, Defect.COMMENTS, Defect.FORUM_VOICE, Defect.BLOG_VOICE}
OF_MATERIAL = {*INSERTED, Defect.OTHER_LANGUAGE, Defect.ECHO, Defect.GENERIC}
ANSWER = """Bread needs four things. They are flour, water, salt and yeast.

1. Mix everything in a large bowl with your hands.
2. Let the dough rise for two hours in a warm place.
3. Bake it in a very hot oven for forty minutes.

```python
loaf = mix(flour, water)

bake(loaf)
```

Let it cool before you cut it. A warm loaf tears. Keep it in a paper bag for up to three days."""


def example(output: str, instruction: str = "How do I bake bread?", name: str = "one") -> Example:
    return Example(name, instruction, output, Source("made up"))


@cache
def seed() -> list[Example]:
    return read_seed(["builtin"], IngestConfig()).examples


@cache
def planter() -> Planter:
    return Planter(seed(), 7)


def outputs(output: str, kind: Defect, count: int = 60) -> list[str]:
    """What comes of one answer under many ids, and so under many lots."""
    pairs = [example(output, name=f"pair {number}") for number in range(count)]
    found = [Planter(pairs, 1).plant(pair, kind) for pair in pairs]
    return [planted.output for planted in found if planted is not None]


def blocks_of_code(text: str) -> list[str]:
    return re.findall(r"^ *```.*?^ *```", text, re.DOTALL | re.MULTILINE)


def is_left_over(part: str, whole: str) -> bool:
    """Whether `part` is `whole` with something else between its characters, in the same order."""
    rest = iter(whole)
    return all(character in rest for character in part)


@pytest.mark.parametrize("kind", Defect)
def test_every_kind_changes_its_half_alone(kind):
    missing = 0
    for pair in seed():
        planted = planter().plant(pair, kind)
        if planted is None:
            missing += 1
            continue
        assert planted.output.strip()
        assert (planted.instruction != pair.instruction) is (kind in OF_INSTRUCTION)
        assert (planted.output != pair.output) is (kind not in OF_INSTRUCTION)
    assert missing <= (30 if kind in CUTS | {Defect.BRIEF} else 5)


@pytest.mark.parametrize("kind", Defect)
def test_the_order_of_the_pairs_and_of_the_calls_has_no_say(kind):
    pairs = seed()[:40]
    first = Planter(pairs, 3)
    expected = {pair.id: first.plant(pair, kind) for pair in pairs}
    shuffled = random.Random(1).sample(pairs, len(pairs))
    other = Planter(shuffled, 3)
    for pair in shuffled:
        for before in Defect if pair is shuffled[0] else ():
            other.plant(pair, before)
        assert other.plant(pair, kind) == expected[pair.id]


@pytest.mark.parametrize("kind", sorted(set(Defect) - {Defect.NEAR_MISS}))
def test_another_seed_draws_other_lots(kind):
    pairs = seed()[:40]
    assert [Planter(pairs, 1).plant(pair, kind) for pair in pairs] != [
        Planter(pairs, 2).plant(pair, kind) for pair in pairs
    ]


@pytest.mark.parametrize("kind", sorted(OF_INSTRUCTION))
def test_a_lent_instruction_is_another_pairs(kind):
    instructions = {pair.instruction for pair in seed()}
    for pair in seed()[:40]:
        planted = planter().plant(pair, kind)
        assert planted is not None
        assert planted.instruction in instructions


@pytest.mark.parametrize("kind", sorted(OF_INSTRUCTION))
def test_the_same_question_or_answer_is_not_lent(kind):
    pair = example("Flour, water, salt and yeast.", "What is bread made of?", "a")
    same_question = example("Dough, mostly, and time to rise.", "what is bread made of", "b")
    same_answer = example("Flour, water, salt, and yeast!", "Tell me what a baker buys.", "c")
    assert Planter([pair, same_question, same_answer], 1).plant(pair, kind) is None
    far = example("Flour and water, cooked.", "What is pasta made of?", "d")
    planted = Planter([pair, same_question, same_answer, far], 1).plant(pair, kind)
    assert planted is not None
    assert planted.instruction == far.instruction


def test_the_nearest_pair_lends_its_instruction():
    rye = example("Rye dough is sticky and rises slowly, so bake it in a tin.", "How is rye bread made?", "rye")
    tin = example("Wash the tin in soapy water and dry it at once.", "How do I clean a rusty tin?", "tin")
    wheat = example("Wheat dough rises fast; bake the bread on a stone.", "How is wheat bread made?", "wheat")
    far = example("Send it by post.", "Where does the form go?", "form")
    pairs = [far, tin, wheat, rye]
    planted = Planter(pairs, 1).plant(rye, Defect.NEAR_MISS)
    assert planted is not None
    assert planted.instruction == wheat.instruction
    newcomer = example("It rises fast.", "Why does wheat dough rise?", "new")
    planted = Planter(pairs, 1).plant(newcomer, Defect.NEAR_MISS)
    assert planted is not None
    assert planted.instruction == wheat.instruction
    assert Planter([far, tin], 1).plant(example("Xyz.", "Abc?", "x"), Defect.NEAR_MISS) is None


@pytest.mark.parametrize(
    ("kind", "low", "high"), [(Defect.CUT_START, 0.2, 0.6), (Defect.CUT_MIDDLE, 0.2, 0.5), (Defect.CUT_END, 0.2, 0.7)]
)
def test_cuts_take_a_share_from_their_place(kind, low, high):
    starts = {sentence.start for sentence in Layout(ANSWER).sentences}
    whole = 0
    found = outputs(ANSWER, kind, 200)
    assert len(found) > 150
    for cut in found:
        share = 1 - len(cut) / len(ANSWER)
        assert low - 0.02 <= share <= high + 0.02
        assert len(words(cut)) >= 12
        if kind is Defect.CUT_START:
            assert ANSWER.endswith(cut)
            whole += len(ANSWER) - len(cut) in starts
        elif kind is Defect.CUT_END:
            assert ANSWER.startswith(cut)
            whole += any(not ANSWER[len(cut) : start].strip() for start in starts if start > len(cut))
        else:
            assert is_left_over(cut, ANSWER)
            assert cut[:20] == ANSWER[:20]
            assert cut[-20:] == ANSWER[-20:]
    if kind is not Defect.CUT_MIDDLE:
        assert 0.35 < whole / len(found) < 0.65


def test_each_kind_draws_lots_of_its_own():
    ends = {sentence.end for sentence in Layout(ANSWER).sentences}
    starts = {sentence.start for sentence in Layout(ANSWER).sentences}
    pairs = [example(ANSWER, name=f"pair {number}") for number in range(60)]
    planter = Planter(pairs, 1)
    met = set()
    for pair in pairs:
        first, last = planter.plant(pair, Defect.CUT_START), planter.plant(pair, Defect.CUT_END)
        if first is not None and last is not None:
            met.add((len(ANSWER) - len(first.output) in starts, len(last.output) in ends))
    assert len(met) == 4


@pytest.mark.parametrize("kind", sorted(CUTS))
def test_what_is_too_short_is_not_cut(kind):
    assert outputs("Four things: flour, water, salt and yeast.", kind) == []


def test_one_sentence_has_no_middle():
    long = "Take " + ", ".join(f"{number} spoons of sugar" for number in range(30)) + "."
    assert outputs(long, Defect.CUT_MIDDLE) == []
    assert outputs(long, Defect.CUT_END) != []


def test_languages_without_spaces_are_cut_between_characters():
    text = (
        "春天来了，公园里的人渐渐多了起来。老人们早上在湖边打太极拳。"
        "孩子们放学以后在草地上放风筝。天气好的时候，大家都不想太早回家。"
    )
    for kind in CUTS:
        found = outputs(text, kind)
        assert found
        assert any(not cut.endswith("。") or not text.startswith(cut) for cut in found)
    repeated = outputs(text, Defect.REPEATED)
    assert repeated
    assert all(planted.count("。") > text.count("。") for planted in repeated)


@pytest.mark.parametrize("kind", sorted(INSERTED))
def test_what_is_inserted_leaves_the_answer_whole(kind):
    sentences = [ANSWER[one.start : one.end] for one in Layout(ANSWER).sentences]
    for planted in outputs(ANSWER, kind):
        place = 0
        for sentence in sentences:
            place = planted.index(sentence, place) + len(sentence)
        assert blocks_of_code(planted) == blocks_of_code(ANSWER)
        assert re.search(r"^1\. .*\n2\. .*\n3\. .*\n", planted, re.MULTILINE)


@pytest.mark.parametrize("kind", sorted(INSERTED | {Defect.REPEATED}))
def test_code_of_the_seed_is_left_alone(kind):
    seen = 0
    for pair in seed():
        planted = planter().plant(pair, kind)
        if planted is not None and blocks_of_code(pair.output):
            seen += 1
            assert blocks_of_code(planted.output) == blocks_of_code(pair.output)
    assert seen > 40


@pytest.mark.parametrize("kind", sorted(INSERTED))
def test_nothing_is_put_behind_an_open_fence(kind):
    text = "Run this, and wait. It takes a while.\n\n```bash\nmake all\n\nmake install"
    for planted in outputs(text, kind):
        assert planted.endswith("```bash\nmake all\n\nmake install")
        assert sum(outline(planted).no_prose) == 4


@pytest.mark.parametrize("kind", sorted(INSERTED))
def test_insertions_come_from_their_banks(kind):
    banks = {
        Defect.PROMOTION: ["promotion"],
        Defect.NAVIGATION: ["navigation"],
        Defect.COMMENTS: ["comments"],
        Defect.FORUM_VOICE: ["forum_openers", "forum_asides", "forum_closers"],
        Defect.BLOG_VOICE: ["blog_openers", "blog_asides", "blog_closers"],
    }[kind]
    entries = [entry for bank in banks for entry in Material().entries(bank)]
    parts = [[part for part in re.split(r"\{\w+\}", entry) if len(part.strip()) > 3] for entry in entries]
    for planted in outputs(ANSWER, kind, 20):
        assert "{" not in planted
        assert any(whole and all(part in planted for part in whole) for whole in parts)


def test_a_sentence_or_item_stands_three_to_five_times():
    units = [ANSWER[one.start : one.end] for one in Layout(ANSWER).sentences if one.form is not Form.OTHER]
    for planted in outputs(ANSWER, Defect.REPEATED, 100):
        counts = {unit: planted.count(unit) for unit in units}
        again = [unit for unit, count in counts.items() if count > 1]
        assert 1 <= len(again) <= 3
        assert all(3 <= counts[unit] <= 5 for unit in again)
        assert len({counts[unit] for unit in again}) == 1
        shorter = planted
        for unit in again:
            for _ in range(counts[unit] - 1):
                shorter = shorter.replace(unit, "", 1)
        assert is_left_over("".join(shorter.split()), "".join(planted.split()))
        assert all(unit in planted for unit in units)


def test_copies_stand_together_or_apart():
    text = "One is a number that is odd. Two is a number that is even. Three comes next in the row of numbers."
    found = outputs(text, Defect.REPEATED, 100)
    first = "One is a number that is odd."
    assert any(f"{first} {first}" in planted for planted in found)
    assert any(planted.count(first) > 2 and f"{first} {first} {first}" not in planted for planted in found)


def test_nothing_worth_repeating():
    assert outputs("42", Defect.REPEATED) == []
    assert outputs("```\na = 1\n```", Defect.REPEATED) == []


def test_another_language_takes_the_whole_or_the_end():
    whole = part = 0
    languages = set()
    bank = {entry.partition("\n")[2] for entry in Material().entries("other_languages")}
    for planted in outputs(ANSWER, Defect.OTHER_LANGUAGE, 100):
        foreign = [paragraph for paragraph in planted.split("\n\n") if any(text in paragraph for text in bank)]
        assert foreign
        languages |= {identify(paragraph) for paragraph in foreign if paragraph in bank}
        if planted.startswith("Bread needs four things."):
            part += 1
            assert outline(planted).no_prose[-1] is False
        else:
            whole += 1
            assert "Bread" not in planted
    assert whole > 20
    assert part > 20
    assert len(languages - {"en"}) >= 8


def test_an_answer_keeps_out_of_its_own_language():
    german = next(entry for entry in Material().entries("other_languages") if entry.startswith("de\n"))
    for planted in outputs(german.partition("\n")[2], Defect.OTHER_LANGUAGE, 100):
        assert identify(planted[-100:]) != "de"


def test_an_echo_says_the_question_and_little_else():
    question = "How do I bake bread?"
    begun = 0
    for planted in outputs(ANSWER, Defect.ECHO):
        assert question in planted
        assert "They are flour" not in planted
        begun += planted.endswith("Bread needs four things.")
    assert 0 < begun < 60


def test_an_echo_of_code_leaves_it_in_its_fence():
    question = "What does this do?\n\n```python\nprint(1)\n```"
    pairs = [example("It prints one.", question, f"pair {number}") for number in range(40)]
    for pair in pairs:
        planted = Planter(pairs, 1).plant(pair, Defect.ECHO)
        assert planted is not None
        assert set(blocks_of_code(planted.output)) == {"```python\nprint(1)\n```"}
        assert planted.output.count("```python") * 2 == planted.output.count("```")


def test_a_generic_answer_has_one_to_eight_sentences_and_nothing_of_the_answer():
    counts = set()
    found = outputs(ANSWER, Defect.GENERIC, 100)
    for planted in found:
        sentences = [sentence for sentence in Layout(planted).sentences if len(planted[sentence.start :]) > 2]
        counts.add(len(sentences))
        assert "flour" not in planted
        assert "{" not in planted
    assert counts == set(range(1, 9))
    assert any("bread" in planted.casefold() for planted in found)
    assert len(set(found)) > 90


@pytest.mark.parametrize("kind", sorted(OF_MATERIAL))
def test_planters_of_the_two_halves_plant_different_texts(kind):
    first, second = Planter(seed(), 7, "first"), Planter(seed(), 7, "second")
    for pair in seed()[:30]:
        assert first.plant(pair, kind) != second.plant(pair, kind)


@pytest.mark.parametrize("kind", sorted(set(Defect) - OF_MATERIAL))
def test_the_other_kinds_use_no_material(kind):
    first, second = Planter(seed(), 7, "first"), Planter(seed(), 7, "second")
    for pair in seed()[:30]:
        assert first.plant(pair, kind) == second.plant(pair, kind)


@pytest.mark.parametrize(
    "text", ["", "   \n", "…", "|", "```", "# Heading", "- ", "a\r\nb\r\n\r\nc", "\ud800 lone", "x" * 500]
)
@pytest.mark.parametrize("kind", Defect)
def test_odd_answers_are_planted_in_or_left(kind, text):
    pair = example(text)
    planted = Planter([pair, seed()[0], seed()[1]], 1).plant(pair, kind)
    assert planted is None or planted.output.strip() or kind in OF_INSTRUCTION


def test_a_brief_answer_is_whole_sentences_from_the_start():
    found = outputs(ANSWER, Defect.BRIEF)
    assert found
    for brief in found:
        assert ANSWER.startswith(brief)
        assert brief[-1] in ".!?:"
        assert len(brief) <= 0.4 * len(ANSWER)
        assert len(words(brief)) >= 6
    assert outputs("One sentence that has no other one behind it at all.", Defect.BRIEF) == []
    assert outputs("Yes. That is what people in this town have always done in winter.", Defect.BRIEF) == []
