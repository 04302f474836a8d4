"""Fixtures of the whole suite: a model with random weights, inputs for runs of a few seconds, an S3 server."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from texts import WORDS, prose, sentence, write_pairs

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the models here are too small to share out
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
# A suite that a shell started in the background ignores interrupts, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@pytest.fixture(scope="session", autouse=True)
def no_flushes() -> Iterator[None]:
    """Files are not flushed to the disk one by one: the machine stays up while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@dataclass(frozen=True)
class SmallInputs:
    """Where the small inputs stand."""

    folder: Path
    seed: Path
    corpus: Path
    config: Path


def markdown_document(number: int) -> str:
    """A document of about 3,900 characters: too long to be one segment, with three sections that are one each."""
    generator = random.Random(number)
    sections = [
        f"## {WORDS[3 * number + part].capitalize()} and {WORDS[-1 - part]}\n\n{prose(generator, 1100)}\n"
        for part in range(3)
    ]
    return f"# On {WORDS[number]} number {number}\n\n" + "\n".join(sections)


def write_inputs(folder: Path) -> SmallInputs:
    corpus = folder / "documents"
    corpus.mkdir(parents=True)
    for number in range(8):
        (corpus / f"document-{number}.md").write_text(markdown_document(number), encoding="utf-8")
    seed = write_pairs(folder / "seed.jsonl", 24)
    config = folder / "humpback.yaml"
    config.write_text(
        f"model: {folder / 'no-model'}\n"
        f"seed: {seed}\n"
        f"corpus: {corpus}\n"
        "rounds: 2\n"
        "name: small\n"
        f"runs_dir: {folder / 'runs'}\n"
        "engine:\n"
        "  kind: scripted\n"
        "  rows_per_shard: 4\n"
        "ingest:\n"
        "  documents_per_shard: 2\n"
        "rate:\n"
        "  judge: rubric\n",
        encoding="utf-8",
    )
    return SmallInputs(folder, seed, corpus, config)


@pytest.fixture
def small_inputs(tmp_path: Path) -> SmallInputs:
    """24 seed pairs, 8 documents with 24 segments, and a configuration with the scripted engine."""
    return write_inputs(tmp_path / "inputs")


@pytest.fixture(scope="session")
def write_inputs_to() -> Callable[[Path], SmallInputs]:
    """Writes the same into any folder."""
    return write_inputs


def tiny_tokenizer(chat_template: str | None):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    generator = random.Random(0)
    texts = [f"{sentence(generator)} Score: {1 + n % 5}" for n in range(200)]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", bos_token="<|im_start|>")
    tokenizer.chat_template = chat_template
    return tokenizer


def save_tiny_model(folder: Path, chat_template: str | None) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(chat_template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Llama with random weights (60,000 parameters), a byte-level tokenizer and a ChatML template."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny", CHATML)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without a chat template, as base models are."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny-base", None)


@pytest.fixture(scope="session")
def s3_server():
    """The endpoint of an S3 server in this process."""
    pytest.importorskip("s3fs", reason='s3:// needs `pip install "humpback[remote]"`')
    moto = pytest.importorskip("moto.server", reason='the S3 server of these tests needs `pip install "moto[server]"`')
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path_factory):
    """A client of the server, emptied, which the environment names as the user's own."""
    import boto3
    import s3fs

    from humpback.inputs import retries

    empty = tmp_path_factory.mktemp("aws")
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(empty / "credentials"),
        "AWS_CONFIG_FILE": str(empty / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.02, 0.03))
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    for bucket in client.list_buckets()["Buckets"]:
        for one in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            client.delete_object(Bucket=bucket["Name"], Key=one["Key"])
        client.delete_bucket(Bucket=bucket["Name"])
    client.create_bucket(Bucket="mine")
    yield client
    s3fs.S3FileSystem.clear_instance_cache()
