"""Every quality rule: a text that it alone drops, and one just on the other side that stays."""

from __future__ import annotations

from collections import Counter
from itertools import islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humpback.config import IngestConfig, QualityConfig
from humpback.corpus.blocklist import blocked_words
from humpback.corpus.boilerplate import LABELS, PHRASES, boilerplate_chars
from humpback.corpus.filters import Verdict
from humpback.corpus.markdown import outline
from humpback.corpus.quality import judge, prose_of
from humpback.corpus.repetition import MIN_TIMES, REPEATED_NGRAMS, TOP_NGRAMS, repeated_ngrams
from humpback.corpus.segment import segment_document
from humpback.corpus.words import words as words_of
from humpback.errors import InputError
from humpback.records import Document, Source

GOOD = """Bread needs only flour, water, salt and time. Mix them in a large bowl until no dry flour is left, then cover
the bowl and let it stand for half an hour.

Now fold the dough: take hold of one side, pull it up as far as it goes, and lay it over the other side. Turn the bowl
and do so again, four times in all. Wait for another half hour, and repeat the folding twice.

Heat the oven with a heavy pot in it. When the pot is hot, tip the dough into it, cut a cross into the top with a sharp
knife, and bake it with the lid on. After twenty minutes take off the lid, so that the crust becomes brown.

Let the loaf cool on a rack before you cut it, because it goes on baking inside; a loaf that is cut too early will be
sticky. It keeps for three days in a paper bag and can be frozen in slices."""


def unique(number: int, length: int = 8) -> list[str]:
    """So many different words of so many letters."""
    return ["x" * (length - 3) + "".join(tail) for tail in islice(product("abcdefgh", repeat=3), number)]


def text_of(words: list[str]) -> str:
    """The words as one paragraph with two stop words: 5 characters more, in 2 words."""
    return " ".join(["the", "of", *words]) + "."


def items(number: int, mark: str = "- ") -> str:
    """So many list items of five words, 44 characters each."""
    words = unique(5 * number)
    return "\n".join(mark + " ".join(words[start : start + 5]) for start in range(0, len(words), 5))


def lines_of(ends: list[str]) -> str:
    """Paragraphs of five words, 44 characters each, with these ends; the first has two stop words."""
    words = unique(5 * len(ends))
    lines = [" ".join(words[5 * number : 5 * number + 5]) + end for number, end in enumerate(ends)]
    return "\n\n".join(["the of " + lines[0], *lines[1:]])


def symbols(count: int) -> str:
    words = unique(98)
    return text_of(["#" + word for word in words[:count]] + words[count:])


def bullet_lines(bullets: int, others: int) -> str:
    return items(bullets) + "\n\n" + "\n\n".join([f"This is line {number} of the text." for number in range(others)])


def without_letters(count: int) -> str:
    words = unique(98)
    return text_of(words[count:] + ["=+="] * count)


def repeated(count: int) -> str:
    """Twenty lines of four words, 36 characters each, of which `count`, never two in a row, came before."""
    words = unique(4 * (20 - count))
    lines = [" ".join(words[start : start + 4]) + "." for start in range(0, len(words), 4)]
    head, tail = lines[:-count], lines[-count:]
    woven = [line for new, old in zip(tail, head[1::2], strict=False) for line in (new, old)]
    return "\n\n".join(["the of " + head[0][7:], *head[1:], *woven])


def repeated_pair(count: int) -> str:
    """100 words of ten letters, among them a pair that stands there `count` times."""
    words = unique(102 - 2 * count, 10)
    pair = ["q" * 10, "w" * 10]
    woven = [part for number, word in enumerate(words) for part in ([word, *pair] if number < count else [word])]
    return text_of(woven[:100])


def linked(count: int) -> str:
    """100 words of eight letters, of which some are links: 9 characters with the space, but for one."""
    words = unique(100)
    return "the of " + " ".join([f"[{word}](/a)" for word in words[:count]] + words[count:]) + "."


