"""The dataset card: what is in the dataset, how it came to be, and what it is not, in the form that the hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from humpback.config import Config
from humpback.product.base_model import base_name
from humpback.product.citation import CITATION, PAPER
from humpback.product.contents import NOT_STATED, Contents, contents_of
from humpback.product.features import card_features
from humpback.product.licences import licence_of
from humpback.product.markdown import counts_table, front_matter, plain, table
from humpback.product.method import decontamination, filters, method
from humpback.product.rows import JSONL_FILE, PARQUET_FILE, dataset_schema
from humpback.report.numbers import Lengths, lengths
from humpback.workspace import RunFolder

DATASET = "dataset"
# The hub's names of sizes, each with the number of rows below which it applies.
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
_LARGEST = "1B<n<10B"
_ROWS = f"""`{PARQUET_FILE}` and `{JSONL_FILE}` hold the same rows:

| column | |
| --- | --- |
| `instruction`, `output` | the pair |
| `messages` | the same as a conversation, without a system message |
| `source` | where the answer stands: address, record, character span, licence, time of fetching, SHA-256 of the span |
| `headers` | the headers above it in its document, from the title down |
| `rating`, `ratings` | the rating that kept the row, and those of every round, from 1 to 5 |
| `p_good` | the judge's probability that the pair is good, where it gives one |
| `round` | the round that kept the row |
| `original` | the document's text where a model wrote `output` from it, else null |"""


def dataset_card(run: RunFolder, config: Config) -> str:
    """The card of the run's dataset, whose files must be there: YAML metadata and Markdown."""
    found = contents_of(run.step(DATASET).path, run.step("segments").path)
    return f"""{front_matter(_metadata(found, config))}
# {plain(config.name)}

{found.rows:,} instruction/output pairs made by instruction backtranslation ({PAPER}) with
Humpback: the answers are pieces of documents that people wrote, the instructions were written by a language model that
was trained to guess what each piece answers.{_dry_run(config)}

## Rows

{_ROWS}

{_kept(run, found)}

## Sources

{counts_table(("source", "rows"), found.sources)}

## Licences

The licence of each answer is its source's, as stated there; Humpback grants none of its own.

{_licence_table(found)}

{_output_terms(config)}

## How it was made

{method(run, config, found)}

## Statistics

Lengths in characters, mean ± standard deviation, as in table 2 of the paper.

{_statistics(run, config)}

## What was filtered out

{filters(run, config)}

## Overlap with evaluation sets

{decontamination(run, config)}

## Limits

- An instruction may not fit its answer: a model wrote it, and a model rated the fit.
- Answers were checked for form, not for truth. They are as old, as partial and as wrong as the documents they stand in.
- Personal data and offensive words were looked for by rule ({_personal(config)}); rules miss some.
- {_languages(found)}

## How to cite

{CITATION}
"""


def _kept(run: RunFolder, found: Contents) -> str:
    """How many of the candidates are in the dataset, and how they were rated."""
    candidates = run.step("candidates").manifest()
    share = f" ({found.rows / candidates.rows:.1%})" if candidates and candidates.rows else ""
    of_all = f"{found.rows:,} of {candidates.rows:,} candidates{share} were kept. " if candidates else ""
    if found.mean_rating is None:
        return of_all
    return f"{of_all}Their mean rating is {found.mean_rating:.2f} on a scale from 1 to 5."


def _metadata(found: Contents, config: Config) -> dict[str, Any]:
    return {
        "pretty_name": config.name,
        "language": sorted(found.languages),
        **_licence_metadata(found),
        "size_categories": [size_category(found.rows)],
        "task_categories": ["text-generation"],
        "source_datasets": ["original"],
        "tags": ["instruction-tuning", "instruction-backtranslation", "synthetic", "humpback"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": PARQUET_FILE}]}],
        "dataset_info": {
            "features": card_features(dataset_schema()),
            "splits": [{"name": "train", "num_examples": found.rows}],
        },
    }


def _licence_metadata(found: Contents) -> dict[str, str]:
    """The one licence of all rows where the hub knows it, else that there is none for the whole."""
    names = {licence_of(stated).hub for stated in found.licences}
    only = names.pop() if len(names) == 1 else None
    return {"license": only} if only else {"license": "other", "license_name": "as-stated-in-each-row"}


def size_category(rows: int) -> str:
    """The hub's name of a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), _LARGEST)


def _licence_table(found: Contents) -> str:
    listed = counts_table(("licence", "rows"), found.licences)
    refused: dict[str, int] = {}
    for stated, count in found.licences.items():
        why = licence_of(None if stated == NOT_STATED else stated).refused
        if why:
            refused[why] = refused.get(why, 0) + count
    if not refused:
        return listed
    reasons = ", ".join(f"{count:,} because {why}" for why, count in sorted(refused.items()))
    return f"{listed}\n\nWhether these may be passed on is not established: {reasons}."


def _statistics(run: RunFolder, config: Config) -> str:
    last = f"{'rewritten' if config.curate.rewrite else 'curated'}-{config.rounds}"
    sets: Mapping[str, str] = {"seed": "seed", "all candidates": "candidates", "this dataset": last}
    rows = [lengths(name, run.step(step).path) for name, step in sets.items() if run.step(step).path.is_dir()]
    columns = ("set", "examples", "instruction", "output")
    return table(columns, [(one.name, f"{one.rows:,}", *_spreads(one)) for one in rows])


def _spreads(one: Lengths) -> list[str]:
    return [f"{mean:,.0f} ± {spread:,.0f}" if one.rows else "–" for mean, spread in (one.instruction, one.output)]


def _languages(found: Contents) -> str:
    if not found.languages:
        return "The language of the answers was not looked for."
    shares = ", ".join(f"{plain(code)} {count / found.rows:.0%}" for code, count in found.languages.most_common(5))
    return f"Languages as an automatic classifier sees them: {shares}. It errs on short texts."


def _personal(config: Config) -> str:
    action = config.ingest.personal_data.action
    done = {"drop": "what held some was left out", "redact": "what was found was replaced by marks such as <email>"}
    return plain(done.get(action, "personal data was kept as it stands"))


def _output_terms(config: Config) -> str:
    base = plain(base_name(config.model))
    return (
        f"The instructions were written by a model tuned from {base}; its licence may bind those who use what it wrote."
    )


def _dry_run(config: Config) -> str:
    if config.engine.kind != "scripted":
        return ""
    return "\n\n**A dry run: no model took part. Instructions and ratings were made up by rule and mean nothing.**"
