"""What is measured at the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from humpback.config.section import Section


class AnswersConfig(Section):
    """What M_0 and the last model are asked at the end of a run; nothing unless something is named here."""

    prompts: dict[str, str] = Field(default_factory=dict)
    """Sets of prompts, as `name: file`, of the kinds that `humpback evaluate generate` takes."""

    judge: str | None = None
    """The model that compares both models' answers to `prompts`, in both orders: a win rate. As `model` above."""

    following: Path | None = None
    """IFEval's input_data.jsonl or a file of its form: instructions whose following a program can check."""

    sensitive: bool = False
    """Ask sensitive prompts under S_a, S_w and both, and count what is declined."""

    max_prompts: int = Field(default=100, ge=1)
    """At most so many of `prompts`, and of `following`, chosen by the run's random seed."""

    max_new_tokens: int = Field(default=256, ge=1)
    """Longest answer."""

    @model_validator(mode="after")
    def _judge_has_answers(self) -> AnswersConfig:
        if self.judge is not None and not self.prompts:
            raise ValueError("judge compares answers to prompts: name some in prompts, or set judge to null")
        return self

    @property
    def prompt_sets(self) -> list[str]:
        """The sets as `name=file`."""
        return [f"{name}={file}" for name, file in self.prompts.items()]

    @property
    def is_wanted(self) -> bool:
        """Whether anything is asked."""
        return bool(self.prompts) or self.following is not None or self.sensitive


BenchmarkName = Literal["siqa", "piqa", "arc_easy", "arc_challenge", "openbookqa", "mmlu", "crows_pairs"]


class BenchmarksConfig(Section):
    """The paper's benchmarks (tables 5, 6 and 10) for the base model, M_0 and the last model, if `data` is named."""

    data: Path | None = None
    """The folder that holds the benchmarks' files, at any depth; files as for `humpback evaluate benchmarks`."""

    tasks: list[BenchmarkName] | None = Field(default=None, min_length=1)
    """Null: all that the folder holds. IFEval is `evaluate.answers.following`."""

    limit: int | None = Field(default=None, ge=1)
    """Only the first so many rows of each task, of which MMLU has one a subject; null takes all."""

    mmlu_shots: int = Field(default=0, ge=0, le=5)
    """Solved questions before each of MMLU's (paper: zero-shot)."""

    @model_validator(mode="after")
    def _has_data(self) -> BenchmarksConfig:
        if self.data is None and (self.tasks or self.limit or self.mmlu_shots):
            raise ValueError("data is missing: name the folder that holds the benchmarks' files")
        return self


class EvaluateConfig(Section):
    """Held-out loss of every model on the seed's held-out pairs."""

    sets: dict[str, str] = Field(default_factory=dict)
    """More pairs to measure on, as `name: file`, in any of the seed's formats."""

    max_pairs: int = Field(default=200, ge=1)
    """At most so many pairs of each set, chosen by the run's random seed."""

    engine: Literal["same", "transformers"] = "same"
    """`same` as `engine.kind`; `transformers` where that engine cannot give the log-probabilities of a given text."""

    diversity: bool = False
    """Measure what the instructions of the seed and of the last curated set ask for and how variously (figure 2);
    English, with a parser: `pip install "humpback[diversity]"`."""

    answers: AnswersConfig = AnswersConfig()
    """Answers that M_0 and the last model write, and what is measured on them."""

    benchmarks: BenchmarksConfig = BenchmarksConfig()
    """Accuracy and bias on public benchmarks, through lm-evaluation-harness: `pip install "humpback[benchmarks]"`."""

    bootstrap_samples: int = Field(default=2000, ge=100)
    """Resamples behind each 95 % interval (ours: its ends move by about 2 % of its width)."""

    @property
    def measured_on(self) -> dict[str, str]:
        """All files that models are measured on, by name: nothing of them may be trained on."""
        following = {} if self.answers.following is None else {"following": str(self.answers.following)}
        return following | self.answers.prompts | self.sets
