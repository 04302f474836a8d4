"""Answers that are none: in another language, the question again, or words that would suit any question."""

from __future__ import annotations

import re
from random import Random

from humpback.corpus.language import identify
from humpback.corpus.words import weighted_length
from humpback.judge.banks import Material
from humpback.judge.layout import Form, Layout
from humpback.lint.request import VERBS

HALF = (0.3, 0.7)
"""Where another language may begin, as a share of the answer (ours)."""

MOST_TOPIC_WORDS = 3
"""A longer run of words names more than a topic (ours)."""

_ENDS_WITH_QUESTION = re.compile(r"[^{]*[:.] \{question\}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_NO_TOPIC = """
about after again all also although and another any are asked ask because been before being best better between both
but can cannot could did does doing done down each else even ever every example few first for from get give given good
had has have having help her here him his how however into its it's just keep know least less let like list long look
make many may mean means might more most much must my need never new next not now off often one only other our out over
own please rather really same she should show simple since some someone something still such sure take tell than that
the their them then there these they thing things think this those three through time too try two under until use
used using very want was way ways well were what what's when where whether which while who whom whose why will with
within without would yes yet you your
advice answer bother difference differences gist ideas names paragraph question sentence sentences short steps text
tips words
"""
_BEFORE_VERBS = frozenset({"i", "we", "you", "one", "to"})
NO_TOPIC = VERBS | frozenset(_NO_TOPIC.split())
"""Words that say nothing of what an English instruction is about."""


def other_language(layout: Layout, material: Material, rng: Random) -> str | None:
    """The answer, or its second half, replaced by about as much text in a language that is not its own."""
    own = identify(layout.text)
    bank = [entry.partition("\n")[::2] for entry in material.entries("other_languages")]
    language = rng.choice([code for code in dict.fromkeys(code for code, _ in bank) if code != own])
    paragraphs = [text for code, text in bank if code == language]
    rng.shuffle(paragraphs)
    low, high = (share * len(layout.text) for share in HALF)
    borders = [place for place in (*layout.sentence_borders, *layout.paragraph_borders) if low <= place <= high]
    if not borders or rng.random() < 0.5:
        return _as_long(paragraphs, weighted_length(layout.text))
    place = rng.choice(borders)
    rest = _as_long(paragraphs, weighted_length(layout.text[place:]))
    return f"{layout.text[:place]}{rest}"


def _as_long(paragraphs: list[str], length: int) -> str:
    """The first paragraphs, as many as it takes to come near `length` weighted characters; at least one."""
    taken = paragraphs[:1]
    for paragraph in paragraphs[1:]:
        if sum(map(weighted_length, taken)) + weighted_length(paragraph) / 2 > length:
            break
        taken.append(paragraph)
    return "\n\n".join(taken)


def echo(layout: Layout, instruction: str, material: Material, rng: Random) -> str | None:
    """The question once or several times, alone or before the first sentence of an answer that has more."""
    question = instruction.strip()
    said = [_said(template, question, material, rng) for template in _templates(question, material, rng)]
    first = layout.sentences[0]
    if len(layout.sentences) > 1 and first.form in {Form.PROSE, Form.ITEM} and rng.random() < 0.4:
        said.append(layout.text[first.start : first.end])
    gap = "\n\n" if "\n" in "".join(said) else rng.choice((" ", "\n\n"))
    return gap.join(said)


def _templates(question: str, material: Material, rng: Random) -> list[str]:
    """One to three by lot; a question of several lines takes such as end with it, or its code would run on."""
    entries = material.entries("echoes")
    if "\n" in question:
        entries = [entry for entry in entries if _ENDS_WITH_QUESTION.fullmatch(entry)]
    return rng.sample(entries, rng.choice((1, 1, 2, 3)))


def _said(template: str, question: str, material: Material, rng: Random) -> str:
    if "\n" in question:
        return material.fill(template.removesuffix("{question}").rstrip(), rng) + f"\n\n{question}"
    return material.fill(template, rng, question=question)


def generic(instruction: str, material: Material, rng: Random) -> str:
    """One to eight sentences that would suit any question; they may name what it is about, and tell nothing of it."""
    topic = topic_of(instruction, rng) or rng.choice(material.slot("any_topic"))
    count = rng.randint(1, 8)
    first = material.sample("generic_openers", int(count > 1 or rng.random() < 0.5), rng, topic=topic)
    last = material.sample("generic_closers", int(count > 2 and rng.random() < 0.7), rng, topic=topic)
    inner = material.sample("generic_middles", count - len(first) - len(last), rng, topic=topic)
    first, inner, last = ([one[:1].upper() + one[1:] for one in part] for part in (first, inner, last))
    if len(inner) > 2 and rng.random() < 0.25:
        mark = rng.choice(("- ", "* ", "1. "))
        listed = [f"{number}. {text}" if mark == "1. " else mark + text for number, text in enumerate(inner, 1)]
        return "\n\n".join([*first, "\n".join(listed), *last])
    return _paragraphs([*first, *inner, *last], rng)


def _paragraphs(sentences: list[str], rng: Random) -> str:
    gaps = [rng.choice((" ", " ", "\n\n")) for _ in sentences[1:]]
    return sentences[0] + "".join(gap + one for gap, one in zip(gaps, sentences[1:], strict=True))


def topic_of(instruction: str, rng: Random) -> str:
    """A few words in a row of the instruction that say what it is about, by lot; empty where none is found."""
    runs: list[list[str]] = [[]]
    last = 0
    before = ""
    for match in _WORD.finditer(instruction.split("\n\n")[0]):
        word = match.group()
        is_apart = instruction[last : match.start()].strip() != ""
        last = match.end()
        is_verb = before in _BEFORE_VERBS
        is_empty = is_verb or word.casefold() in NO_TOPIC or len(word) < 3 or not word[0].isalpha()
        before = word.casefold()
        if is_apart or is_empty:
            runs.append([])
        if not is_empty:
            runs[-1].append(word)
    fit = [" ".join(run[-MOST_TOPIC_WORDS:]) for run in runs if any(len(word) > 3 for word in run)]
    topic = rng.choice(fit) if fit else ""
    return topic.lower() if topic.istitle() and instruction.startswith(topic) else topic