def with_digits(count: int) -> str:
    """100 words of eight letters or digits, some with three digits, and two of 5 letters."""
    words = unique(100)
    return text_of(["222" + word[3:] for word in words[:count]] + words[count:])


CASES: dict[str, tuple[dict[str, object], str, str]] = {
    # reason: (what switches the rule off, dropped, kept)
    "word_length": (
        {"max_mean_word_chars": None},
        text_of([*unique(98, 10), "a" * 25]),  # 1,011 characters in 101 words
        text_of([*unique(98, 10), "a" * 24]),
    ),
    "symbols": ({"max_symbols": None}, symbols(11), symbols(10)),
    "bullets": ({"max_bullet_lines": None}, bullet_lines(19, 2), bullet_lines(18, 2)),
    "ellipses": (
        {"max_ellipsis_lines": None},
        lines_of(["."] * 6 + ["…"] * 7 + ["."] * 7),
        lines_of(["."] * 6 + ["…"] * 6 + ["."] * 8),
    ),
    "few_letters": ({"min_words_with_letters": None}, without_letters(26), without_letters(25)),
    "few_stop_words": (
        {"min_stop_words": None},
        "the " + " ".join(unique(100)) + ".",
        "the of " + " ".join(unique(100)) + ".",
    ),
    "repeated_lines": ({"max_repeated_line_chars": None}, repeated(5), repeated(4)),
    "repeated_ngrams": ({"max_repeated_ngram_chars": None}, repeated_pair(16), repeated_pair(15)),
    "unpunctuated": (
        {"min_punctuated_lines": None},
        lines_of(["."] * 2 + [""] * 23),
        lines_of(["."] * 3 + [""] * 22),
    ),
    "short_lines": (
        {"max_short_lines": None},
        "\n\n".join([GOOD.replace("\n\n", " "), "A first short line.", "A second one.", "And a third."]),
        "\n\n".join([GOOD.replace("\n\n", " "), "A first short line.", "A second one."]),
    ),
    "boilerplate": (
        {"max_boilerplate": None},
        f"{GOOD}\n\nSubscribe to our letter about bread, with recipes, hints and stories from bakers in all the world, "
        "every Monday morning.",
        f"{GOOD}\n\nSubscribe to our letter about bread. It has recipes, hints and stories from bakers in all the "
        "world, every Monday morning.",
    ),
    "mostly_links": ({"max_links": None}, linked(46), linked(45)),
    "truncated": (
        {"drop_truncated": False},
        f"{GOOD}\n\nThe next step is the",
        f"{GOOD}\n\nThe next step is the same.",
    ),
    "mostly_numbers": ({"max_digits": None}, with_digits(68), with_digits(67)),
    "blocked_words": ({"max_blocked_words": None}, f"{GOOD} Fuck the fucking oven.", f"{GOOD} Fuck the oven."),
}


def reasons(text: str, config: IngestConfig | None = None) -> list[str]:
    document = Document(text, "How to bake", Source(uri="a.md"))
    found = segment_document(document, config or IngestConfig(), lambda _: "en")
    assert len(found.kept) + len(found.dropped) == 1
    return [one.reason.value for one in found.dropped]


def test_the_good_text_is_good():
    assert reasons(GOOD) == []


@pytest.mark.parametrize("reason", CASES)
def test_a_rule_and_its_other_side(reason):
    off, bad, good = CASES[reason]
    assert reasons(bad) == [reason]
    assert reasons(good) == []
    assert reasons(bad, IngestConfig(quality=QualityConfig(**off))) == []  # no other rule drops it


def test_every_rule_has_its_case():
    from humpback.corpus.quality import _RULES

    assert len(_RULES) == len(CASES)


def test_short_words():
    short = ["".join(letters) for letters in islice(product("abcdefghijklmnopqrst", repeat=2), 300)]
    assert reasons(text_of(short)) == ["word_length"]
    assert reasons(text_of([word + "e" for word in short])) == []  # 906 characters in 302 words


