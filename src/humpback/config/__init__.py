"""The configuration: one frozen tree, read from YAML with dotted overrides."""

from humpback.config.curation import AugmentConfig, CurateConfig, LintConfig, RateConfig
from humpback.config.engine import ClusterConfig, EngineConfig, HttpConfig, PromptsConfig, VllmConfig
from humpback.config.evaluate import AnswersConfig, BenchmarksConfig, EvaluateConfig
from humpback.config.ingest import (
    DecontaminateConfig,
    IngestConfig,
    LimitsConfig,
    NearDuplicateConfig,
    PersonalDataConfig,
    QualityConfig,
)
from humpback.config.load import config_as_yaml, load_config, parse_config
from humpback.config.schema import Config, ReportConfig
from humpback.config.template import config_template
from humpback.config.train import LoraConfig, TrainConfig

__all__ = [
    "AnswersConfig",
    "AugmentConfig",
    "BenchmarksConfig",
    "ClusterConfig",
    "Config",
    "CurateConfig",
    "DecontaminateConfig",
    "EngineConfig",
    "EvaluateConfig",
    "HttpConfig",
    "IngestConfig",
    "LimitsConfig",
    "LintConfig",
    "LoraConfig",
    "NearDuplicateConfig",
    "PersonalDataConfig",
    "PromptsConfig",
    "QualityConfig",
    "RateConfig",
    "ReportConfig",
    "TrainConfig",
    "VllmConfig",
    "config_as_yaml",
    "config_template",
    "load_config",
    "parse_config",
]
