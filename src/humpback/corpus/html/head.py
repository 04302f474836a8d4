"""What a page states about itself: its title, its address and its licence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turbohtml import Document

_LICENCE_META = frozenset(("dc.rights", "dcterms.rights", "dcterms.license", "dc.rights.license", "license", "licence"))
MAX_LICENCE_CHARS = 200
"""A longer statement of rights is prose, no name of a licence (ours)."""

MAX_JSON_DEPTH = 20
"""Linked data nested deeper is not looked into (ours: a page's licence stands near its top)."""


def read_title(document: Document) -> str:
    """The page's title on one line; empty where it has none."""
    node = document.select_one("title")
    return " ".join(node.text.split()) if node is not None else ""


def read_address(document: Document) -> str | None:
    """The canonical address, where it is a whole one: `<link rel=canonical>`, else Open Graph's."""
    for node in document.select("link"):
        if "canonical" in (node.attr("rel") or "").lower().split() and (address := _absolute(node.attr("href"))):
            return address
    for node in document.select("meta"):
        if node.attr("property") == "og:url" and (address := _absolute(node.attr("content"))):
            return address
    return None


def _absolute(address: str | None) -> str | None:
    address = (address or "").strip()
    return address if address.lower().startswith(("http://", "https://")) else None


def read_licence(document: Document) -> str | None:
    """The licence that the page states for itself: `rel=license`, linked data's `license`, or Dublin Core's rights."""
    for node in (*document.select("link"), *document.select("a")):
        rel = node.attr("rel")
        if rel and "license" in rel.lower().split() and (address := (node.attr("href") or "").strip()):
            return address
    for data in _linked_data(document):
        if licence := _plain(data):
            return licence
    for node in document.select("meta"):
        if (node.attr("name") or "").lower() in _LICENCE_META and (licence := _plain(node.attr("content"))):
            return licence
    return None


def _linked_data(document: Document) -> Iterator[Any]:
    """Each `license` in the page's JSON-LD."""
    for script in document.select("script"):
        if (script.attr("type") or "").strip().lower() != "application/ld+json":
            continue
        text = script.text
        if '"license"' not in text:
            continue
        try:
            pending: list[tuple[Any, int]] = [(json.loads(text), 0)]
        except (ValueError, RecursionError):
            continue
        while pending:
            value, depth = pending.pop()
            if isinstance(value, dict):
                if "license" in value:
                    licence = value["license"]
                    yield licence.get("@id") or licence.get("url") if isinstance(licence, dict) else licence
                value = [value[name] for name in ("@graph", "mainEntity", "mainEntityOfPage") if name in value]
            if isinstance(value, list) and depth < MAX_JSON_DEPTH:
                pending.extend((inner, depth + 1) for inner in reversed(value))


def _plain(text: Any) -> str | None:
    """The text, where it is short enough for a licence's name or address."""
    if not isinstance(text, str):
        return None
    text = " ".join(text.split())
    return text if 0 < len(text) <= MAX_LICENCE_CHARS else None
