"""Which evaluation sets the seed and the segments are kept apart from, and where their files lie."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from humpback.config import DecontaminateConfig
from humpback.corpus.contamination.prompts import Prompt, file_prompts
from humpback.errors import InputError
from humpback.inputs import expand

log = logging.getLogger(__name__)

OPTION = "ingest.decontaminate.against"

DEFAULT_SETS = (
    "tatsu-lab/alpaca_eval",
    "HuggingFaceH4/mt_bench_prompts",
    "lmsys/mt_bench_human_judgments",
    "google/IFEval",
    "cais/mmlu",
    "TIGER-Lab/MMLU-Pro",
    "allenai/ai2_arc",
    "allenai/openbookqa",
    "allenai/social_i_qa",
    "allenai/winogrande",
    "ybisk/piqa",
    "Rowan/hellaswag",
    "google/boolq",
    "nyu-mll/crows_pairs",
    "truthfulqa/truthful_qa",
    "openai/gsm8k",
    "HuggingFaceH4/MATH-500",
    "openai/openai_humaneval",
    "google-research-datasets/mbpp",
    "Idavidrein/gpqa",
    "ucinlp/drop",
    "lukaemon/bbh",
)
"""Hub names of sets that instruction-tuned models are measured on: those of the paper's evaluation, of Tülu 3 (arXiv
2411.15124, section 7) and the first Open LLM Leaderboard."""

SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"})
"""Names under which prompts are looked for in folders."""

COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz4"})
"""Suffixes that may stand behind those."""

_HUB_NAME = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)?")
_TRAIN = re.compile(r"(?:^|[^a-z])train(?:ing)?(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The prompts of one evaluation set, under the name that the user or the hub gives it."""

    name: str
    prompts: list[Prompt]


@dataclass(frozen=True, slots=True)
class _Located:
    """The files of a set. `option` names it in messages; a set nobody named (`wanted` false) may turn out empty."""

    name: str
    option: str
    root: Path
    files: list[Path]
    wanted: bool = True


def load_sets(config: DecontaminateConfig, evaluate_sets: Mapping[str, str]) -> list[EvaluationSet]:
    """The evaluation sets to stay apart from: the run's own, those named, and the default ones in the hub's cache.

    Of a folder's files, and of the hub's, those of a training split are left out where there are others.

    Raises:
        InputError: a set that was named does not exist, cannot be read, or holds no prompt.
    """
    if not config.enabled:
        return []
    loaded = []
    for located in _locate(config, evaluate_sets):
        prompts = list(_prompts(located))
        if prompts:
            loaded.append(EvaluationSet(located.name, prompts))
        elif located.wanted:
            raise _no_prompt(located)
    shown = ", ".join(f"{found.name} ({len(found.prompts)} prompts)" for found in loaded)
    log.info("decontamination against: %s", shown or "no evaluation set, since none is named or in the hub's cache")
    return loaded


def sets_digest(config: DecontaminateConfig, evaluate_sets: Mapping[str, str]) -> str:
    """Hexadecimal digits that depend on the names and files of all sets that `load_sets` would load; '' for none.

    Raises:
        InputError: as `load_sets`; of each file only the first rows are looked at.
    """
    if not config.enabled:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for located in _locate(config, evaluate_sets):
        if located.wanted and next(_prompts(located), None) is None:
            raise _no_prompt(located)
        for part in (located.name, *(piece for path in located.files for piece in _stamp(located.root, path))):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def _locate(config: DecontaminateConfig, evaluate_sets: Mapping[str, str]) -> Iterator[_Located]:
    """Yields each set once: first the run's own, then those named, then the default ones."""
    for name, value in evaluate_sets.items():
        yield _in_files(name, value, f"evaluate.sets.{name}")
    named = list(dict.fromkeys(config.against))
    for value in named:
        if _is_path(value):
            yield _in_files(value, value, OPTION)
            continue
        folder = _cached(value)
        if folder is None:
            raise InputError(
                f"{OPTION}: {value!r} is no file or folder, and no data set of that name lies in the hub's cache. "
                f"Check the path, relative to {Path.cwd()}, or fetch the set first "
                f"(hf download --repo-type dataset {value})."
            )
        yield _in_files(value, str(folder), OPTION)
    for value in DEFAULT_SETS if config.defaults else ():
        folder = None if value in named else _cached(value)
        if folder is not None and (files := _tables(_walk(folder))):
            yield _Located(value, OPTION, folder, files, wanted=False)


def _in_files(name: str, value: str, option: str) -> _Located:
    root = Path(value).expanduser()
    if root.is_file():
        return _Located(name, option, root.parent, [root])
    files = _tables(expand([value], option, SUFFIXES | COMPRESSED))
    if not files:
        raise InputError(f"{option}: {value!r} holds no table with prompts. Known are {', '.join(sorted(SUFFIXES))}.")
    return _Located(name, option, root if root.is_dir() else Path(), files)


def _walk(folder: Path) -> list[Path]:
    try:
        return expand([str(folder)], OPTION, SUFFIXES | COMPRESSED)
    except InputError:
        return []  # a cached data set without tables, such as one of images


def _tables(files: Sequence[Path]) -> list[Path]:
    """The files that hold tables by their name, without those of training splits where there are others."""
    tables = [path for path in files if _suffix(path) in SUFFIXES]
    # Only the last two parts can name a split; what stands before them is where the user keeps the folder.
    return [path for path in tables if not _TRAIN.search("/".join(path.parts[-2:]))] or tables


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSED else suffix


def _is_path(value: str) -> bool:
    return Path(value).expanduser().exists() or _HUB_NAME.fullmatch(value) is None


def _cached(name: str) -> Path | None:
    """The folder of a data set of the hub in the local cache; nothing is asked of the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, repo_type="dataset", local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def _prompts(located: _Located) -> Iterator[Prompt]:
    """Yields the prompts of all files; of several files those that cannot be read as tables are passed over."""
    several = len(located.files) > 1
    for path in located.files:
        try:
            yield from file_prompts(path, f"{_relative(located.root, path)}:" if several else "")
        except InputError as error:
            if located.wanted and not several:
                raise InputError(f"{located.option}: {error}") from error
            log.warning("decontamination: %s: a file is passed over: %s", located.name, error)


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _stamp(root: Path, path: Path) -> tuple[str, str]:
    """A file's name in its set, and a digest of its bytes."""
    try:
        with path.open("rb") as file:
            return _relative(root, path), hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Check the file.") from error


def _no_prompt(located: _Located) -> InputError:
    return InputError(
        f"{located.option}: {located.name!r} holds no prompt. Give it a column `instruction`, `prompt` or `question`."
    )
