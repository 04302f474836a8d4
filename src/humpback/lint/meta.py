"""Rules about who speaks: pieces of a prompt, refusals, the assistant's turn instead of the user's.

The phrases are English, where no other language is named; prompt templates and control tokens count in any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from humpback.corpus.words import words
from humpback.lint.guess import Guess, Verdict
from humpback.lint.overlap import Gram, common_words, ngrams
from humpback.lint.request import asks_for_something, is_asking
from humpback.records import DropReason

TEMPLATE_WORDS = 7
"""So many words of a prompt template in a row are a piece of it (ours: fewer may be a phrase of everybody's)."""

_FILLED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ROLES = r"instructions?|responses?|inputs?|outputs?|assistant|user|system|human"
_TAGS = re.compile(
    r"<\s?\|\s?[a-z_]+\s?\|>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</?think>"
    rf"|^\s*#{{2,6}} ?(?:{_ROLES}) ?:?\s*$|^\s*</?(?:{_ROLES})>",
    re.IGNORECASE | re.MULTILINE,
)
_ASKED = r"(?:instruction|request|prompt|query|question)s?"
_MODEL = r"(?:ai(?: assistant| model)?|assistant|chatbot|language model|llm|machine|model)"
_META = re.compile(
    rf"\binstructions? back-?\s?translations?\b|\bback-?\s?translat\w+ (?:\w+ ){{0,3}}{_ASKED}"
    rf"|\b{_ASKED} (?:\w+ ){{0,2}}?(?:that|which|to) (?:\w+ )?"
    r"(?:elicit|produce|generate|prompt|lead|result|receive)\w* "
    r"(?:\w+ ){0,3}?(?:text|response|reply|answer|output)\b"
    r"|\belicit\w* (?:the|this|that|a|an) (?:\w+ ){0,3}(?:response|reply|answer|output|text)\b"
    rf"|\b(?:this|these|the following|the above) (?:{_MODEL}(?:'s)?) (?:response|reply|answer|output)\b"
    r"|\b(?:the|an?) [\"'“]?assistant (?:response|reply)\b"
    rf"|\binstructions? (?:for|to (?:train|teach|prompt)) (?:an?|the) (?:\w+ )?{_MODEL}\b"
    r"|\buser(?:'s)? instructions?\b"
    rf"|^\W*here (?:is|are|'s) (?:an?|the|some|my) (?:\w+ )?{_ASKED}\b(?! (?:about|from|i|my|we)\b)"
    rf"|^\W*(?:the|a possible|one possible|my) (?:\w+ )?{_ASKED} (?:is|was|are|were|would be|could be|might be)\s?:"
    r"|^\W*(?:instruction|user(?:'s)? request|request|user(?:'s)? prompt)\W{0,3}:"
    r"|^\W*(?:generate|write|create) (?:an?|the) (?:\w+ ){0,2}(?:instruction|request) that (?:would|could|will)\b"
    r"|^\W*(?:the|a) user (?:had |has |have |is |was |might |may |could |would |probably )*"
    r"(?:ask|want|request|receiv|inquir|look|need)\w*\b"
    r"|\bwrite (?:down )?only the (?:user|request|instruction)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(?:(?:i'm|i am) (?:very |so |really )?(?:sorry|afraid)[,.]? (?:but )?(?:i|there|this|that|it|as)\b"
    r"|sorry,? (?:but )?(?:i|there|this|as)\b"
    r"|i (?:must )?apologi[sz]e"
    r"|as an? (?:ai|artificial intelligence|language model|(?:large )?language model)\b[^.?!]{0,40}?,? i\b(?!n)"
    r"|i (?:cannot|can't|can not|won't|am unable to|am not able to|'m unable to|'m not able to|do not|don't|didn't) "
    r"(?:(?:provide|fulfil\w*|assist|comply|have (?:enough|access|the ability|any information|sufficient))\b"
    r"|(?:answer|generate|determine|identify|complete|see|understand|write|create)\b"
    r"(?! (?:why|how|what|when|where|who|my|this|that)\b))"
    r"|i'?(?:m| am) (?:unable|not able) to"
    r"|(?:i'm|i am) not (?:quite |really )?sure what (?:exactly )?you\b"
    r"|there (?:is|was) no (?:clear |specific )?(?:instruction|request|question|text)\b"
    r"|(?:es tut mir leid|tut mir leid|leider kann ich|als ki\b)"
    r"|(?:je suis désolée?|désolée?, (?:mais )?je|je ne peux pas|en tant qu'ia)"
    r"|(?:lo siento, (?:pero )?(?:no|como)|no puedo (?:ayudar|proporcionar|responder)|como (?:una? )?(?:ia|modelo))"
    r"|(?:mi dispiace, (?:ma )?|non posso (?:aiutar|fornire|rispondere)|come (?:ia|modello))"
    r"|(?:sinto muito, (?:mas )?|desculpe, (?:mas )?(?:não|como)|não posso (?:ajudar|fornecer|responder))"
    r"|(?:извините, (?:но )?|к сожалению, я не|как (?:ии|языковая модель))"
    r"|(?:抱歉|对不起，我|對不起，我|作为(?:一个)?(?:人工智能|AI|语言模型)|申し訳(?:ありません|ございません)|죄송))",
    re.IGNORECASE,
)
_ANSWERER = (
    r"ai assistant|assistant|ai|answer|response|reply|chatbot|bot|chatgpt|antwort|assistent|réponse|respuesta|asistente"
    r"|risposta|assistente|resposta|ответ|ассистент|回答|助手|アシスタント|答え|답변"
)
_ASKER = (
    r"user|human|question|benutzer|nutzer|frage|utilisateur|usuario|pregunta|utente|domanda|usuário|pergunta"
    r"|пользователь|вопрос|用户|問題|问题|ユーザー|質問|사용자|질문"
)
_ANSWERS = re.compile(
    rf"(?:^|[.?!。？！]\s*)[\W_]{{0,4}}(?:{_ANSWERER})[\W_]{{0,3}}[:：]", re.IGNORECASE | re.MULTILINE
)
_NEXT_TURN = re.compile(rf"(?:\n|[.?!。？！]\s*)[\W_]{{0,4}}(?:{_ASKER})[\W_]{{0,3}}[:：]", re.IGNORECASE)
_Q_AND_A = re.compile(r"^\W{0,4}(?:Q|F|P|R)\s?\d*\s?[:：].*?\n\W{0,4}(?:A|R|О)\s?\d*\s?[:：]", re.MULTILINE | re.DOTALL)
_VOICE = re.compile(
    r"^\W*(?:okay|ok|alright|all right|sure|certainly|of course|absolutely|hmm|well|so)[,.!:]? "
    r"(?:let's (?:see|break|start|look)|let me\b|here(?:'s| is| are)\b"
    r"|i (?:will|can|need to (?:help|write|understand|figure))"
    r"|i'll|the user\b|i'd be|i would be (?:happy|glad))"
    r"|^\W*(?:certainly|absolutely|of course|sure(?: thing)?|great question|good question)[!.,]"
    r"|\byou(?:'re| are|'ve| have)? (?:currently )?(?:ask(?:ed|ing)|want(?:ed)?|would like|need) me to\b"
    r"|^\W*you want (?:me|to)\b|\bwhat you(?:'re| are|'d| would)?(?: \w+)? (?:asking|want|like) me to do\b"
    r"|\b(?:ai|assistant|language model|model|chatbot) (?:like|such as) (?:me|myself)\b"
    r"|\bhow (?:can|may) i (?:help|assist) you\b"
    r"|\bi(?:'d| would) (?:be (?:happy|glad) to|love to) (?:help|assist)\b|\bi can (?:help|assist) you\b"
    r"|^\W*(?:i'm|i am) (?:very |so )?sorry to hear\b",
    re.IGNORECASE,
)
_HERE_IS = re.compile(
    r"^\W*(?:here(?:'s| is| are)|below (?:is|are)|this is) (?:an?|the|some|one|my|your|\d+) ", re.IGNORECASE
)
_ANSWER_START = re.compile(
    r"^\W*(?:yes|no|it depends|ja|nein|oui|non|sí|si|no|da|да|нет|是的|不是|はい|いいえ)[,.!，、。 ]", re.IGNORECASE
)
_QUESTION_END = re.compile(r"[?？؟]+[\"'”’»)\]]*\s+")

ANSWER_RUN = 5
"""Words in a row of what follows a question that the output has too, by which it counts as taken from there (ours)."""

ANSWER_SHARE = 0.6
"""Of what follows a question, the share taken from the output that makes it the answer (ours)."""

ANSWER_WORDS = 8  # fewer after a question are no answer to tell (ours)


@dataclass(frozen=True)
class PromptPieces:
    """Runs of words of the run's prompt templates, and its chat format's control tokens."""

    grams: dict[int, frozenset[Gram]]
    tokens: tuple[str, ...]

    @classmethod
    def of(cls, templates: Iterable[str], control_tokens: Iterable[str]) -> PromptPieces:
        """`templates` are Jinja; what is filled in is no piece of the prompt. Tokens of fewer than 3 characters go."""
        grams: dict[int, set[Gram]] = {}
        for template in templates:
            for part in _FILLED.split(template):
                size = TEMPLATE_WORDS * (2 if Guess(part, "").unspaced else 1)
                grams.setdefault(size, set()).update(ngrams(words(part.casefold()), size))
        tokens = {token.strip() for token in control_tokens}
        broken = {f"{token[0]} {token[1:]}" for token in tokens if len(token) > 2}
        whole = {token for token in tokens if len(token) > 2}
        return cls({size: frozenset(found) for size, found in grams.items()}, tuple(sorted(whole | broken)))


def leaked_prompt(guess: Guess, pieces: PromptPieces) -> Verdict:
    """Holds a piece of a prompt: a control token, words of a template in a row, or talk of instructions and replies."""
    for token in pieces.tokens:
        if token in guess.instruction:
            return DropReason.LEAKED_PROMPT, f"holds the control token {token!r}"
    for size, known in pieces.grams.items():
        for gram in ngrams(guess.words, size):
            if gram in known:
                return DropReason.LEAKED_PROMPT, f"has words of the prompt: {' '.join(gram)!r}"
    found = _TAGS.search(guess.plain) or _META.search(guess.plain)
    return None if found is None else (DropReason.LEAKED_PROMPT, _quoted("speaks of the prompt", found))


def refusal(guess: Guess) -> Verdict:
    """Declines to write an instruction."""
    found = _REFUSAL.search(guess.plain)
    return None if found is None else (DropReason.REFUSAL, _quoted("declines", found))


def other_turn(guess: Guess) -> Verdict:
    """Speaks as the assistant, runs on into another turn, or answers its own question."""
    for pattern in (_ANSWERS, _NEXT_TURN, _Q_AND_A):
        found = pattern.search(guess.plain)
        if found is not None and _is_turn(guess.plain, found):
            return DropReason.OTHER_TURN, _quoted("another turn begins", found)
    found = _VOICE.search(guess.plain)
    if found is None and not asks_for_something(guess):
        found = _HERE_IS.search(guess.plain)
    if found is not None:
        return DropReason.OTHER_TURN, _quoted("the assistant speaks", found)
    return _own_answer(guess)


def _is_turn(text: str, found: re.Match[str]) -> bool:
    """Whether a marker says more than "Answer:" or "Response:" at the very end, which asks for one."""
    return any(map(str.isalnum, text[found.end() :]))


def _own_answer(guess: Guess) -> Verdict:
    parts = _QUESTION_END.split(guess.plain, maxsplit=1)
    if len(parts) < 2:
        return None
    rest = Guess(parts[1], guess.output)
    if len(rest.words) < guess.scaled(ANSWER_WORDS):
        return None
    taken = len(common_words(rest.words, guess.output_words, guess.scaled(ANSWER_RUN)))
    is_taken = taken >= ANSWER_SHARE * len(rest.words) and not any(is_asking(guess, one) for one in rest.sentences)
    if is_taken or _ANSWER_START.search(parts[1]):
        return DropReason.OTHER_TURN, f"answers its own question: {parts[1][:80]!r}"
    return None


def _quoted(what: str, found: re.Match[str]) -> str:
    return f"{what}: {' '.join(found.group().split())[:80]!r}"
