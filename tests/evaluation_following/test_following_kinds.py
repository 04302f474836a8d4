"""Every kind of instruction: a response that follows it, and one that just does not."""

from __future__ import annotations

import pytest

from humpback.evaluation.following.kinds import KINDS, read_arguments

ENGLISH = "the river is wide and the boats go slowly from one bank to the other"
AT_LEAST, LESS = "at least", "less than"

# kind, arguments, a response that follows, one that does not
CASES = [
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": AT_LEAST},
        "YES I DO",
        "Yes NO",
    ),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": LESS}, "Yes NO", "OH NO"),
    ("change_case:english_capital", {}, ENGLISH.upper(), ENGLISH.capitalize()),
    ("change_case:english_capital", {}, ENGLISH.upper(), "DER FLUSS IST BREIT UND DIE BOOTE FAHREN SEHR LANGSAM"),
    ("change_case:english_lowercase", {}, ENGLISH, ENGLISH.capitalize()),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. Here it is.", "Here it is. Say it."),
    ("combination:two_responses", {}, "One.\n******\nTwo.", "One.\n******\nOne."),
    ("combination:two_responses", {}, "One.\n******\nTwo.\n******", "One.\n******\nTwo.\n******\nThree."),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name], [place]", "[name] (place)"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\nP.S. Write!", "Bye. PSST"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP. P. S more", "Bye.\nP.S. more"),
    ("detectable_format:constrained_response", {}, "Well: My answer is maybe.", "My answer is perhaps."),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', 'Here: {"a": [1]}'),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1\nx\nPart 2\ny",
        "Part 1\nx\npart 2\ny",
    ),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n- two", "* one\n- two\n* three"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* and ** **"),
    ("detectable_format:title", {}, "<<A title>>\ntext", "<< >>\ntext"),
    ("keywords:existence", {"keywords": ["Sun", "moon"]}, "sunny moonlight", "sun alone"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "a concatenation", "a CAT"),
    ("keywords:frequency", {"keyword": "go", "frequency": 2, "relation": AT_LEAST}, "Go, going", "go"),
    ("keywords:letter_frequency", {"letter": "e", "let_frequency": 2, "let_relation": LESS}, "hello", "Even"),
    ("language:response_language", {"language": "de"}, "Der Fluss ist breit, und die Boote fahren.", ENGLISH),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        'First this.\n\n"Then that.',
        "First this. Then that.",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo", "one\n***\n***\ntwo"),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": LESS},
        "Dr. Who left at 5 p.m. today. He slept.",
        "One. Two! Three?",
    ),
    ("length_constraints:number_words", {"num_words": 3, "relation": AT_LEAST}, "one two-three", "one two"),
    ("punctuation:no_comma", {}, "no; none", "one, two"),
    ("startend:end_checker", {"end_phrase": "The end."}, '"So it was. the end."', "The end. Or not"),
    ("startend:quotation", {}, ' "all of it" ', '"only" this'),
]


@pytest.mark.parametrize(("kind", "arguments", "follows", "fails"), CASES)
def test_what_follows_and_what_does_not(kind, arguments, follows, fails):
    check, read = KINDS[kind], read_arguments(kind, arguments)
    assert check(follows, **read)
    assert not check(fails, **read)


def test_no_kind_is_without_a_case():
    assert {kind for kind, *_ in CASES} == set(KINDS)
    assert len(KINDS) == 25


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("keywords:existence", {}, "`keywords` is missing"),
        ("keywords:existence", {"keywords": []}, "must be a list of texts"),
        ("keywords:existence", {"keywords": ["a"], "letter": "b"}, "unknown argument `letter`"),
        ("length_constraints:number_words", {"num_words": -1, "relation": LESS}, "whole number"),
        ("length_constraints:number_words", {"num_words": 4, "relation": "about"}, "less than or at least"),
    ],
)
def test_arguments_that_cannot_be_meant(kind, given, message):
    with pytest.raises(ValueError, match=message):
        read_arguments(kind, given)


def test_arguments_of_the_data_set_s_other_form():
    """There every kind has all arguments, null where they are another's, and counts as floats."""
    given = {"num_words": 300.0, "relation": AT_LEAST, "keywords": None, "letter": None}
    assert read_arguments("length_constraints:number_words", given) == {"num_words": 300, "relation": AT_LEAST}