@pytest.mark.parametrize(
    "end",
    [
        "and so on…",
        "and then [...]",
        "[Read more](/a)",
        "Continue reading »",
        "Add the salt, the water,",
        "Do this:",
        "Mix with",
    ],
)
def test_ends_of_a_teaser(end):
    assert reasons(f"{GOOD}\n\n{end}") == ["truncated"]


@pytest.mark.parametrize(
    "end",
    [
        "The end",
        "1. Do this",
        "- with",
        "```\nx =\n```",
        "Do this:\n\n```\nx\n```",
        "Do this:\n\n<p>b</p>",
        "“Well done!”",
        "| a |\n|---|\n| the |",
    ],
)
def test_ends_that_are_none(end):
    assert reasons(f"{GOOD}\n\n{end}") == []


SENTENCES = [line.strip(" .") for line in GOOD.replace("\n", " ").split(". ")]
RECIPE = """Toast for two.

## Ingredients

- 2 slices of white bread
- 3 spoons of butter

## Directions

"""
INTERFACE = """Reads a file into lines.

```python
lines = read("a.txt")
```

- `path`: the file, as a string or a path
- `encoding`: how its bytes stand for characters; UTF-8 unless you say so
- `newline`: what ends a line
- `errors`: "strict" raises for bytes that mean nothing, "replace" puts a question mark in their place
- `size`: stop after so many lines

Returns a list, and raises `OSError` when there is no such file or it is not yours to read.
"""
GOOD_KINDS = {
    "recipe": RECIPE + "\n".join(f"{number}. {line}" for number, line in enumerate(SENTENCES, 1)),
    "list of sentences": "\n".join(f"- {line}." for line in SENTENCES),
    "interface": INTERFACE,
    "dialogue": "\n\n".join(f"“{line}.”" for line in SENTENCES),
}


@pytest.mark.parametrize("kind", GOOD_KINDS)
def test_good_text_of_every_kind_stays(kind):
    document = Document(GOOD_KINDS[kind], "A title", Source(uri="a.md"))
    found = segment_document(document, IngestConfig(min_chars=400), lambda _: "en")
    assert [one.text for one in found.kept] == [GOOD_KINDS[kind].rstrip("\n")]


def judged(text: str, language: str, config: QualityConfig) -> Verdict:
    blocks = outline(text).blocks
    return judge(blocks, prose_of(blocks), language, config)


def verdict(text: str, language: str = "") -> str | None:
    found = judged(text, language, QualityConfig())
    return found[0].value if found else None


def test_stop_words_are_asked_of_english_only():
    german = "Brot braucht nur Mehl, Wasser, Salz und Zeit, sonst nichts."
    assert verdict(german, "de") is None
    assert verdict(german, "en") == "few_stop_words"
    assert verdict(german) == "few_stop_words"  # all ASCII: may be English
    assert verdict("Хлебу нужны только мука, вода, соль и время.") is None


CHINESE = "面包只需要面粉、水、盐和时间。把它们放在一个大碗里搅拌,直到没有干面粉为止,然后盖上碗,静置半小时。"


def test_rules_about_words_leave_languages_without_spaces_alone():
    assert verdict(CHINESE, "zh") is None
    assert verdict(CHINESE) is None
    assert verdict(CHINESE.replace("。", "……", 1) + "…" * 5 + "好。", "zh") == "symbols"
    assert verdict("ขนมปังต้องการเพียงแป้ง น้ำ เกลือ และเวลา ผสมให้เข้ากันในชามใบใหญ่", "th") is None


@pytest.mark.parametrize("text", ["", "```\nx\n```", "# a", "| 1 |\n|---|\n| 2 |"])
def test_without_prose_there_is_nothing_to_judge(text):
    assert verdict(text) is None


def test_all_rules_can_be_switched_off():
    off = QualityConfig(**(dict.fromkeys(QualityConfig.model_fields) | {"drop_truncated": False}))
    for _, bad, _ in CASES.values():
        assert judged(bad, "en", off) is None


