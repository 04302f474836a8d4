"""A run's folder: steps as folders of Parquet shards, each written whole or not at all."""

from humpback.workspace.atomic import disk_errors_explained, write_bytes, write_json, write_text
from humpback.workspace.cache import cache_folder
from humpback.workspace.executor import Executor, ThisProcess, Work
from humpback.workspace.fingerprint import file_digest, fingerprint
from humpback.workspace.folder import TAKEDOWN_FILE, RunFolder
from humpback.workspace.pool import RowLimits, Workers, available_cores, each_row, in_order
from humpback.workspace.row_shards import map_rows
from humpback.workspace.shards import (
    Shard,
    dropped_counts,
    dropped_rows,
    filter_rows,
    map_shards,
    part_files,
    read_columns,
    read_part,
    read_rows,
    row_count,
    write_rows,
)
from humpback.workspace.spans import HeldRows, ShardWork, StoredRows, run_shards
from humpback.workspace.step import Manifest, StepFolder
from humpback.workspace.sums import STARTED_FILE

__all__ = [
    "STARTED_FILE",
    "TAKEDOWN_FILE",
    "Executor",
    "HeldRows",
    "Manifest",
    "RowLimits",
    "RunFolder",
    "Shard",
    "ShardWork",
    "StepFolder",
    "StoredRows",
    "ThisProcess",
    "Work",
    "Workers",
    "available_cores",
    "cache_folder",
    "disk_errors_explained",
    "dropped_counts",
    "dropped_rows",
    "each_row",
    "file_digest",
    "filter_rows",
    "fingerprint",
    "in_order",
    "map_rows",
    "map_shards",
    "part_files",
    "read_columns",
    "read_part",
    "read_rows",
    "row_count",
    "run_shards",
    "write_bytes",
    "write_json",
    "write_rows",
    "write_text",
]
