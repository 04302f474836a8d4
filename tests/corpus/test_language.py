"""The language of texts: which it is, where there is none, and that nothing is fetched for it."""

from __future__ import annotations

import socket

import pytest

from humpback.corpus import language
from humpback.corpus.language import SAMPLE_CHARS, identify

SENTENCES = {
    "en": "The river rises every spring, and the farmers along its banks have learned to wait for it.",
    "de": "Der Fluss steigt jedes Frühjahr, und die Bauern an seinen Ufern haben gelernt, darauf zu warten.",
    "fr": "La rivière monte chaque printemps, et les paysans de ses rives ont appris à l'attendre.",
    "es": "El río crece cada primavera, y los campesinos de sus orillas han aprendido a esperarlo.",
    "it": "Il fiume sale ogni primavera, e i contadini delle sue rive hanno imparato ad aspettarlo.",
    "pt": "O rio sobe a cada primavera, e os camponeses das suas margens aprenderam a esperar por ele.",
    "nl": "De rivier stijgt elk voorjaar, en de boeren langs de oevers hebben geleerd erop te wachten.",
    "pl": "Rzeka wzbiera każdej wiosny, a rolnicy z jej brzegów nauczyli się na to czekać.",
    "ru": "Река поднимается каждую весну, и крестьяне на её берегах научились этого ждать.",
    "zh": "每年春天河水上涨，两岸的农民已经学会了等待它。",
    "ja": "川は毎年春に水かさを増し、岸辺の農民たちはそれを待つことを覚えた。",
    "ko": "강물은 매년 봄마다 불어나고, 강가의 농부들은 그것을 기다리는 법을 배웠다.",
    "ar": "يرتفع النهر كل ربيع، وقد تعلم الفلاحون على ضفافه أن ينتظروا ذلك.",
}


@pytest.mark.parametrize(("code", "text"), SENTENCES.items())
def test_identify_names_the_language_of_one_sentence(code: str, text: str) -> None:
    assert identify(text) == code


@pytest.mark.parametrize(
    "text", ["", " \n\t", "12 345, 67.8 %", "```\nint main(void)\n```", "https://a.example/b", "\ud800"]
)
def test_identify_is_empty_without_words(text: str) -> None:
    assert identify(text) == ""


def test_identify_ignores_code_addresses_and_marks() -> None:
    code = "```python\nfor the_value in the_list: print(the_value, file=the_output)\n```"
    text = f"## {SENTENCES['de']}\n\n{code}\n\n[Mehr](https://example.org/this-is-the-english-address)"
    assert identify(text) == "de"


def test_identify_looks_beyond_a_sample_without_words() -> None:
    numbers = "123 456 789\n" * SAMPLE_CHARS
    text = numbers[:500] + SENTENCES["pl"] + numbers[: 2 * SAMPLE_CHARS + 1000]
    assert identify(text) == "pl"


def test_identify_reads_beginning_middle_and_end() -> None:
    """A heading and first line in English leave a German text German."""
    assert identify("The first line of this page.\n\n" + SENTENCES["de"] * 20) == "de"


def test_identify_takes_hostile_text() -> None:
    for text in ("[](" * 100_000, "`" * 100_000, "a\0b\ud800 word " * 10_000, "https://" * 50_000):
        assert isinstance(identify(text), str)


def test_alemannic_has_its_iso_code() -> None:
    text = "Dr Räge het hüt am Morge aagfange, un mir sin alli dehäi blibe, wil s vil z nass gsi isch zum Schaffe."
    assert identify(text) == "gsw"


def test_identify_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr(socket, "socket", refuse)
    language._model.cache_clear()
    assert identify(SENTENCES["en"]) == "en"
