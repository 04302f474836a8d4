"""From files to segments: readers, the segmenter, its filters, and what looks at the corpus as a whole."""

from humpback.corpus.chain import segments_of, set_aside, stopped, whole_document
from humpback.corpus.documents import corpus_digest, read_documents
from humpback.corpus.parse import require_reader
from humpback.corpus.raw import Form, RawDocument
from humpback.corpus.segment import Segmented, segment_document

__all__ = [
    "Form",
    "RawDocument",
    "Segmented",
    "corpus_digest",
    "read_documents",
    "require_reader",
    "segment_document",
    "segments_of",
    "set_aside",
    "stopped",
    "whole_document",
]
