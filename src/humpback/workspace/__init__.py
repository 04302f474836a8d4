"""A run's folder: steps as folders of Parquet shards, each written whole or not at all."""

from humpback.workspace.atomic import disk_errors_explained, write_bytes, write_json, write_text
from humpback.workspace.fingerprint import file_digest, fingerprint
from humpback.workspace.folder import RunFolder
from humpback.workspace.shards import Shard, dropped_rows, map_shards, read_rows, row_count, write_rows
from humpback.workspace.step import Manifest, StepFolder

__all__ = [
    "Manifest",
    "RunFolder",
    "Shard",
    "StepFolder",
    "disk_errors_explained",
    "dropped_rows",
    "file_digest",
    "fingerprint",
    "map_shards",
    "read_rows",
    "row_count",
    "write_bytes",
    "write_json",
    "write_rows",
    "write_text",
]
