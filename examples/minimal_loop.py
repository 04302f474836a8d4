"""The whole method, flat: segments, backward model, candidates, seed model, ratings, curated set, M_1, M_2.

    python examples/minimal_loop.py --model MODEL_FOLDER --seed SEED.jsonl --segments SEGMENTS.jsonl --steps 30

`--seed` holds `instruction` and `output`, `--segments` holds `text`. This is for reading: no shards, no resume, no
filters, no report. The same, with all of these, is `humpback run`; its stages are in src/humpback/stages.
Source of the method: Li et al. 2023, "Self-Alignment with Instruction Backtranslation", arXiv 2308.06259.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from humpback.config import PromptsConfig
from humpback.prompts import SCORES, ChatFormat, Pair, PromptContract, TokenRow, expected_score, tokenise_pair

MAX_TOKENS = 384
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def train(base: Path, tokenizer: Any, pairs: Sequence[Pair], steps: int, rate: float) -> Any:
    """A copy of the base model tuned on `pairs`: loss on the completion's tokens only, 8 rows a step."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).train()
    tokenised = [tokenise_pair(tokenizer, pair, MAX_TOKENS) for pair in pairs]
    rows = [row for row in tokenised if row is not None]
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.1)  # section 3.1
    order = random.Random(0)  # noqa: S311 - shuffling, no secret
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - 0.1 * step / steps)  # 1e-5 to 9e-6 in the paper
        batch = order.sample(rows, min(8, len(rows)))
        loss = model(**padded(batch, tokenizer.pad_token_id)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        print(f"  step {step + 1}/{steps}  loss {loss.item():.3f}")
    return model.eval()


def padded(rows: Sequence[TokenRow], pad: int) -> dict[str, torch.Tensor]:
    """A batch as tensors of shape (batch, seq), padded on the right."""
    width = max(len(row.input_ids) for row in rows)
    ids = [row.input_ids + [pad] * (width - len(row.input_ids)) for row in rows]
    labels = [row.labels + [-100] * (width - len(row.labels)) for row in rows]
    mask = [[1] * len(row.input_ids) + [0] * (width - len(row.input_ids)) for row in rows]
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "attention_mask": torch.tensor(mask),
    }


@torch.inference_mode()  # type: ignore[untyped-decorator]
def write_instruction(model: Any, tokenizer: Any, prompts: PromptContract, text: str) -> str:
    """The instruction that the backward model samples for `text` (T 0.7, p 0.9: section 3.1)."""
    ids = tokenizer(prompts.backward(text), add_special_tokens=False, return_tensors="pt")
    end = tokenizer.convert_tokens_to_ids(prompts.chat.end)
    out = model.generate(
        **ids,
        do_sample=True,
        temperature=0.7,
        top_p=0.9,
        max_new_tokens=64,
        eos_token_id=end,
        pad_token_id=tokenizer.pad_token_id,
    )
    answer = tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
    return str(answer).strip()


@torch.inference_mode()  # type: ignore[untyped-decorator]
def rate(model: Any, tokenizer: Any, prompts: PromptContract, pair: Row) -> float | None:
    """The expected score, 1 to 5, from the probabilities of the five digits after `Score:`; None if it has none."""
    prompt = prompts.rating(pair["instruction"], pair["output"])
    logprobs = []
    for score in SCORES:
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        continuation = tokenizer(score, add_special_tokens=False)["input_ids"]
        logits = model(torch.tensor([ids + continuation])).logits[0, len(ids) - 1 : -1]  # (continuation, vocabulary)
        chosen = torch.log_softmax(logits.float(), dim=-1).gather(1, torch.tensor(continuation)[:, None])
        logprobs.append(chosen.sum().item())
    return expected_score(logprobs)[0]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the loop and writes curated.jsonl and the models into `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--seed", type=Path, required=True)
    parser.add_argument("--segments", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("minimal"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--keep", type=float, default=0.4, help="share of the candidates that a round keeps")
    options = parser.parse_args(argv)

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    prompts = PromptContract(ChatFormat.of(tokenizer), PromptsConfig())
    tags = prompts.config
    seed, segments = read(options.seed), [row["text"] for row in read(options.segments)]
    seed_pairs = [prompts.forward_pair(row["instruction"], row["output"], tags.seed_tag) for row in seed]

    print("backward model: which instruction does this output answer?")
    turned = [prompts.backward_pair(row["instruction"], row["output"]) for row in seed]
    backward = train(options.model, tokenizer, turned, options.steps, options.rate)

    print("candidates")
    torch.manual_seed(0)
    written = [(write_instruction(backward, tokenizer, prompts, text), text) for text in segments]
    candidates = [{"instruction": instruction, "output": text} for instruction, text in written if instruction]

    print("M_0: the seed alone")
    model = train(options.model, tokenizer, seed_pairs, options.steps, options.rate)

    curated: list[Row] = []
    for number in range(1, options.rounds + 1):
        scores = [(rate(model, tokenizer, prompts, pair), pair) for pair in candidates]
        rated = [(score, pair) for score, pair in scores if score is not None]
        rated.sort(key=lambda item: -item[0])
        curated = [pair for _, pair in rated[: max(1, round(options.keep * len(rated)))]]
        print(f"M_{number}: the seed and {len(curated)} curated pairs, from the base model again")
        augmented = [prompts.forward_pair(row["instruction"], row["output"], tags.web_tag) for row in curated]
        model = train(options.model, tokenizer, [*seed_pairs, *augmented], options.steps, options.rate)

    options.out.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in curated)
    (options.out / "curated.jsonl").write_text(lines, encoding="utf-8")
    model.save_pretrained(options.out / "model")
    tokenizer.save_pretrained(options.out / "model")
    print(f"{options.out / 'curated.jsonl'} and {options.out / 'model'} written")


if __name__ == "__main__":
    main()
