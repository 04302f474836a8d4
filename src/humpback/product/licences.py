"""What the licences of sources allow: whether a text may be passed on in a dataset, and the hub's name of the licence.

Ours, and no legal advice: the table says what a careful reader of each licence would do with a piece of a text that is
passed on with its source, unchanged, beside an instruction that somebody else wrote.

- Public domain and open licences (Creative Commons BY and BY-SA, the usual software licences): may be passed on.
- Non-commercial ones (NC): may be passed on, since a dataset card is not a sale; whoever uses it is bound by it.
- No derivatives (ND): may not. A piece cut out of a work and put beside an instruction is an adapted work.
- All rights reserved, proprietary: may not.
- Not stated, or in words that are not in the table: may not, since nobody said that it may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

NOT_STATED = "it is not stated"
NO_DERIVATIVES = "it forbids adapted works"
RESERVED = "all rights are reserved"
UNKNOWN = "Humpback does not know its terms"

# The hub's identifiers (huggingface.co/docs/hub/repositories-licenses) of licences that let a text be passed on, each
# with other names that sources give it; `_key` says what of a name counts.
_OPEN = {
    "apache-2.0": ("apache", "apache 2", "apache software", "apache software 2.0"),
    "mit": ("expat", "mit no attribution", "mit-0"),
    "bsd": ("bsd style", "modified bsd"),
    "bsd-2-clause": ("simplified bsd", "2-clause bsd", "bsd 2-clause simplified"),
    "bsd-3-clause": ("new bsd", "3-clause bsd", "bsd 3-clause new or revised"),
    "bsd-3-clause-clear": (),
    "isc": (),
    "mpl-2.0": ("mozilla public 2.0",),
    "psf-2.0": ("python software foundation", "psf", "python-2.0"),
    "unlicense": (),
    "zlib": ("zlib/libpng",),
    "wtfpl": (),
    "0bsd": (),
    "bsl-1.0": ("boost software 1.0",),
    "postgresql": (),
    "ncsa": (),
    "artistic-2.0": (),
    "afl-3.0": (),
    "ecl-2.0": (),
    "ms-pl": (),
    "epl-1.0": (),
    "epl-2.0": (),
    "eupl-1.1": (),
    "eupl-1.2": (),
    "etalab-2.0": ("licence ouverte 2.0", "open licence 2.0"),
    "ogl-uk-3.0": ("open government 3.0", "open government v3.0", "ogl v3.0", "ogl"),
    "agpl-3.0": ("agpl-3.0-only", "gnu affero general public v3"),
    "gpl": ("gnu general public", "gnu gpl"),
    "gpl-2.0": ("gpl-2.0-only", "gnu general public v2", "gplv2"),
    "gpl-3.0": ("gpl-3.0-only", "gnu general public v3", "gplv3"),
    "lgpl": ("gnu lesser general public", "gnu lesser general public v2"),
    "lgpl-2.1": ("lgpl-2.1-only",),
    "lgpl-3.0": ("lgpl-3.0-only", "gnu lesser general public v3"),
    "gfdl": ("gfdl-1.2", "gfdl-1.3", "gnu free documentation"),
    "odc-by": ("odc-by-1.0", "open data commons attribution"),
    "odbl": ("odbl-1.0", "open database"),
    "pddl": ("pddl-1.0",),
    "cdla-sharing-1.0": (),
    "cdla-permissive-1.0": (),
    "cdla-permissive-2.0": (),
    "cc0-1.0": ("cc0", "cc zero", "cc0 1.0 universal", "cc0 1.0 universal public domain dedication"),
    "public domain": ("publicdomain", "us government work", "us-pd"),
}
_NOT_ON_THE_HUB = {"psf-2.0", "0bsd", "ogl-uk-3.0", "public domain"}
# Creative Commons licences by terms: the versions to which the hub gives a name.
_CC_VERSIONS = {
    "by": ("2.0", "2.5", "3.0", "4.0"),
    "by-sa": ("3.0", "4.0"),
    "by-nc": ("2.0", "3.0", "4.0"),
    "by-nd": ("4.0",),
    "by-nc-nd": ("3.0", "4.0"),
    "by-nc-sa": ("2.0", "3.0", "4.0"),
}

_CC_ADDRESS = re.compile(r"creativecommons\.org/(?:licen[cs]es|publicdomain)/([a-z-]+)(?:/(\d\.\d))?")
_CC_TERMS = re.compile(
    r"(?:cc|creative commons) ((?:by|nc|nd|sa)(?: (?:by|nc|nd|sa))*)(?: (\d\.\d))?"
    r"(?: (?:international|unported|generic|igo|cc|by|nc|nd|sa|\d\.\d))*"
)
_CC_WORDS = {
    "attribution": "by",
    "non ?commercial": "nc",
    "no ?derivatives|no ?derivs": "nd",
    "share ?alike": "sa",
}
_RESERVED = re.compile(r"all rights reserved|proprietary|confidential")
_ADDRESS = re.compile(r"(?:spdx|opensource)\.org/licen[cs]es?/([\w.-]+?)(?:\.html)?/?$")
_ASIDE = re.compile(r"\([^()]*\)|\bwith [\w.-]+$|[ -]or[ -]later\b|\+$")
_FILLERS = re.compile(r"\b(?:the|licen[cs]ed?|licen[cs]es|under|osi approved|version)\b")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as a source states it.

    `hub` is the hub's identifier, None where it has none; `refused` says why a text may not be passed on, None where
    it may.
    """

    hub: str | None
    refused: str | None


