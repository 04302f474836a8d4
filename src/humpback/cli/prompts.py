"""`humpback prompts show`: what models are trained on and asked, token by token."""

from __future__ import annotations

from rich.text import Text

from humpback.cli.console import console
from humpback.cli.printable import printable
from humpback.config import Config
from humpback.engines import chat_format
from humpback.errors import InputError
from humpback.models import load_tokenizer, model_folder
from humpback.prompts import SCORES, Pair, PromptContract, cut_text, tokenise_pair
from humpback.prompts.tokens import IGNORED
from humpback.seed import read_seed

TRAINED = "bold green"


def show_prompts(config: Config) -> None:
    """Prints each prompt of the contract for the first seed pair; the trained tokens are green and underlined."""
    examples = read_seed(config.seed, config.ingest).examples
    if not examples:
        raise InputError(f"seed: {', '.join(config.seed)}: holds no usable pair")
    example = examples[0]
    base = None if config.engine.kind == "scripted" else model_folder(config.model)
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    tokenizer = None if base is None else load_tokenizer(base)
    tags = config.prompts
    output = example.output
    if tokenizer is not None:
        output = cut_text(tokenizer, output, config.prompts.max_text_tokens)
    pairs = {
        "backward model: trained on": prompts.backward_pair(example.instruction, output),
        "forward model: trained on, seed": prompts.forward_pair(example.instruction, example.output, tags.seed_tag),
        "forward model: trained on, augmented": prompts.forward_pair(example.instruction, example.output, tags.web_tag),
    }
    console.print(f"contract {prompts.digest}; trained tokens stand in ⟦ ⟧, one after another", style="dim")
    for title, pair in pairs.items():
        console.rule(title, align="left")
        console.print(_marked(pair, tokenizer, config.train.max_tokens), soft_wrap=True)
    console.rule("forward model: asked", align="left")
    console.print(Text(printable(prompts.forward(example.instruction, prompts.inference_tag))), soft_wrap=True)
    console.rule(f"rating: asked; the answers weighed are {', '.join(map(repr, SCORES))}", align="left")
    console.print(Text(printable(prompts.rating(example.instruction, example.output))), soft_wrap=True)
    console.rule("written judgement: asked", align="left")
    console.print(Text(printable(prompts.judgement(example.instruction, example.output))), soft_wrap=True)


def _marked(pair: Pair, tokenizer: object | None, max_tokens: int) -> Text:
    text = Text()
    if tokenizer is None:
        return text.append(printable(pair.prompt)).append(f"⟦{printable(pair.completion)}⟧", style=TRAINED)
    row = tokenise_pair(tokenizer, pair, max_tokens)
    if row is None:
        return text.append("the prompt alone is longer than train.max_tokens; this pair is left out")
    shown = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label == IGNORED]
    text.append(printable(tokenizer.decode(shown)))  # type: ignore[attr-defined]
    for token, label in zip(row.input_ids, row.labels, strict=True):
        if label != IGNORED:
            text.append(f"⟦{printable(tokenizer.decode([token]))}⟧", style=TRAINED)  # type: ignore[attr-defined]
    if row.is_cut:
        text.append(f"\n(cut at train.max_tokens: {max_tokens})", style="dim")
    return text
