"""Steps in order: what a run consists of, what of it is stale, and running that."""

from humpback.pipeline.explain import Explanation, explain
from humpback.pipeline.plan import Plan, StepPlan, make_plan
from humpback.pipeline.preflight import preflight
from humpback.pipeline.rate_pairs import RatedPairs, rate_pairs
from humpback.pipeline.run import RunResult, run_pipeline
from humpback.pipeline.state import StepState, run_state
from humpback.pipeline.steps import STAGES, Step, pipeline_steps

__all__ = [
    "STAGES",
    "Explanation",
    "Plan",
    "RatedPairs",
    "RunResult",
    "Step",
    "StepPlan",
    "StepState",
    "explain",
    "make_plan",
    "pipeline_steps",
    "preflight",
    "rate_pairs",
    "run_pipeline",
    "run_state",
]
