"""Steps in order: what a run consists of, what of it is stale, and running that."""

from humpback.pipeline.explain import Explanation, explain
from humpback.pipeline.plan import Plan, StepPlan, make_plan
from humpback.pipeline.preflight import preflight
from humpback.pipeline.run import RunResult, run_pipeline
from humpback.pipeline.state import StepState, run_state
from humpback.pipeline.steps import STAGES, Step, pipeline_steps

__all__ = [
    "STAGES",
    "Explanation",
    "Plan",
    "RunResult",
    "Step",
    "StepPlan",
    "StepState",
    "explain",
    "make_plan",
    "pipeline_steps",
    "preflight",
    "run_pipeline",
    "run_state",
]
