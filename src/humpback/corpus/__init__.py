"""From files to segments: readers, the segmenter and its filters."""

from humpback.corpus.documents import corpus_digest, read_documents
from humpback.corpus.filters import Duplicates
from humpback.corpus.segment import Segmented, segment_document

__all__ = ["Duplicates", "Segmented", "corpus_digest", "read_documents", "segment_document"]
