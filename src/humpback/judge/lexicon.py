"""Words and signs by which texts are known that are no assistant's answer. English, and ours.

An underscore stands for a space. Single ones stand in good answers too: what counts is how many there are.
"""

from __future__ import annotations

import re


def _pattern(listed: str, signs: str = "") -> re.Pattern[str]:
    """Any of the listed words as wholes, or any of the signs."""
    found = "|".join(listed.split()).replace("_", r"\s")
    return re.compile(rf"\b(?:{found})(?!\w)" + (f"|{signs}" if signs else ""), re.IGNORECASE)


RATES = {
    # who speaks of themselves
    "first_person": _pattern(
        r"""
        i i'm i've i'd i'll me my mine myself we we've our us imo imho lol btw tbh afaik iirc idk
        """,
    ),
    # a post, its greetings and farewells
    "chat": _pattern(
        r"""
        hey hi hello welcome thanks thank_you cheers folks guys everyone friends? readers? posts? posted
        thread forum blog comments? reply replies edit update upvote shared? stay_tuned happy_\w+ing
        hope_this good_luck anyways?
        """,
    ),
    # advertisements
    "selling": _pattern(
        r"""
        buy order shop sales? save discounts? offers? deals? coupons? promo\w* free trial subscribe
        subscription newsletter sign_?up join customers? satisfaction guarantee\w* limited today now
        exclusive premium pricing prices? sponsors? sponsored partners? advertisement download click app
        visit checkout shipping best-selling
        """,
        r"[$€£]\s?\d|\d\s?%|\b\w+\.(?:example|com|net|org|io)\b",
    ),
    # the frame of a web page
    "site": _pattern(
        r"""
        home menu search skip_to back_to_top log_?in sign_in register about_us contact privacy cookies?
        terms sitemap category categories tags? related read_more see_also previous next archives? facebook
        twitter instagram linkedin pinterest whatsapp e-?mail print copyright all_rights_reserved javascript
        browser accept page_\d+ posted_(?:on|by|in) leave_a published last_updated min_read toggle
        navigation breadcrumbs? filed_under
        """,
        r"[»›▸→↑©·|]",
    ),
    # remarks under a text
    "said": _pattern(
        r"""
        says?: wrote: reply likes? \d+_(?:minutes?|hours?|days?|weeks?|months?|years?)_ago \d{1,2}:\d\d
        (?:january|february|march|april|may|june|july|august|september|october|november|december)_\d{1,2}
        """,
        r"@\w+|[\U0001F300-\U0001FAFF☀-➿]|(?<!\w)[:;]-?[)(DP](?!\w)|!{2,}",
    ),
    # what fits any subject
    "general": _pattern(
        r"""
        many several various certain different some things? ways? factors? aspects? options? approach(?:es)?
        situations? circumstances cases? generally usually often sometimes depends? depending important
        helpful useful consider(?:ed|ing)? careful(?:ly)? keep_in_mind in_general it_is there_are there_is
        overall all_in_all everyone everybody individual personal preferences? topics? subjects? matters?
        questions? information research experts? professionals? advice goals? needs interesting worth time
        people
        """,
    ),
}
"""What is counted, by the signal's name."""

_FUNCTION_WORDS = """
a an the of to in on at by for with from as is are was were be been being am do does did have has had can
could will would should may might must shall i you he she it we they me him her us them my your his its our
their this that these those there here what which who whom whose when where why how and or but if then than so
not no yes please some any all about into out up down over under between write give tell explain make list
describe provide create
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words of an instruction that say nothing of its subject."""
