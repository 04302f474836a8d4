"""How diverse instructions are (figure 2 of the paper): what they ask for, in which words, and about what."""

from humpback.evaluation.diversity.measure import Diversity, SetDiversity, measure_diversity
from humpback.evaluation.diversity.parsing import Asked, asked_by, load_parser
from humpback.evaluation.diversity.sets import SEED, InstructionSet, is_run, read_run, read_set
from humpback.evaluation.diversity.spread import Nearest
from humpback.evaluation.diversity.topic_map import Place, Topic, TopicMap
from humpback.evaluation.diversity.wording import ObjectCount, VerbCount

__all__ = [
    "SEED",
    "Asked",
    "Diversity",
    "InstructionSet",
    "Nearest",
    "ObjectCount",
    "Place",
    "SetDiversity",
    "Topic",
    "TopicMap",
    "VerbCount",
    "asked_by",
    "is_run",
    "load_parser",
    "measure_diversity",
    "read_run",
    "read_set",
]
