"""Lets the model that chose the answers of a round write them anew, if the run wants that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from humpback.augmentation.rewriting import Rewriter, rewritten_of
from humpback.engines import Sampling
from humpback.records import Curated
from humpback.stages.context import EngineSource, Outcome, StageContext
from humpback.workspace import Shard, StoredRows, read_columns, row_count, run_shards

VERSION = 1


def rewrite(context: StageContext) -> Outcome:
    """Writes the curated set once more, each row rewritten or, with the reason, as it was."""
    config = context.config
    folder = next(folder for name, folder in context.inputs.items() if name.startswith("curated"))
    curated = StoredRows.of(folder, Curated)
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.train.max_tokens)
    with context.progress.task(f"rewriting ({context.output.name})", len(curated), "answers") as task:
        run_shards(
            curated,
            context.output,
            Curated,
            _Rewriting(context.asked, sampling, config.random_seed, context.output.name),
            context.executor,
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    reasons = Counter(why for (why,) in read_columns(context.output.path, "not_rewritten") if why is not None)
    return Outcome({"rewritten": row_count(context.output.path) - reasons.total(), "as_it_was": dict(reasons)})


@dataclass(frozen=True, slots=True)
class _Rewriting:
    asked: EngineSource
    sampling: Sampling
    random_seed: int
    salt: str

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Curated]], Shard]]:
        with self.asked.open() as opened:
            rewriter = Rewriter(opened.engine, opened.prompts, self.sampling, self.random_seed, self.salt)
            yield lambda rows: rewritten_of(rows, rewriter)
