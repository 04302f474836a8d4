"""Finds the user's documents, whatever their files are, one after the other in an order that never changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from humpback.config import IngestConfig
from humpback.corpus.packages import read_packages
from humpback.corpus.raw import RawDocument
from humpback.corpus.readers import HubDataset, read_file
from humpback.inputs import content_digest, locate
from humpback.records import Dropped, content_id

PACKAGES = "packages"
"""The input that means the descriptions of the installed Python packages; a folder of that name is `./packages`."""


def read_documents(inputs: Sequence[str], config: IngestConfig) -> Iterator[RawDocument | Dropped]:
    """Yields the documents of `inputs`, and what in them is none or cannot be read: files in the order of the inputs,
    then datasets of the hub, packages last.

    An input is a file, a folder, a glob, a URL that fsspec opens, `hf:owner/name[:configuration[:split]]`, or
    `packages`. What a file is, its content tells. Stops after `max_documents` documents.

    Raises:
        InputError: an input matches nothing or cannot be reached; a table has more broken rows than
            `max_broken_fraction` allows, or lacks `text_column`.
        MissingDependencyError: an address needs a package that is not installed.
    """
    documents = 0
    for item in _all(inputs, config):
        if isinstance(item, RawDocument):
            if config.max_documents is not None and documents == config.max_documents:
                return
            documents += 1
        yield item


def corpus_digest(inputs: Sequence[str]) -> str:
    """Hexadecimal digits that depend on the names and contents of all documents; raises as `read_documents` does.

    Of files over 64 MiB not all bytes count but size, time of the last change, and both ends; of files at a URL and
    of hub datasets what their host says of them, the version or checksum where it has one.
    """
    files, hub = _parted(inputs)
    digests = [content_digest(locate(files, "corpus"))]
    digests += [dataset.digest() for dataset in hub]
    if PACKAGES in inputs:
        digests += [content_id(one.source, one.title, one.data) for one in read_packages()]
    return content_id(*digests)


def _all(inputs: Sequence[str], config: IngestConfig) -> Iterator[RawDocument | Dropped]:
    files, hub = _parted(inputs)
    for file in locate(files, "corpus"):
        yield from read_file(file, config)
    for dataset in hub:
        yield from dataset.read(config)
    if PACKAGES in inputs:
        yield from read_packages()


def _parted(inputs: Sequence[str]) -> tuple[list[str], list[HubDataset]]:
    """The inputs that name files, and the datasets that the others name."""
    files: list[str] = []
    hub: list[HubDataset] = []
    for value in inputs:
        dataset = HubDataset.parse(value)
        if dataset is not None:
            hub.append(dataset)
        elif value != PACKAGES:
            files.append(value)
    return files, list(dict.fromkeys(hub))
