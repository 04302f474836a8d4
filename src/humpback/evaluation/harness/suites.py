"""The benchmarks of the paper's tables 5, 6 and 10, and where the harness defines each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Metric = Literal["acc", "acc_norm", "pct_stereotype"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark.

    `table` is the paper's; `definition` the harness's own task file, `{}` standing for a part; `parts` are the tasks
    of which it consists, MMLU's subjects or CrowS-Pairs' categories, none for others; `patterns` tell the files in
    which it comes, the better first.
    """

    name: str
    label: str
    table: int
    definition: str
    metrics: tuple[Metric, ...]
    patterns: tuple[str, ...]
    parts: tuple[str, ...] = ()

    @property
    def tasks(self) -> list[tuple[str, str]]:
        """Names of the harness's tasks with the part that each is, empty where there are none."""
        return [(f"{self.name}_{part}", part) for part in self.parts] or [(self.name, "")]


DOMAINS: dict[str, tuple[str, ...]] = {
    "humanities": (
        "formal_logic",
        "high_school_european_history",
        "high_school_us_history",
        "high_school_world_history",
        "international_law",
        "jurisprudence",
        "logical_fallacies",
        "moral_disputes",
        "moral_scenarios",
        "philosophy",
        "prehistory",
        "professional_law",
        "world_religions",
    ),
    "STEM": (
        "abstract_algebra",
        "anatomy",
        "astronomy",
        "college_biology",
        "college_chemistry",
        "college_computer_science",
        "college_mathematics",
        "college_physics",
        "computer_security",
        "conceptual_physics",
        "electrical_engineering",
        "elementary_mathematics",
        "high_school_biology",
        "high_school_chemistry",
        "high_school_computer_science",
        "high_school_mathematics",
        "high_school_physics",
        "high_school_statistics",
        "machine_learning",
    ),
    "social sciences": (
        "econometrics",
        "high_school_geography",
        "high_school_government_and_politics",
        "high_school_macroeconomics",
        "high_school_microeconomics",
        "high_school_psychology",
        "human_sexuality",
        "professional_psychology",
        "public_relations",
        "security_studies",
        "sociology",
        "us_foreign_policy",
    ),
    "other": (
        "business_ethics",
        "clinical_knowledge",
        "college_medicine",
        "global_facts",
        "human_aging",
        "management",
        "marketing",
        "medical_genetics",
        "miscellaneous",
        "nutrition",
        "professional_accounting",
        "professional_medicine",
        "virology",
    ),
}
"""MMLU's subjects by domain, as the harness groups them."""

CATEGORIES = (
    "gender",
    "religion",
    "race_color",
    "sexual_orientation",
    "age",
    "nationality",
    "disability",
    "physical_appearance",
    "socioeconomic",
)
"""CrowS-Pairs' categories of bias (Nangia et al. 2020, arXiv 2010.00133), as the harness names its tasks."""

_BOTH: tuple[Metric, ...] = ("acc", "acc_norm")

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            "siqa",
            "SIQA",
            5,
            "siqa/siqa.yaml",
            ("acc",),
            ("siqa*.jsonl", "social_i*qa/**/validation/*.arrow", "social_i*qa_test.json"),
        ),
        Benchmark(
            "piqa",
            "PIQA",
            5,
            "piqa/piqa.yaml",
            _BOTH,
            ("piqa_valid.jsonl", "piqa*.jsonl", "piqa/**/validation/*.arrow", "piqa_test.json"),
        ),
        Benchmark(
            "arc_easy",
            "ARC-E",
            5,
            "arc/arc_easy.yaml",
            _BOTH,
            ("ARC-Easy*.jsonl", "ARC-Easy_test.json", "ARC-Easy/**/test/*.arrow", "ARC-Easy/**/validation/*.arrow"),
        ),
        Benchmark(
            "arc_challenge",
            "ARC-C",
            5,
            "arc/arc_challenge.yaml",
            _BOTH,
            (
                "ARC-Challenge*.jsonl",
                "ARC-Challenge_test.json",
                "ARC-Challenge/**/test/*.arrow",
                "ARC-Challenge/**/validation/*.arrow",
            ),
        ),
        Benchmark(
            "openbookqa",
            "OBQA",
            5,
            "openbookqa/openbookqa.yaml",
            _BOTH,
            (
                "openbookqa*.jsonl",
                "openbookqa_test.json",
                "openbookqa/**/test/*.arrow",
                "openbookqa/**/validation/*.arrow",
            ),
        ),
        Benchmark(
            "mmlu",
            "MMLU",
            6,
            "mmlu/default/mmlu_{}.yaml",
            ("acc",),
            ("mmlu.tar.gz", "mmlu*/**/test/*_test.csv", "mmlu*/**/test/*.arrow"),
            tuple(subject for subjects in DOMAINS.values() for subject in subjects),
        ),
        Benchmark(
            "crows_pairs",
            "CrowS-Pairs",
            10,
            "crows_pairs/crows_pairs_english_{}.yaml",
            ("pct_stereotype",),
            ("crows_pairs*.csv",),
            CATEGORIES,
        ),
    )
}
