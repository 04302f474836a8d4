"""Steps in order: what a run consists of, what of it is stale, and running that."""

from humpback.pipeline.explain import Explanation, explain
from humpback.pipeline.outlook import Outlook, StepOutlook, plan_at
from humpback.pipeline.plan import Plan, StepPlan, make_plan
from humpback.pipeline.preflight import preflight
from humpback.pipeline.rate_pairs import RatedPairs, rate_pairs
from humpback.pipeline.run import RunResult, run_pipeline
from humpback.pipeline.state import StepState, run_state
from humpback.pipeline.steps import STAGES, Step, pipeline_steps

__all__ = [
    "STAGES",
    "Explanation",
    "Outlook",
    "Plan",
    "RatedPairs",
    "RunResult",
    "Step",
    "StepOutlook",
    "StepPlan",
    "StepState",
    "explain",
    "make_plan",
    "pipeline_steps",
    "plan_at",
    "preflight",
    "rate_pairs",
    "run_pipeline",
    "run_state",
]
