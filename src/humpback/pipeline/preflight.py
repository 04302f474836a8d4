"""Everything that can be known to be wrong before anything is run: inputs, model, prompts, disk, folder."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from humpback.cluster import require_ray
from humpback.config import Config
from humpback.corpus import RawDocument, read_documents, require_reader
from humpback.curation.labels import read_labels
from humpback.engines.vllm.library import require_vllm
from humpback.errors import ConfigError, HumpbackError, InputError, ModelError, WorkspaceError
from humpback.evaluation.benchmarking import configured_plan
from humpback.evaluation.following import read_following_prompts
from humpback.evaluation.harness.task_files import harness_tasks
from humpback.evaluation.prompt_sets import read_prompt_sets
from humpback.models import BUILTIN, inspect_model, model_folder
from humpback.models.builtin import builtin_gguf
from humpback.prompts.contract import load_templates
from humpback.seed import read_seed
from humpback.stages.ingest import MIN_SEED_PAIRS, split_seed
from humpback.workspace import RunFolder, cache_folder
from humpback.workspace.store import StoreFiles, check_store

BUILTIN_BYTES = 540_000_000  # float32 safetensors of the built-in model
DOCUMENTS_LOOKED_AT = 20
_SPARE_BYTES = 200_000_000  # shards, report and logs of a run of ordinary size


def preflight(config: Config) -> list[HumpbackError]:
    """Every problem that can be found without running anything; none means that the run can start."""
    problems: list[HumpbackError] = []
    inputs = (_seed, _corpus, _evaluation_sets, _diversity, _answers, _benchmarks, _labels, _prompts)
    for look in (*inputs, _folder, _store, _engine, _cluster, _model, _disk):
        try:
            look(config)
        except HumpbackError as error:
            if str(error) not in map(str, problems):  # the model is looked at for itself and for its size
                problems.append(error)
    return problems


def _seed(config: Config) -> None:
    seed = read_seed(config.seed, config.ingest)
    if len(seed.examples) < MIN_SEED_PAIRS:
        raise InputError(
            f"seed: {', '.join(config.seed)}: {len(seed.examples)} usable pairs ({len(seed.dropped)} set aside); at "
            f"least {MIN_SEED_PAIRS} are needed, a few hundred make a good seed"
        )
    split_seed(seed.examples[: config.ingest.seed_limit], config)  # says so where too few are set aside


def _corpus(config: Config) -> None:
    documents = list(itertools.islice(read_documents(config.corpus, config.ingest), DOCUMENTS_LOOKED_AT))
    if not documents:
        raise InputError(f"corpus: {', '.join(config.corpus)}: holds no document; name files, a folder or a glob")
    for document in documents:
        if isinstance(document, RawDocument):
            require_reader(document)


def _evaluation_sets(config: Config) -> None:
    for name, file in config.evaluate.sets.items():
        try:
            pairs = read_seed([file], config.ingest.model_copy(update={"seed_format": "auto"})).examples
        except InputError as error:
            raise InputError(f"evaluate.sets.{name}: {error}") from None
        if not pairs:
            raise InputError(f"evaluate.sets.{name}: {file}: holds no usable pair")


def _diversity(config: Config) -> None:
    if config.evaluate.diversity:
        from humpback.evaluation.diversity import load_parser  # imports spaCy

        load_parser()


def _answers(config: Config) -> None:
    chosen = config.evaluate.answers
    option = "prompts"
    try:
        read_prompt_sets(chosen.prompt_sets)
        option = "following"
        if chosen.following is not None:
            read_following_prompts(chosen.following)
        option = "judge"
        if chosen.judge is not None and config.engine.kind != "scripted":
            model_folder(chosen.judge)
    except HumpbackError as error:
        raise ConfigError([f"evaluate.answers.{option}: {error}"]) from None


def _benchmarks(config: Config) -> None:
    if configured_plan(config.evaluate.benchmarks).sources:
        harness_tasks()


def _labels(config: Config) -> None:
    if config.curate.labels is not None:
        read_labels(config.curate.labels)


def _prompts(config: Config) -> None:
    load_templates(config.prompts)
    template = config.prompts.chat_template
    if template is not None and not template.is_file():
        raise ConfigError([f"prompts.chat_template: {template}: no such file"])


def _folder(config: Config) -> None:
    RunFolder(config.folder).check_version()
    existing = next(path for path in (config.folder, *config.folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise WorkspaceError(f"runs_dir: {existing}: is a file; choose another folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise WorkspaceError(
            f"runs_dir: {existing}: cannot be written; choose another `runs_dir`, or change its rights"
        )


def _store(config: Config) -> None:
    if config.copy_url is not None:
        check_store(StoreFiles(config.copy_url))


def _engine(config: Config) -> None:
    if config.engine.kind == "vllm":
        require_vllm()
    if config.engine.kind == "http":
        from humpback.engines.http.setup import check_settings  # imports the HTTP client

        check_settings(config.engine.http)


def _cluster(config: Config) -> None:
    if config.cluster.address is None:
        return
    require_ray()
    if config.engine.kind == "http" and config.engine.http.start is not None:
        raise ConfigError(
            [
                "engine.http.start: would start a server in every worker; start the servers yourself and "
                "set it to null, or use engine.kind: vllm"
            ]
        )


def _model(config: Config) -> None:
    if config.engine.kind == "scripted":
        return
    if config.model == BUILTIN:
        builtin_gguf()
        return
    context = inspect_model(model_folder(config.model)).context
    if context is not None and context < config.train.max_tokens:
        raise ModelError(
            f"train.max_tokens: {config.train.max_tokens} is longer than the context of {config.model}, which is "
            f"{context} tokens; set it to that or less"
        )


def _disk(config: Config) -> None:
    if config.engine.kind == "scripted":
        return
    needed = _SPARE_BYTES + model_bytes(config) * _models_missing(config)
    _require_space(config.folder, needed, "the run's models")
    if config.model == BUILTIN and not any(cache_folder().glob("models/*/config.json")):
        _require_space(cache_folder(), BUILTIN_BYTES, "the built-in model")


def model_bytes(config: Config) -> int:
    """Size of one model folder, in bytes: a tuned model is saved in the type that its base is stored in."""
    if config.model == BUILTIN:
        return BUILTIN_BYTES
    return inspect_model(model_folder(config.model)).bytes


def _models_missing(config: Config) -> int:
    names = ["backward", *(f"m{number}" for number in range(config.rounds + 1))]
    return sum(not (config.folder / "models" / name / "stage.json").exists() for name in names)


def _require_space(folder: Path, needed: int, purpose: str) -> None:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise WorkspaceError(
            f"{folder}: {purpose} need about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; free some space or "
            "choose another `runs_dir`"
        )
