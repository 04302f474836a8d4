"""Task files for the harness: its own definitions, with local rows in place of the hub's data set.

Whatever shapes a request or counts an answer (prompt, choices, description, metrics) is the harness's own, included by
path; only where the rows come from is ours. So results agree with the harness's by construction, in each of
its versions.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import yaml

from humpback.errors import MissingDependencyError
from humpback.evaluation.harness.files import Rows, Source
from humpback.workspace import write_text

PREFIX = "humpback_"
"""Before the names of our tasks, so that they can stand beside the harness's own."""


def write_task_files(folder: Path, source: Source, shots: int) -> list[tuple[str, str]]:
    """Writes a benchmark's rows and task files; names of its tasks with the part that each is.

    `shots` are the solved questions before each of MMLU's, taken from its dev split as the harness does; others have
    no split to take them from. The files also serve `lm_eval --include_path FOLDER --tasks NAME`.

    A category of CrowS-Pairs without rows is left out.

    Raises:
        MissingDependencyError: the harness is not installed, or has no such task.
    """
    benchmark = source.benchmark
    rows = source.read()
    written = []
    for name, part in benchmark.tasks:
        definition = harness_tasks() / benchmark.definition.format(part)
        if not definition.is_file():
            raise MissingDependencyError(
                f"this version of lm-eval has no {benchmark.definition.format(part)}; another one has: "
                'pip install "humpback[benchmarks]"'
            )
        splits = {"test": rows.get(f"{part}/test", rows.get("test", []))}
        if benchmark.name == "crows_pairs" and not _of_category(splits["test"], part):
            continue  # the harness itself picks a category's rows, and fails where there are none
        if dev := rows.get(f"{part}/dev"):
            splits["dev"] = dev
        files = {
            split: _write_rows(folder / f"{benchmark.name}_{part}_{split}.jsonl", splits[split]) for split in splits
        }
        config = _config(name, definition, files, folder / "cache", shots if "dev" in splits else 0)
        write_text(folder / f"{PREFIX}{name}.yaml", yaml.safe_dump(config, sort_keys=False))
        written.append((PREFIX + name, part))
    return written


def harness_tasks() -> Path:
    """Folder of the harness's own task files.

    Raises:
        MissingDependencyError: it is not installed.
    """
    found = importlib.util.find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError('benchmarks need lm-evaluation-harness: pip install "humpback[benchmarks]"')
    return Path(found.submodule_search_locations[0]) / "tasks"


def _config(name: str, definition: Path, files: dict[str, str], cache: Path, shots: int) -> dict[str, Any]:
    return {
        "include": str(definition),
        "task": PREFIX + name,
        "task_alias": name,
        "tag": None,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": files, "cache_dir": str(cache.resolve())},
        "training_split": None,
        "validation_split": None,
        "test_split": "test",
        "fewshot_split": "dev" if "dev" in files else None,
        "num_fewshot": shots,
    }


def _of_category(rows: Rows, part: str) -> bool:
    return any(row["bias_type"].replace("-", "_") == part for row in rows)


def _write_rows(file: Path, rows: Rows) -> str:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    # The harness takes a second to read a table, of MMLU 57; what it keeps of it holds while the file has its date.
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_text(file, text)
    return str(file.resolve())
