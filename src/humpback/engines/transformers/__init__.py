"""The default engine: transformers in this process, on a CPU, a GPU or Apple's chips."""

from humpback.engines.transformers.engine import TransformersEngine

__all__ = ["TransformersEngine"]
