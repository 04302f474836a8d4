"""Datasets by their names on the Hugging Face hub, row by row as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from humpback.config import IngestConfig
from humpback.corpus.raw import RawDocument
from humpback.corpus.readers.found import Place
from humpback.corpus.readers.tables import row_documents
from humpback.errors import InputError
from humpback.records import Dropped, content_id
from humpback.tables import Row

_ADDRESS = re.compile(r"hf://datasets/([^/@]+/[^/@]+)/?")
_NAME = re.compile(r"hf:(?!//)([^:]+)(?::([^:]*))?(?::([^:]+))?")


@dataclass(frozen=True, slots=True)
class HubDataset:
    """A dataset on the hub: its name (or a local folder laid out as one), configuration and split; None takes the
    default configuration, and every split."""

    name: str
    configuration: str | None = None
    split: str | None = None

    @classmethod
    def parse(cls, value: str) -> HubDataset | None:
        """What `hf:owner/name[:configuration[:split]]` or `hf://datasets/owner/name` means; None for anything else."""
        address = _ADDRESS.fullmatch(value)
        if address is not None:
            return cls(address.group(1))
        found = _NAME.fullmatch(value)
        return cls(found.group(1), found.group(2) or None, found.group(3)) if found else None

    @property
    def uri(self) -> str:
        return f"hf://datasets/{self.name}"

    def read(self, config: IngestConfig) -> Iterator[RawDocument | Dropped]:
        """Yields the rows of the dataset as documents, split by split; nothing is kept on disk.

        Raises:
            InputError: the dataset cannot be had, or lacks `text_column`.
        """
        for split, rows in self._splits().items():
            place = Place(self.uri, self.name, config, "/".join(filter(None, (self.configuration, str(split)))))
            yield from row_documents(self._rows(rows), place)

    def digest(self) -> str:
        """Hexadecimal digits that depend on the dataset's name and, where the hub can be asked, its version."""
        from huggingface_hub import HfApi

        try:
            version = HfApi().dataset_info(self.name, timeout=10).sha
        except Exception:  # offline, a local folder, a private set: then the name alone must do
            version = None
        return content_id("hub", self.name, self.configuration, self.split, version)

    def _splits(self) -> dict[Any, Any]:
        import datasets

        try:
            found = datasets.load_dataset(self.name, self.configuration, split=self.split, streaming=True)
        except Exception as error:  # of many kinds: no such set, no access, no network, a script
            raise self._failed(error) from error
        return found if isinstance(found, dict) else {self.split: found}

    def _rows(self, rows: Any) -> Iterator[Row]:
        try:
            for number, values in enumerate(rows.decode(False), start=1):
                yield Row(number, values)
        except Exception as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> InputError:
        detail = " ".join(str(error).split())[:300]
        return InputError(
            f"corpus: the dataset {self.name!r} cannot be read ({error.__class__.__name__}: {detail}). "
            "Check the name, the configuration and the network; log in with `hf auth login` if it is not public."
        )
