"""The kinds of requests by which the paper breaks win rates down (table 9), told by words of ours."""

from __future__ import annotations

import re

CATEGORIES = ("reasoning", "information", "advice", "writing", "recipe", "other")
"""Those of table 9, and what none of their words fits."""

# The first that fits counts: a recipe is also a piece of writing, and advice is asked for in questions.
_WORDS = {
    "recipe": r"recipe|cook(?:ing)?\b|bake\b|ingredients|how (?:do i|to|can i) make (?:a |an |the )?\w+ ?(?:soup|cake|"
    r"bread|sauce|salad|stew|curry|pie|cookies|dish)",
    "reasoning": r"\bcode\b|python|javascript|\bsql\b|algorithm|function|program\b|regex|html|solve|calculate|compute|"
    r"equation|probability|how many|how much is|prove|proof|puzzle|riddle|logic|math|integral|sort the|classify|"
    r"next (?:number|term)|step by step",
    "writing": r"\bwrite\b|\bcompose\b|\bdraft\b|poem|haiku|story|essay|lyrics|song|letter|e-?mail|blog|tweet|slogan|"
    r"headline|rewrite|paraphrase|edit the|summari[sz]e|translate|caption|script|speech|review of|cover letter|"
    r"make (?:it|this|the sentence)|brainstorm|come up with|create a (?:title|name|list of names)|generate",
    "advice": r"should i|advice|tips?\b|suggest|recommend|best way|how (?:can|do|should|could|would) (?:i|you|we|one)|"
    r"how to|help me|ideas? for|plan (?:a|my|for)|what (?:can|should|could) i|ways to|strategies|improve",
    "information": r"what|who|when|where|which|why|how|explain|describe|define|tell me|list|name|give me|is |are |do |"
    r"does |did |can |difference|compare|identify|provide",
}
_PATTERNS = {name: re.compile(rf"\b(?:{words})", re.IGNORECASE) for name, words in _WORDS.items()}


def category_of(instruction: str) -> str:
    """One of `CATEGORIES`, by the words of the first 300 characters; English only."""
    head = instruction[:300]
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(head)), "other")
