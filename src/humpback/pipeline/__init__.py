"""Steps in order: what a run consists of, what of it is stale, and running that."""

from humpback.pipeline.preflight import preflight
from humpback.pipeline.run import RunResult, run_pipeline
from humpback.pipeline.state import StepState, run_state
from humpback.pipeline.steps import STAGES, Step, pipeline_steps

__all__ = [
    "STAGES",
    "RunResult",
    "Step",
    "StepState",
    "pipeline_steps",
    "preflight",
    "run_pipeline",
    "run_state",
]
