"""From one raw document to its segments: parse, cut, filter. A pure function, whichever process or machine runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from humpback.config import IngestConfig, PersonalDataConfig
from humpback.corpus import language, personal
from humpback.corpus.filters import Verdict
from humpback.corpus.parse import parse_document
from humpback.corpus.raw import RawDocument
from humpback.corpus.segment import Segmented, segment_document
from humpback.corpus.sites import is_of_site
from humpback.errors import MissingDependencyError
from humpback.records import Document, Dropped, DropReason, content_id

EXCERPT_CHARS = 2000
"""How much of a document that cannot be read is kept beside the reason (ours: enough to see what it is)."""


def segments_of(raw: RawDocument | Dropped, config: IngestConfig, taken_down: Sequence[str] = ()) -> Segmented:
    """The segments of one raw document, and every piece of it that is none, with its reason.

    Nothing is kept of a document from one of the sites `taken_down`, its text not even beside the reason.
    """
    document = whole_document(raw)
    source = document.source
    for site in taken_down:
        if is_of_site(source.uri, site):
            row_id = content_id("document", source.uri, source.record)
            return Segmented([], [Dropped(row_id, DropReason.TAKEN_DOWN, site, "", source)])
    if isinstance(document, Dropped):
        return Segmented([], [document])
    rules = config.personal_data
    refuse = partial(_personal, rules=rules) if rules.action == "drop" else None
    segmented = segment_document(document, config, language.identify, refuse)
    return _redacted(segmented, rules) if rules.action == "redact" else segmented


def whole_document(raw: RawDocument | Dropped) -> Document | Dropped:
    """The parsed document, or why there is none."""
    if isinstance(raw, Dropped):
        return raw
    try:
        document = parse_document(raw)
    except (ValueError, MissingDependencyError) as error:
        return set_aside(raw, DropReason.UNREADABLE, str(error))
    if not document.text.strip():
        return set_aside(raw, DropReason.NO_CONTENT, "nothing is left beside navigation and markup")
    return document


def set_aside(raw: RawDocument | Dropped, reason: DropReason, detail: str) -> Dropped:
    """The raw document as a dropped row, with the beginning of what stands in it."""
    if isinstance(raw, Dropped):
        return raw
    data = raw.data[:EXCERPT_CHARS]
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    identity = content_id("document", raw.source.uri, raw.source.record)
    return Dropped(identity, reason, detail, text.replace("\0", "�"), raw.source)


def stopped(raw: RawDocument | Dropped, why: str) -> Dropped:
    """The raw document as one whose parsing had to be stopped."""
    return set_aside(raw, DropReason.STOPPED, why)


def _personal(text: str, rules: PersonalDataConfig) -> Verdict:
    kinds = dict.fromkeys(str(found.kind) for found in personal.find(text, rules))
    return (DropReason.PERSONAL_DATA, f"holds personal data: {', '.join(kinds)}") if kinds else None


def _redacted(segmented: Segmented, rules: PersonalDataConfig) -> Segmented:
    kept = []
    for segment in segmented.kept:
        found = personal.find(segment.text, rules)
        kept.append(replace(segment, text=personal.redact(segment.text, found)) if found else segment)
    return Segmented(kept, segmented.dropped)