def test_boilerplate_is_counted_by_the_sentence():
    def count(text: str) -> tuple[int, str]:
        return boilerplate_chars(text, words_of(text.casefold()))

    assert count("We use cookies. We bake bread.") == (len("we use cookies."), "we use cookies.")
    assert count("Bread.\nRead more »\nOil.") == (len("read more »"), "read more »")
    assert count("Read more books about the terms of use of bread.") == (0, "")
    assert all(count(one.upper())[0] == len(one) for one in [*PHRASES, *LABELS])


def test_repeated_words_that_came_before():
    words = unique(20, 10)
    again = [*words, *words[:5]]  # 5 of 25 words of equal length: .20
    assert repeated_ngrams(again, 1).startswith("0.20 of the characters are in 5 words")
    assert repeated_ngrams(again, 4 / 3 + 0.01) == ""  # .15 * 4 / 3 = .20
    assert repeated_ngrams(words, 0.01) == ""
    assert repeated_ngrams([], 1) == ""


def by_definition(words: list[str], factor: float) -> str:
    """`repeated_ngrams`, without its shortcuts: which n-gram, or which length of n-grams."""
    total = sum(map(len, words))
    for size, bound in TOP_NGRAMS.items():
        grams = [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]
        counts = Counter(grams)
        top = max(counts.values(), default=0)
        best = max((gram for gram in counts if counts[gram] == top), key=lambda gram: len("".join(gram)), default=())
        share = top * len("".join(best)) / max(total, 1)
        if top >= MIN_TIMES and share > bound * factor:
            return f"{share:.2f} of the characters are {' '.join(best)[:80]!r}, {top} times"
    for size, bound in REPEATED_NGRAMS.items():
        marked: set[int] = set()
        for start in range(len(words) - size + 1):
            if any(words[start : start + size] == words[before : before + size] for before in range(start)):
                marked.update(range(start, start + size))
        covered = sum(len(words[place]) for place in marked)
        if covered > bound * factor * total:
            return f"{covered / total:.2f} of the characters are in {size} words that came before"
    return ""


PHRASE = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "eeeeeeee"]), min_size=1, max_size=12)


@settings(max_examples=400, deadline=None)
@given(st.lists(PHRASE, min_size=1, max_size=4), st.lists(st.integers(0, 3), max_size=6), st.integers(0, 60))
def test_repeated_ngrams_are_those_of_the_definition(phrases, again, others):
    words = [word for phrase in phrases for word in phrase] + unique(others, 6)
    for number in again:
        words += [*phrases[number % len(phrases)], f"x{number}"]
    for factor in (0.5, 1.0, 2.0, 4.0):
        assert repeated_ngrams(words, factor) == by_definition(words, factor)


@pytest.mark.parametrize("digits", ["0123456789", "٣٤٥٦", "７８"])
def test_digits_of_every_script_are_digits(digits):
    text = f"the of {digits * 30} and {'word ' * 10}."
    config = QualityConfig(max_mean_word_chars=None, min_words_with_letters=None)
    assert judged(text, "en", config)[0] == "mostly_numbers"


def test_words_with_a_letter_among_other_signs_have_letters():
    words = ["e-mail", "it's", "x1", "(yes)"] * 30
    assert verdict("the of " + " ".join(words), "en") != "few_letters"
    assert judged(text_of(["=+="] * 30 + words[:60]), "en", QualityConfig())[1].startswith("62 of 92 words")


def test_your_own_blocked_words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# mine\nSour Dough\nrye\n\n", encoding="utf-8")
    assert blocked_words(["sour", "dough", "and", "rye", "and", "dough"], path) == ["sour dough", "rye"]
    with pytest.raises(InputError, match="cannot be read"):
        blocked_words(["a"], tmp_path / "none.txt")


def test_innocent_words_are_not_blocked():
    assert blocked_words(["breast", "cancer", "cock", "hens", "scunthorpe", "xxx", "essex"]) == []


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=500), st.sampled_from(["", "en", "zh"]))
def test_any_text_is_judged(text, language):
    judged(text, language, QualityConfig())
