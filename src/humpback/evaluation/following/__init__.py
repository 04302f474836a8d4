"""Whether answers follow instructions that a program can check (IFEval, Zhou et al. 2023, arXiv 2311.07911)."""

from humpback.evaluation.following.prompts import FollowingPrompt, Instruction, read_following_prompts
from humpback.evaluation.following.responses import match_responses
from humpback.evaluation.following.score import Following, measure_following

__all__ = [
    "Following",
    "FollowingPrompt",
    "Instruction",
    "match_responses",
    "measure_following",
    "read_following_prompts",
]
