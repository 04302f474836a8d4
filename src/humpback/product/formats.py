"""The dataset in the formats that training tools read, a row at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError, WorkspaceError
from humpback.product.rows import PARQUET_FILE, Message, dataset_columns, messages_of
from humpback.workspace import RunFolder, write_json, write_text
from humpback.workspace.atomic import write_with

DATASET = "dataset"
AXOLOTL_FILE, LLAMA_FACTORY_FILE = "datasets.yaml", "dataset_info.json"

Convert = Callable[[str, str, str | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the file of the rows, how many there are, and the file that tells the tool of it, if any."""

    file: Path
    rows: int
    entry: Path | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """How one tool wants rows: `convert` makes one of instruction, output and system prompt.

    `is_array`: one JSON array instead of JSON Lines. `is_folder`: a folder with an entry beside the rows.
    """

    convert: Convert
    is_array: bool = False
    is_folder: bool = False
    takes_system: bool = True


def _alpaca(instruction: str, output: str, system: str | None) -> dict[str, Any]:
    row = {"instruction": instruction, "input": "", "output": output}
    return row if system is None else row | {"system": system}


def _sharegpt(instruction: str, output: str, system: str | None) -> dict[str, Any]:
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    messages = messages_of(instruction, output, system)
    return {"conversations": [{"from": names[one["role"]], "value": one["content"]} for one in messages]}


def _messages(instruction: str, output: str, system: str | None) -> dict[str, Any]:
    return {"messages": messages_of(instruction, output, system)}


def _trl(instruction: str, output: str, system: str | None) -> dict[str, list[Message]]:
    """Prompt and completion apart, of which TRL trains on the second only."""
    messages = messages_of(instruction, output, system)
    return {"prompt": messages[:-1], "completion": messages[-1:]}


FORMATS = {
    "alpaca": Format(_alpaca, is_array=True, takes_system=False),
    "sharegpt": Format(_sharegpt, is_array=True),
    "messages": Format(_messages),
    "trl": Format(_trl),
    "axolotl": Format(_messages, is_folder=True),
    "llama-factory": Format(_alpaca, is_array=True, is_folder=True),
}


def export_format(run: str | Path, name: str, out: Path, *, tags: bool = False) -> Exported:
    """Writes the dataset of a finished run in the format called `name` to the file or, where it has two, folder `out`.

    With `tags` every row begins with the system prompt S_w that marked it in training.

    Raises:
        InputError: there is no such format, `out` is no such place, or the format has no room for a system prompt.
        WorkspaceError: the folder is no run, its dataset is not finished, or `out` cannot be written.
    """
    if name not in FORMATS:
        raise InputError(f"--format: {name}: no such format; there are {', '.join(FORMATS)}")
    chosen = FORMATS[name]
    if tags and not chosen.takes_system:
        able = ", ".join(other for other, found in FORMATS.items() if found.takes_system)
        raise InputError(f"--tags: rows of the format {name} have no place for a system prompt; use {able}")
    folder = RunFolder(run)
    config = folder.config()
    dataset = finished_dataset(folder)
    stem = config.name
    if not chosen.is_folder:
        _check_place(out, is_folder=False)
        return Exported(out, _write(dataset, out, chosen, config.prompts.web_tag if tags else None))
    _check_place(out, is_folder=True)
    file = out / f"{stem}.{'json' if chosen.is_array else 'jsonl'}"
    entries = _llama_factory_entries(out) if name == "llama-factory" else {}
    rows = _write(dataset, file, chosen, config.prompts.web_tag if tags else None)
    if name == "axolotl":
        return Exported(file, rows, _write_axolotl(out, file))
    return Exported(file, rows, _write_llama_factory(out, stem, file, entries, tags=tags))


def finished_dataset(folder: RunFolder) -> Path:
    """The folder of a run's dataset.

    Raises:
        WorkspaceError: it is not finished.
    """
    step = folder.step(DATASET)
    if step.manifest() is None or not (step.path / PARQUET_FILE).exists():
        raise WorkspaceError(
            f"{folder.path}: its dataset is not finished; `humpback run` with the run's configuration finishes it, "
            f"`humpback status {folder.path}` shows what is missing"
        )
    return step.path


def _check_place(out: Path, *, is_folder: bool) -> None:
    if is_folder and out.exists() and not out.is_dir():
        raise InputError(f"--out: {out} is a file; this format is two files, so give a folder")
    if not is_folder and out.is_dir():
        raise InputError(f"--out: {out} is a folder; give a file")
    folder = out if is_folder else out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out: {folder}: cannot be made ({error.strerror}); give another place") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"--out: {folder}: cannot be written; give another place")


def _write(dataset: Path, out: Path, chosen: Format, system: str | None) -> int:
    counts: list[int] = []

    def write(file: Path) -> None:
        with file.open("w", encoding="utf-8") as stream:
            count = 0
            for count, row in enumerate(_rows(dataset, chosen, system), start=1):
                if chosen.is_array:
                    stream.write("[\n" if count == 1 else ",\n")
                stream.write(json.dumps(row, ensure_ascii=False))
                stream.write("" if chosen.is_array else "\n")
            if chosen.is_array:
                stream.write("\n]\n" if count else "[]\n")
            counts.append(count)

    write_with(out, write)
    return counts[0]


def _rows(dataset: Path, chosen: Format, system: str | None) -> Iterator[dict[str, Any]]:
    for row in dataset_columns(dataset, "instruction", "output"):
        yield chosen.convert(row["instruction"], row["output"], system)


def _write_axolotl(out: Path, file: Path) -> Path:
    """The entry for `datasets:` of an axolotl configuration."""
    import yaml

    entry = {
        "path": str(file),
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
    }
    write_text(out / AXOLOTL_FILE, yaml.safe_dump({"datasets": [entry]}, sort_keys=False, allow_unicode=True))
    return out / AXOLOTL_FILE


def _llama_factory_entries(out: Path) -> dict[str, Any]:
    """What LLaMA-Factory's list in the folder says already: other datasets stay in it."""
    file = out / LLAMA_FACTORY_FILE
    if not file.exists():
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: is no valid JSON ({error}); mend it, or give another folder") from None
    if not isinstance(entries, dict):
        raise InputError(f"{file}: holds no datasets by name; mend it, or give another folder")
    return entries


def _write_llama_factory(out: Path, name: str, file: Path, entries: dict[str, Any], *, tags: bool) -> Path:
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    entry = {"file_name": file.name, "columns": columns | ({"system": "system"} if tags else {})}
    write_json(out / LLAMA_FACTORY_FILE, entries | {name: entry})
    return out / LLAMA_FACTORY_FILE