@lru_cache(maxsize=4096)
def licence_of(stated: str | None) -> Licence:
    """What is known of the licence that a source states in its own words: an SPDX expression, a name, an address.

    Of an SPDX expression with `OR` one licence is enough; with `AND` all of them bind; one that reserves rights or
    forbids adapted works refuses the whole.
    """
    text = " ".join((stated or "").casefold().split())
    if not text:
        return Licence(None, NOT_STATED)
    found = _one(text)
    if found.refused != UNKNOWN:
        return found
    # AND first, whatever the brackets: where that errs, it refuses what might be allowed, never the other way.
    for joint, all_bind in ((r"\s+and\s+|\s*[;,]\s+", True), (r"\s+or\s+", False)):
        parts = [part.strip("() ") for part in re.split(joint, text)]
        if len(parts) > 1:
            return _joined([licence_of(part) for part in parts], all_bind)
    return found


def _joined(parts: list[Licence], all_bind: bool) -> Licence:
    refused = [part.refused for part in parts if part.refused]
    same = {part.hub for part in parts}
    hub = same.pop() if len(same) == 1 else None
    return Licence(hub, refused[0] if refused and (all_bind or len(refused) == len(parts)) else None)


def _one(text: str) -> Licence:
    if address := _CC_ADDRESS.search(text):
        return _creative_commons(address[1], address[2])
    words = _words(text)
    if _RESERVED.search(words):
        return Licence(None, RESERVED)
    for name, letters in _CC_WORDS.items():
        words = re.sub(name, letters, words)
    forbids = re.search(r"\bnd\b", words) is not None
    if terms := _CC_TERMS.fullmatch(words):
        return _creative_commons(terms[1].replace(" ", "-") + ("-nd" if forbids else ""), terms[2])
    if forbids:
        return Licence(None, NO_DERIVATIVES)
    hub = _BY_KEY.get(_key(text))
    if hub is None:
        return Licence(None, UNKNOWN)
    return Licence(None if hub in _NOT_ON_THE_HUB else hub, None)


def _creative_commons(terms: str, version: str | None) -> Licence:
    if terms in ("zero", "mark"):
        return Licence("cc0-1.0" if terms == "zero" else None, None)
    parts = set(terms.split("-"))
    if not parts <= {"by", "nc", "nd", "sa"}:
        return Licence(None, UNKNOWN)
    ordered = "-".join(part for part in ("by", "nc", "nd", "sa") if part in parts)
    has_name = version in _CC_VERSIONS.get(ordered, ())
    hub = f"cc-{ordered}-{version}" if has_name else ("cc" if ordered == "by" and version is None else None)
    return Licence(hub, NO_DERIVATIVES if "nd" in parts else None)


def _key(text: str) -> str:
    """What of a licence's name counts: no abbreviation in brackets, no exception that allows more, no later version."""
    address = _ADDRESS.search(text)
    return _words(_ASIDE.sub("", address[1] if address else text))


def _words(text: str) -> str:
    """Words and numbers without punctuation, articles and the word "licence" itself."""
    return " ".join(word.strip(".") for word in re.findall(r"[\w.]+", _FILLERS.sub(" ", text)))


_BY_KEY = {_key(name): hub for hub, others in _OPEN.items() for name in (hub, *others)}
