"""How an instruction asks: the words by which a request is known, and rules about instructions that ask nothing.

What is known here is known of English; instructions in other languages pass these rules, but for their question marks.
"""

from __future__ import annotations

import re

from humpback.lint.guess import Guess, Verdict
from humpback.records import DropReason

_VERBS = """
act add adopt advise analyse analyze answer apply argue arrange ask assess assign assist assume brainstorm break
briefly build calculate categorise categorize change check choose cite clarify classify combine come comment compare
compile complete compose compute condense consider construct continue contrast convert convince copy correct count
craft create critique debate debug decide deduce define demonstrate derive describe design detail detect determine
develop devise diagnose differentiate discuss display distinguish divide do draft draw edit elaborate emulate
enumerate estimate evaluate examine expand explain explore express extract fill find finish fix form format formulate
generate get give go guess guide help highlight identify illustrate imagine implement improve include infer inform
insert interpret introduce invent judge justify keep label let list look make match mention modify name narrate offer
optimise optimize order organise organize outline output paraphrase pick plan play plot point predict prepare present
pretend print produce proofread propose prove provide pull put qualify quote rank rate read recall recommend
reconstruct reduce refactor reformulate remove rephrase replace reply report research respond restate return reverse
review revise rewrite role roleplay say search select send separate sequence share shorten show simplify simulate
sketch solve sort speak specify spell split start state structure suggest sum summarise summarize take talk teach tell
think trace train transform translate try turn understand update use verify visualise visualize walk write
"""
VERBS = frozenset(_VERBS.split())
"""Verbs that requests to an assistant begin with (ours, checked against instructions by people, docs/curation.md)."""

_LEAD = (
    r"(?:(?:please|kindly|now|then|also|next|first|finally|and|but|or|so|hi|hello|hey|ok|okay|just|briefly|in detail"
    r"|quickly|again|next|instead|using \w+|can you|could you|to),?\s+)*"
)
_SENTENCE_VERB = re.compile(rf"^[\W\d_]*{_LEAD}(?:do not |don't |(?!apply|reply)\w+ly )?\s*([a-z]+)\b", re.IGNORECASE)
_CLAUSE_VERB = re.compile(
    r"(?:[,:;–—-]|\b(?:and|then|please|to|also|you))\s+(?:please\s+|then\s+)?([a-z]+)\b", re.IGNORECASE
)
_AUXILIARY = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|might|has|have|had|isn't|aren't|don't"
    r"|doesn't|didn't|can't|couldn't|won't|wouldn't|shouldn't)"
)
_SUBJECT = (
    r"(?:i|you|he|she|it|we|they|there|this|that|these|those|the|an?|my|your|his|her|their|our|any\w*|some\w*|people)"
)
_QUESTION_WORD = re.compile(
    r"^\W*(?:and |so |but |also |or |ok |then )?"
    r"(?:(?:how|why|which|who|whom|whose|where)\b|what(?:'s|s)?\b(?! (?:i|you|we|they|he|she|it)\b)"
    rf"|when (?:{_AUXILIARY}|to)\b|{_AUXILIARY} {_SUBJECT}\b)",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\bplease\b|\b(?:can|could|would|will) you\b"
    rf"|[,:;] (?:what|how|why|which|who|where|{_AUXILIARY} {_SUBJECT})\b"
    r"|\b(?:i|we)(?:'m| am|'d| would|'ve| have| also| really| just| only| still)* (?:want|need|like|love|wish|hope"
    r"|looking|trying|try|wonder\w*|struggling|interested|curious|having|seeking|thinking|planning|ask\w*|require|must"
    r"|should|stuck|confused)\b"
    r"|\b(?:i|we) (?:don't|do not|can't|cannot|didn't) (?:know|understand|figure|find|remember|get|see)\b"
    r"|\byour (?:task|job|goal|answer|response|role|turn|advice|opinion|thoughts|help)\b"
    r"|\byou (?:are|will|should|must|need|have|can|'re|'ll) (?:to |be |now |going to )?"
    r"(?:asked|given|expected|to|act|write|help\w*|provide|play|an?|the)\b"
    r"|\b(?:the|this) (?:task|goal|question) is\b"
    r"|\b(?:any|some) (?:ideas?|tips?|suggestions?|advice|recommendations?)\b"
    r"|\b(?:tell|give|show|help|teach|write) (?:me|us)\b|\b(?:help|thanks|thank you)\W*$|\blet's\b|\bi was wondering\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^ {0,3}(?:#{1,6} +\S|\*\*[^*\n]+\*\*:?\s*$)", re.MULTILINE)

LEAST_WORDS = 12
"""Shorter sentences may ask without a word for it (ours: "I am sad today", "birthday party for a five-year-old")."""

ANSWER_HEADINGS = 2
"""So many headings make a text an answer: nobody lays out a question so (ours)."""


def asks(sentence: str) -> bool:
    """Whether an English sentence is a question or a request by its form."""
    if "?" in sentence or _QUESTION_WORD.search(sentence) or re.search(r"\bplease\b", sentence, re.IGNORECASE):
        return True
    first = _SENTENCE_VERB.search(sentence)
    return first is not None and first.group(1).lower() in VERBS


def is_asking(guess: Guess, sentence: str) -> bool:
    """Whether a sentence of the instruction asks; in other languages than English a question mark says so."""
    return any(mark in sentence for mark in "?？؟") or (guess.may_be_english and asks(sentence))


def asks_for_something(guess: Guess) -> bool:
    """Whether any sentence of an instruction asks, wishes or orders; where it begins and ends, within sentences too."""
    if any(is_asking(guess, sentence) for sentence in guess.sentences) or _WISH.search(guess.plain):
        return True
    ends = f"{guess.sentences[0]}\n{guess.sentences[-1]}" if guess.sentences else ""
    return any(verb.lower() in VERBS for verb in _CLAUSE_VERB.findall(ends))


def no_request(guess: Guess) -> Verdict:
    """States something at length and asks nothing, or is laid out as an answer."""
    if len(_HEADING.findall(guess.plain)) >= ANSWER_HEADINGS:
        return DropReason.NO_REQUEST, "is laid out under headings, as an answer is"
    if not guess.may_be_english or len(guess.words) < LEAST_WORDS or asks_for_something(guess):
        return None
    return DropReason.NO_REQUEST, "no question, request or wish in it"
