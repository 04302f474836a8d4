"""Lets the model that chose the answers of a round write them anew, if the run wants that."""

from __future__ import annotations

from collections import Counter

from humpback.augmentation.rewriting import Rewriter, rewritten_of
from humpback.engines import Sampling
from humpback.records import Curated
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import map_shards, read_columns, read_rows, row_count

VERSION = 1


def rewrite(context: StageContext) -> Outcome:
    """Writes the curated set once more, each row rewritten or, with the reason, as it was."""
    config = context.config
    curated = next(folder for name, folder in context.inputs.items() if name.startswith("curated"))
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.train.max_tokens)
    with (
        context.engine(context.model) as engine,
        context.progress.task(f"rewriting ({context.output.name})", row_count(curated), "answers") as task,
    ):
        rewriter = Rewriter(engine, context.prompts, sampling, config.random_seed, context.output.name)
        map_shards(
            read_rows(curated, Curated),
            context.output,
            Curated,
            lambda rows: rewritten_of(rows, rewriter),
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    reasons = Counter(why for (why,) in read_columns(context.output.path, "not_rewritten") if why is not None)
    return Outcome({"rewritten": row_count(context.output.path) - reasons.total(), "as_it_was": dict(reasons)})
