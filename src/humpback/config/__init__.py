"""The configuration: one frozen tree, read from YAML with dotted overrides."""

from humpback.config.load import config_as_yaml, load_config, parse_config
from humpback.config.schema import (
    AugmentConfig,
    Config,
    CurateConfig,
    DecontaminateConfig,
    EngineConfig,
    EvaluateConfig,
    IngestConfig,
    LimitsConfig,
    LoraConfig,
    NearDuplicateConfig,
    PersonalDataConfig,
    PromptsConfig,
    QualityConfig,
    RateConfig,
    ReportConfig,
    TrainConfig,
)
from humpback.config.template import config_template

__all__ = [
    "AugmentConfig",
    "Config",
    "CurateConfig",
    "DecontaminateConfig",
    "EngineConfig",
    "EvaluateConfig",
    "IngestConfig",
    "LimitsConfig",
    "LoraConfig",
    "NearDuplicateConfig",
    "PersonalDataConfig",
    "PromptsConfig",
    "QualityConfig",
    "RateConfig",
    "ReportConfig",
    "TrainConfig",
    "config_as_yaml",
    "config_template",
    "load_config",
    "parse_config",
]
