"""The engine behind an OpenAI-compatible server: vLLM, llama.cpp and others."""

from humpback.engines.http.engine import HttpEngine

__all__ = ["HttpEngine"]
