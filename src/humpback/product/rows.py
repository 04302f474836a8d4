"""The rows of the dataset, and its two files, written and read a block of rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.product.features import with_features
from humpback.records import Source, arrow_schema, from_row, to_row, to_table
from humpback.workspace.atomic import write_with

if TYPE_CHECKING:
    import pyarrow as pa

JSONL_FILE, PARQUET_FILE, CARD_FILE = "train.jsonl", "train.parquet", "README.md"
MESSAGES = "messages"
ROWS_PER_GROUP = 10_000  # ours: some 30 MB of text, well below the 300 MB beyond which the hub shows no preview
_ROWS_AT_ONCE = 1024

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A row of the dataset; in its files `messages` stands beside it, which is made from the first two fields.

    `ratings` are those of round 1, 2, ...; null where a round could not rate it. `p_good` is the last round's
    probability that the pair is good, null where the judge gives none. `original` is the document's text where a model
    wrote `output` from it.
    """

    id: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    rating: float
    ratings: list[float | None]
    round: int
    original: str | None = None
    p_good: float | None = None


def messages_of(instruction: str, output: str, system: str | None = None) -> list[Message]:
    """The pair as a conversation; `system` goes first where it is given.

    Without it there is none: the tags of training tell seed pairs from augmented ones, and a dataset that is used by
    itself would only teach a model to need one sentence before every request.
    """
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, {"role": "user", "content": instruction}, {"role": "assistant", "content": output}]


def dataset_schema() -> pa.Schema:
    """The Arrow schema of the files: a row's fields, `messages` after `output`, and what `datasets` calls them."""
    import pyarrow as pa

    schema = arrow_schema(DatasetRow)
    message = pa.struct([pa.field(name, pa.string(), nullable=False) for name in ("role", "content")])
    field = pa.field(MESSAGES, pa.list_(pa.field("item", message, nullable=False)), nullable=False)
    return with_features(schema.insert(schema.get_field_index("output") + 1, field))


def write_dataset(folder: Path, rows: Iterable[DatasetRow]) -> int:
    """Writes the rows as Parquet and as JSON Lines into `folder`; how many there are."""
    counts: list[int] = []

    def write_both(parquet: Path) -> None:
        write_with(folder / JSONL_FILE, lambda jsonl: counts.append(_write(parquet, jsonl, rows)))

    write_with(folder / PARQUET_FILE, write_both)
    return counts[0]


def dataset_rows(folder: Path) -> Iterator[DatasetRow]:
    """The rows of the dataset in `folder`, also of one that an earlier version wrote."""
    names = [field.name for field in fields(DatasetRow)]
    for values in dataset_columns(folder, *names):
        yield from_row(DatasetRow, values)


def dataset_columns(folder: Path, *names: str) -> Iterator[Mapping[str, Any]]:
    """Some columns of the dataset in `folder`, row by row; those that it does not have are left out."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(folder / PARQUET_FILE) as file:
        there = [name for name in names if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=there):
            yield from batch.to_pylist()


def _write(parquet: Path, jsonl: Path, rows: Iterable[DatasetRow]) -> int:
    import pyarrow.parquet as pq

    schema = dataset_schema()
    count = 0
    with (
        pq.ParquetWriter(parquet, schema, compression="zstd") as table,
        jsonl.open("w", encoding="utf-8") as lines,
    ):
        source = iter(rows)
        while block := list(islice(source, ROWS_PER_GROUP)):
            table.write_table(_table(block, schema))
            lines.writelines(json.dumps(_values(row), ensure_ascii=False) + "\n" for row in block)
            count += len(block)
    return count


def _table(rows: list[DatasetRow], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    field = schema.field(MESSAGES)
    messages = pa.array([messages_of(row.instruction, row.output) for row in rows], type=field.type)
    table = to_table(rows, DatasetRow)
    place = schema.get_field_index(MESSAGES)
    return table.add_column(place, field, messages).cast(schema)


def _values(row: DatasetRow) -> dict[str, Any]:
    """The row as JSON, its columns in the order of the Parquet file."""
    values = to_row(row)
    head = {name: values.pop(name) for name in ("id", "instruction", "output")}
    return head | {MESSAGES: messages_of(row.instruction, row.output)} | values
