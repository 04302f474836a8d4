"""Every rule of the linter: an instruction that it alone throws out, and one just on the other side."""

from __future__ import annotations

import pytest

from humpback.config import LintConfig
from humpback.lint import Linter
from humpback.records import DropReason

TEMPLATES = (
    "Look at the words of somebody who was asked a thing.\n{{ output }}\nNow say what that thing may have been.",
)
OUTPUT = (
    "Soak the beans in cold water overnight. The next day drain them and rinse them well before they go into the pot "
    "with fresh water and a bay leaf. Let them simmer for an hour until they are soft, and add the salt only at the "
    "very end, because salt makes their skins tough while they cook. Beans from a tin need none of this."
)
HEADERS = ["Kitchen basics", "Preparing dried beans"]

GERMAN = "Wie lange muss ich getrocknete Bohnen einweichen, bevor sie in den Topf kommen, und wann kommt das Salz dazu?"
CHINESE = "干豆子在煮之前需要在冷水中浸泡多长时间，什么时候应该放盐才不会让豆皮变硬？请详细说明整个过程和理由。"
CHINESE_OUTPUT = (
    "先把干豆子放在冷水里浸泡一整夜，第二天沥干水分，用清水冲洗几遍，再放进锅里加新的清水和一片月桂叶。"
    "小火慢炖一个小时直到变软，最后才放盐，因为盐会让豆皮变硬。"
)
GLUED = "How long do beans soak? Who sells good pots? Why is the sky blue? What is a bond? Where do eels spawn?"

