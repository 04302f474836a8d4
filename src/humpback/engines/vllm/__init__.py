"""The engine for many rows: vLLM, in processes of its own on this machine."""

from humpback.engines.vllm.engine import VllmEngine

__all__ = ["VllmEngine"]
