"""How a run made its dataset, in words and figures: the sections of a card that are read from the run's steps."""

from __future__ import annotations

from humpback.config import Config
from humpback.product.base_model import base_name
from humpback.product.contents import Contents
from humpback.product.markdown import counts_table, plain, table
from humpback.report.reasons import reason_text, rule_sentence
from humpback.report.text import scientific
from humpback.workspace import Manifest, RunFolder

# Steps that set rows aside, with what a row of each is, in the order of the run.
_NARROWING = (
    ("seed", "seed pairs"),
    ("passages", "passages, sections of documents"),
    ("segments", "segments of the corpus as a whole"),
    ("candidates", "segments with an instruction"),
)


def method(run: RunFolder, config: Config, found: Contents) -> str:
    """The stages in order, with the parameters that this run used."""
    manifests = {name: run.step(name).manifest() for name in ("seed", "passages", "segments", "candidates")}
    stages = [
        _segments(config, manifests["passages"], manifests["segments"]),
        _instructions(run, config, manifests["seed"]),
        _ratings(config),
        _choice(run, config),
    ]
    if found.rewritten:
        stages.append(
            f"The model that rated them wrote {found.rewritten:,} of the answers anew; `original` holds what the "
            "document says."
        )
    lines = "\n".join(f"{number}. {text}" for number, text in enumerate(stages, start=1))
    return f"{lines}\n\nRandom seed {config.random_seed}. Base model: {plain(base_name(config.model))}.{_training(run)}"


def filters(run: RunFolder, config: Config) -> str:
    """A table of reasons for every step that set rows aside; the same text can be counted in several."""
    parts = []
    for name, what in (*_NARROWING, (f"curated-{config.rounds}", "rated candidates, last round")):
        manifest = run.step(name).manifest()
        if manifest is None or not manifest.dropped:
            continue
        ordered = sorted(manifest.dropped.items(), key=lambda item: (-item[1], item[0]))
        rows = [(reason_text(reason, config) or reason, f"`{reason}`", f"{count:,}") for reason, count in ordered]
        heading = f"Of {what}, {sum(manifest.dropped.values()):,} were set aside:"
        parts.append(f"{heading}\n\n{table(('why', 'reason', 'rows'), rows)}")
    return "\n\n".join(parts) or "Nothing was set aside."


def decontamination(run: RunFolder, config: Config) -> str:
    """Against which sets pairs and segments were held, and what was found and dropped."""
    rules = config.ingest.decontaminate
    if not rules.enabled:
        return "Not looked for."
    dropped = {name: _dropped(run.step(name).manifest(), "contaminated") for name in ("seed", "segments")}
    against = [*config.evaluate.sets, *(source.rstrip("/").rpartition("/")[2] for source in rules.against)]
    named = f"the sets {', '.join(map(plain, against))}" if against else "the run's own evaluation sets (it has none)"
    others = " and well-known evaluation sets, as far as they lay on the machine" if rules.defaults else ""
    prompts: dict[str, int] = {}
    for name in dropped:
        manifest = run.step(name).manifest()
        for which, hit in (manifest.facts.get("contamination", {}) if manifest else {}).items():
            prompts[which] = prompts.get(which, 0) + len(hit)
    said = (
        f"Seed pairs and segments were held against {named}{others}: {rules.ngram} words in a row in common that cover "
        f"{rules.overlap:.0%} of a prompt count as overlap (shorter prompts by stricter rules). "
        f"{dropped['seed']:,} seed pairs and {dropped['segments']:,} segments were dropped for it."
    )
    return f"{said}\n\n{counts_table(('set', 'prompts found'), prompts)}" if prompts else said


def _segments(config: Config, passages: Manifest | None, segments: Manifest | None) -> str:
    ingest = config.ingest
    documents = passages.facts.get("documents") if passages else None
    read = f"{documents:,} documents were" if documents is not None else "Documents were"
    left = f" {segments.rows:,} segments were left." if segments else ""
    return (
        f"{read} cut along their headers into segments of {ingest.min_chars:,} to {ingest.max_chars:,} characters; "
        f"filters, near-duplicates and overlap with evaluation sets took out what the tables below list.{left}"
    )


def _instructions(run: RunFolder, config: Config, seed: Manifest | None) -> str:
    pairs = f"{seed.rows:,} human-written pairs (the seed)" if seed else "human-written pairs (the seed)"
    candidates = run.step("candidates").manifest()
    samples = (candidates.facts.get("samples") if candidates else None) or config.augment.samples or 1
    several = f" The best of {samples} for each stayed." if samples > 1 else ""
    sampling = config.augment
    return (
        f"A backward model, tuned from the base model on {pairs}, wrote an instruction for every segment (temperature "
        f"{sampling.temperature:g}, top-p {sampling.top_p:g}).{several} What a linter rejected was sampled again up to "
        f"{sampling.resample} times, then dropped."
    )


def _ratings(config: Config) -> str:
    how = {
        ("rubric", "expected"): "by a rubric, as the mean score under the model's probabilities of the scores 1 to 5",
        ("rubric", "written"): "by a rubric, in a written judgement that ends in a score from 1 to 5",
    }.get(
        (config.rate.judge, config.rate.method),
        "by a judge that is fitted to seed pairs with planted defects and reads likelihoods under the model",
    )
    return (
        f"In each of {config.rounds} rounds the previous round's forward model rated every candidate {how}; the "
        "forward model of a round is tuned anew from the base model, on the seed and what the round kept."
    )


def _choice(run: RunFolder, config: Config) -> str:
    curated = run.step(f"curated-{config.rounds}").manifest()
    facts = curated.facts if curated else {}
    rule = rule_sentence(str(facts.get("rule", ""))) or "The candidates rated best are kept. "
    share = config.curate.max_share_per_source
    bounds = f"No source gives more than {share:.0%}. " if share else ""
    topics = f"Topics were balanced (diversity {config.curate.diversity:g}). " if config.curate.diversity else ""
    stopped = facts.get("carried_over")
    ended = f"The loop stopped early: this is {plain(str(stopped))}. " if stopped else ""
    return f"{rule}{bounds}{topics}{ended}".strip()


def _training(run: RunFolder) -> str:
    manifest = run.step("models/m0").manifest()
    facts = manifest.facts if manifest else {}
    if not facts.get("steps"):
        return ""
    return (
        f" The first forward model: {facts['steps']:,} steps of {facts['batch_size']} pairs, learning rate "
        f"{scientific(facts.get('learning_rate'))}."
    )


def _dropped(manifest: Manifest | None, reason: str) -> int:
    return manifest.dropped.get(reason, 0) if manifest else 0