CASES = [
    (DropReason.EMPTY_INSTRUCTION, "", "Why?! And how?"),
    (DropReason.EMPTY_INSTRUCTION, "?!…", "How?! Why?"),
    (DropReason.LEAKED_PROMPT, "<|im_start|>How do I cook dried beans?", "How do I cook dried beans | in a pot?"),
    (
        DropReason.LEAKED_PROMPT,
        "What are the words of somebody who was asked a thing?",
        "What are the words of somebody who was late?",
    ),
    (
        DropReason.LEAKED_PROMPT,
        "Write the instruction that would produce the text about beans.",
        "Write the instructions that come with a packet of dried beans.",
    ),
    (DropReason.LEAKED_PROMPT, "### Instruction\nExplain how beans cook.", "# Beans\nExplain how beans cook."),
    (DropReason.LEAKED_PROMPT, "The instruction is: explain how to cook beans.", "What is an instruction set?"),
    (DropReason.LEAKED_PROMPT, "Here is the instruction: how do beans cook?", "Here is my bean pot. How old is it?"),
    (
        DropReason.LEAKED_PROMPT,
        "The user asked how long beans should soak.",
        "How do I ask a user how long beans soak?",
    ),
    (
        DropReason.REFUSAL,
        "I'm sorry, but I need more context. Could you add it?",
        "I'm sorry for my son. Can you cheer him up?",
    ),
    (
        DropReason.REFUSAL,
        "As an AI language model, I do not cook, what about you?",
        "As an AI language model, what would you cook?",
    ),
    (DropReason.REFUSAL, "I cannot provide that. Is there anything else?", "I cannot sleep after beans. What helps?"),
    (DropReason.REFUSAL, "Es tut mir leid, kannst du das sagen?", "Tut es weh, wenn man fastet?"),
    (
        DropReason.OTHER_TURN,
        "How long do beans soak?\nAssistant: They soak overnight.",
        "How long do beans soak?\nMy pot: a small one.",
    ),
    (
        DropReason.OTHER_TURN,
        "How long do beans soak?\nUser: And how long peas?",
        "How long do beans soak?\nAnd how long peas?",
    ),
    (DropReason.OTHER_TURN, "Q: How long do beans soak?\nA: Overnight.", "How long do beans soak: A: overnight?"),
    (DropReason.OTHER_TURN, "Sure! Why do beans get tough?", "Are you sure? Why do beans get tough?"),
    (DropReason.OTHER_TURN, "You want me to explain beans?", "Do you want to explain beans?"),
    (
        DropReason.OTHER_TURN,
        "Why are beans salted late? Because salt makes their skins tough while they cook.",
        "Why are beans salted late? I ask because salt was dear in the days of my mother.",
    ),
    (
        DropReason.OTHER_TURN,
        "Do beans need salt? Yes, but only when they are done cooking.",
        "Do beans need salt? Yes or no?",
    ),
    (
        DropReason.COPIED_OUTPUT,
        "I want it done as my own grandmother did it, which was to drain them and rinse them well before they go into "
        "the pot with fresh water.",
        "I want it done as my own grandmother did it, which was to drain them and rinse them well before they go into "
        "her pot with fresh water.",
    ),
    (
        DropReason.COPIED_OUTPUT,
        "I need a hint. They go into the pot with fresh water and some leaf. Simmer for an hour until they are done.",
        "I need a hint. They go into the pot with fresh water and some leaf. Fry for an evening or two, in butter.",
    ),
    (
        DropReason.REPEATS_ITSELF,
        "How long do my beans soak in cold water before I cook? How long do my beans soak in cold water before I cook?",
        "How long do my beans soak in cold water before I cook? How many hours do you give to green peas?",
    ),
    (DropReason.TOO_FEW_WORDS, "Beans?", "Why beans?"),
    (DropReason.TITLE_ONLY, "Preparing dried beans", "How to prepare dried beans"),
    (DropReason.TITLE_ONLY, "Cold Water and Dried Beans", "Explain Cold Water and Dried Beans"),
    (DropReason.TITLE_ONLY, "The History of Beans", "The history of beans, please"),
    (
        DropReason.NO_REQUEST,
        "Beans are a staple in many parts of the world and have been grown there for ages.",
        "Beans are a staple in many parts of the world, and I wonder where they were grown first.",
    ),
    (
        DropReason.NO_REQUEST,
        "## Soaking\nUse a large bowl.\n## Cooking\nUse a large pot.",
        "## Beans\nUse a large bowl or a large pot?",
    ),
    (DropReason.LANGUAGE_MISMATCH, GERMAN, f"{GERMAN} Please answer in English."),
    (DropReason.LANGUAGE_MISMATCH, CHINESE, "要泡多久？"),
    (
        DropReason.MISSING_TEXT,
        "Summarise the passage above in one line.",
        "Summarise how beans are cooked in one line.",
    ),
    (DropReason.MISSING_TEXT, "What does the author recommend?", "What does the author of Emma recommend?"),
    (
        DropReason.MISSING_TEXT,
        "Shorten the following text.",
        "Shorten the following text: The old cook never let a bean go to waste.",
    ),
    (
        DropReason.MISSING_TEXT,
        "Write about the following sentence.",
        'Write about the following sentence "beans are cheap".',
    ),
    (DropReason.MISSING_TEXT, "What are the differences between the two methods?", "What are the two methods?"),
    (DropReason.SEVERAL_REQUESTS, GLUED, GLUED.rpartition(" Where")[0]),
    (
        DropReason.SEVERAL_REQUESTS,
        "1. Define a bond.\n2. Explain eels.\n3. List six pots.\n4. Describe rain.\n5. Compare two kings.",
        "Define a bond. Explain its price. List six risks. Describe a default. Compare two bonds.",
    ),
    (DropReason.UNFINISHED, "How long do I soak beans and", "How long do I soak beans in"),
    (DropReason.UNFINISHED, "What do beans need (", "What do beans need (if anything)"),
    (DropReason.UNFINISHED, "Name three things that beans need:", "Beans: how long do they soak\nAnswer:"),
    (DropReason.INSTRUCTION_TOO_LONG, f"Is {'x' * 1197}?", f"Is {'x' * 1196}?"),
]
ALWAYS = {DropReason.EMPTY_INSTRUCTION}
SWITCHES = {
    "leaked_prompt": (False, DropReason.LEAKED_PROMPT),
    "refusal": (False, DropReason.REFUSAL),
    "other_turn": (False, DropReason.OTHER_TURN),
    "max_repeated": (None, DropReason.REPEATS_ITSELF),
    "min_words": (None, DropReason.TOO_FEW_WORDS),
    "title": (False, DropReason.TITLE_ONLY),
    "no_request": (False, DropReason.NO_REQUEST),
    "language": (False, DropReason.LANGUAGE_MISMATCH),
    "missing_text": (False, DropReason.MISSING_TEXT),
    "max_requests": (None, DropReason.SEVERAL_REQUESTS),
    "unfinished": (False, DropReason.UNFINISHED),
    "max_chars": (None, DropReason.INSTRUCTION_TOO_LONG),
}


