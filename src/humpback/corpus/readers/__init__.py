"""Readers of every kind of file: they find the documents in it, and leave what stands in them to be parsed."""

from humpback.corpus.readers.files import read_file
from humpback.corpus.readers.hub import HubDataset

__all__ = ["HubDataset", "read_file"]
