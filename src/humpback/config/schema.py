"""The one configuration tree. Field docstrings become the comments of `humpback init` and the reference page."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from humpback.config.curation import AugmentConfig, CurateConfig, RateConfig
from humpback.config.engine import ClusterConfig, EngineConfig, PromptsConfig
from humpback.config.evaluate import EvaluateConfig
from humpback.config.ingest import IngestConfig
from humpback.config.section import Paths, Section
from humpback.config.train import BACKWARD_ROOM, TrainConfig

DEFAULT_CALIBRATION = 0.15  # of the seed, where `rate.judge` is calibrated

_STORE = re.compile(r"(?!https?://)[a-z][a-z0-9+.-]*://(?!.*::).+")  # no web server, no chain


class ReportConfig(Section):
    """The HTML report."""

    examples: int = Field(default=20, ge=0)
    """Example pairs shown with their sources."""


class Config(Section):
    """Everything a run depends on."""

    model: str = "builtin"
    """Base model: `builtin` (SmolLM2-135M-Instruct), a folder with config.json and safetensors, or a hub name."""

    seed: Paths
    """Your instruction/output pairs: files, globs, or `builtin` (the pairs that come with Humpback)."""

    corpus: Paths
    """Your documents: files, folders, globs, or `packages` (descriptions of the installed Python packages)."""

    rounds: int = Field(default=2, ge=1, le=9)
    """Rounds of rating, curating and training (paper: 2)."""

    stop_when_worse: bool = False
    """After each round, compare its model with the one before on seed pairs that neither was trained on (those of
    `ingest.calibration_fraction`). If it is worse in the whole 95 % interval, keep the one before and end the loop:
    later rounds carry over what is there."""

    name: str = Field(default="humpback", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The run's folder is `<runs_dir>/<name>`."""

    runs_dir: Path = Path("runs")
    """Where run folders live."""

    store: str | None = None
    """Where a copy of the run's folder is kept while it works, `<store>/<name>`: `s3://bucket/runs` or any other
    address that fsspec can write to (docs/storage.md). Another machine with the same configuration goes on from it."""

    random_seed: int = Field(default=0, ge=0)
    """All sampling depends on this and the row's id only."""

    ingest: IngestConfig = IngestConfig()
    prompts: PromptsConfig = PromptsConfig()
    engine: EngineConfig = EngineConfig()
    cluster: ClusterConfig = ClusterConfig()
    train: TrainConfig = TrainConfig()
    augment: AugmentConfig = AugmentConfig()
    rate: RateConfig = RateConfig()
    curate: CurateConfig = CurateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _backward_rows_fit(self) -> Config:
        longest = self.train.max_tokens - BACKWARD_ROOM
        if self.prompts.max_text_tokens > longest:
            raise ValueError(
                f"prompts.max_text_tokens ({self.prompts.max_text_tokens}) leaves no room for the question and the "
                f"instruction in train.max_tokens ({self.train.max_tokens}): set it to at most {longest}"
            )
        return self

    @model_validator(mode="after")
    def _machines_are_found(self) -> Config:
        if self.train.processes % self.train.machines:
            raise ValueError(
                f"train.machines: {self.train.machines} does not divide train.processes ({self.train.processes}), "
                "which is the number on all machines together"
            )
        if self.train.machines > 1 and self.cluster.address is None:
            raise ValueError("train.machines: more than one needs a cluster: set cluster.address, or run with --ray")
        return self

    @field_validator("store")
    @classmethod
    def _store_can_be_written(cls, store: str | None) -> str | None:
        if store is not None and not _STORE.fullmatch(store):
            raise ValueError("must be an address that can be written to, e.g. s3://bucket/runs, gs://bucket/runs")
        return store

    @model_validator(mode="after")
    def _calibrated_or_not(self) -> Config:
        if self.ingest.calibration_fraction is not None and not self.calibration_fraction:
            raise ValueError(
                "ingest.calibration_fraction is for rate.judge: calibrated and stop_when_worse: set one of them too, "
                "or this to null"
            )
        if self.rate.judge == "calibrated":
            if self.rate.method == "written" or self.rate.fallback:
                raise ValueError(
                    "rate.method: written and rate.fallback are ways to ask for the rubric's score: set "
                    "rate.judge: rubric too, or leave them out"
                )
            return self
        if self.curate.target_precision is not None:
            raise ValueError("curate.target_precision needs the probabilities that rate.judge: calibrated gives")
        return self

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Config:
        from humpback.config.secrets import secrets_in

        found = "; ".join(f"{key} holds {what}" for key, what in secrets_in(self.model_dump()))
        if found:
            raise ValueError(
                f"{found}: logs, the report and the source of every row would show it; leave it to the environment or "
                "the settings of the file system (~/.config/fsspec), or download the files first"
            )
        return self

    @property
    def calibration_fraction(self) -> float:
        """Share of the seed set aside to fit the calibrated judge and to compare rounds; 0 where neither is done."""
        if self.rate.judge == "rubric" and not self.stop_when_worse:
            return 0.0
        return self.ingest.calibration_fraction or DEFAULT_CALIBRATION

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.runs_dir / self.name

    @property
    def copy_url(self) -> str | None:
        """Where the copy of the run's folder is kept; None keeps none."""
        return None if self.store is None else f"{self.store.rstrip('/')}/{self.name}"