def linter(**settings):
    return Linter(LintConfig(**settings), TEMPLATES, ("<|im_start|>", "<|im_end|>"))


def found(instruction, output=OUTPUT, **settings):
    return [reason for reason, _ in linter(**settings).findings(instruction, output, HEADERS)]


def reasons_of_all(**settings):
    return {reason for _, bad, _ in CASES for reason in found(bad, **settings)}


@pytest.mark.parametrize(("reason", "bad", "good"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_a_rule_and_its_other_side(reason, bad, good):
    assert found(bad) == [reason]
    assert found(good) == []


@pytest.mark.parametrize("field", SWITCHES)
def test_a_rule_that_is_switched_off_is_the_only_one_that_is(field):
    off, reason = SWITCHES[field]
    assert reasons_of_all() - reasons_of_all(**{field: off}) == {reason}


def test_both_measures_of_copying_have_a_switch():
    copied = [bad for reason, bad, _ in CASES if reason == DropReason.COPIED_OUTPUT]
    assert [found(bad, max_copied_words=None) for bad in copied] == [[], [DropReason.COPIED_OUTPUT]]
    assert [found(bad, max_copied_share=None) for bad in copied] == [[DropReason.COPIED_OUTPUT], []]


def test_switched_off_as_a_whole_only_nothing_is_thrown_out():
    assert reasons_of_all(enabled=False) == ALWAYS


def test_a_request_may_say_what_its_answer_repeats():
    answer = "It takes two date strings and returns how many days of a weekend lie between both of them, as a number."
    request = (
        "Write a function that takes two date strings and returns how many days of a weekend lie between both of them."
    )
    assert found(request, answer) == []
    assert found(request, answer, max_copied_words=5) == [DropReason.COPIED_OUTPUT]


def test_languages_without_spaces():
    statement = "第二天沥干水分，用清水冲洗几遍，再放进锅里加新的清水和一片月桂叶。"
    assert found(CHINESE, CHINESE_OUTPUT) == []
    assert found(statement, CHINESE_OUTPUT) == [DropReason.COPIED_OUTPUT]
    assert found("您好，豆子要泡多久？\n助手：泡一个晚上就可以了。", CHINESE_OUTPUT) == [DropReason.OTHER_TURN]
    assert found("您好，豆子要泡多久？\n我想请客。", CHINESE_OUTPUT) == []
    assert found("豆", CHINESE_OUTPUT) == [DropReason.TOO_FEW_WORDS]
    assert found("豆子要泡多久？" * 8, CHINESE_OUTPUT) == [DropReason.REPEATS_ITSELF]


@pytest.mark.parametrize(
    "instruction",
    [
        "Wie lange müssen getrocknete Bohnen vor dem Kochen einweichen?",
        "Combien de temps faut-il faire tremper les haricots secs avant la cuisson ?",
        "¿Cuánto tiempo hay que remojar las alubias antes de cocerlas?",
        "Сколько времени нужно замачивать фасоль перед варкой?",
        "乾燥豆は煮る前に何時間水に浸けておけばいいですか？",
    ],
)
def test_questions_in_other_languages_pass_every_rule_but_that_of_the_language(instruction):
    assert found(instruction, language=False) == []


def test_names_in_the_output_are_no_language():
    names = "Vasco Rossi, Laura Pausini, Gianna Nannini, Eros Ramazzotti; Angela Merkel, Helmut Kohl, Gerhard Schröder"
    assert found("Give me a list of a few well known people from two countries.", names) == []


def test_the_reason_is_the_first_and_says_what_was_seen():
    text = "Sorry, but I am not sure. The user instruction is missing"
    reason, detail = linter().judge(text, OUTPUT)
    assert reason == DropReason.LEAKED_PROMPT
    assert "user instruction" in detail
    assert linter(leaked_prompt=False).judge(text, OUTPUT)[0] == DropReason.REFUSAL
