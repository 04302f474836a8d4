"""The descriptions of the installed Python packages: a corpus that every installation has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from importlib import metadata
from typing import cast

from humpback.corpus.raw import Form, RawDocument
from humpback.records import Source

LEFT_OUT = frozenset({"humpback"})
"""Its own description would tell a model about the tool that made it."""

LABELS = ("homepage", "home", "source", "source code", "repository", "github", "code", "documentation")
"""Labels of project addresses, the best first."""


def read_packages() -> Iterator[RawDocument]:
    """The Markdown descriptions of the installed distributions, sorted by name, each name once."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution)
    for name in sorted(found.keys() - LEFT_OUT):
        document = _document(cast("Message", found[name].metadata))
        if document is not None:
            yield document


def _document(about: Message) -> RawDocument | None:
    kind = str(about.get("Description-Content-Type") or "").split(";")[0].strip().lower()
    text = _description(about)
    if kind != "text/markdown" or not text.strip():
        return None
    name = str(about["Name"])
    source = Source(uri=_address(about, name), record=f"{name} {about['Version']}", licence=_licence(about))
    return RawDocument(text, Form.MARKDOWN, source, name)


def _description(about: Message) -> str:
    """The long description, whether it is a header or the body of the metadata."""
    text = about.get("Description") or about.get_payload() or ""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _address(about: Message, name: str) -> str:
    stated: dict[str, str] = {}
    for entry in about.get_all("Project-URL") or []:
        label, _, address = str(entry).partition(",")
        stated.setdefault(label.strip().lower(), address.strip())
    home = str(about.get("Home-page") or "").strip()
    candidates = [stated.get(label, "") for label in LABELS[:2]] + [home]
    candidates += [stated.get(label, "") for label in LABELS[2:]]
    whole = [address for address in candidates if address.startswith(("http://", "https://"))]
    return whole[0] if whole else f"https://pypi.org/project/{name}/"


def _licence(about: Message) -> str | None:
    """The licence expression, else the licence classifiers, else the first line of the licence field."""
    expression = str(about.get("License-Expression") or "").strip()
    if expression:
        return expression
    classifiers = [str(line) for line in about.get_all("Classifier") or [] if str(line).startswith("License ::")]
    names = [line.rsplit("::", 1)[1].strip() for line in classifiers]
    if names:
        return ", ".join(dict.fromkeys(names))
    lines = str(about.get("License") or "").strip().splitlines()
    return lines[0].strip() or None if lines and lines[0].strip().upper() != "UNKNOWN" else None
