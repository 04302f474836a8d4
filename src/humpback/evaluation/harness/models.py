"""Our models as the harness asks them: its own class for transformers, our engines for all others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from humpback.engines import Ability, Engine, LikelihoodRequest, require
from humpback.errors import EngineError
from humpback.evaluation.asking import Model
from humpback.evaluation.judging.cache import Cache
from humpback.models import device_name, load_model, load_tokenizer, resolved_dtype

if TYPE_CHECKING:
    from lm_eval.api.model import LM

CHUNK = 512  # requests whose answers are kept at once: some minutes of work at most (ours)

Pair = tuple[str, str]
Score = tuple[float, bool]
Scorer = Callable[[Sequence[Pair]], list[Score]]


class _Request(Protocol):
    @property
    def args(self) -> tuple[Any, ...]: ...


@contextmanager
def harness_model(model: Model, batch_size: int, cache: Path, advance: Callable[[int], None]) -> Iterator[LM]:
    """The model for the harness; answers that it gave before are taken from the file `cache`.

    Through transformers, the harness's own class asks it, so that tokens are split where the harness splits them. Other
    engines split a request where its answer begins; at that place some tokenizers would merge two tokens into one.
    """
    if model.config.engine.kind == "transformers":
        yield _cached(_transformers_scorer(model, batch_size), Cache(cache), advance)
        return
    with model.engine() as engine:
        require(engine, Ability.LOGLIKELIHOOD, "evaluate benchmarks", "use --engine transformers")
        prefix = model.prompts.chat.bos_token or model.prompts.chat.eos_token
        yield _cached(_engine_scorer(engine, prefix), Cache(cache), advance)


def _transformers_scorer(model: Model, batch_size: int) -> Scorer:
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    device = device_name(model.config.engine.device)
    weights = load_model(model.folder, dtype=resolved_dtype(model.config.engine.dtype, device), device=device)
    # In bfloat16, log-probabilities have steps of 1/16 and more: sentences of equal sums would be taken for unlikelier.
    inner = HFLM(
        pretrained=weights.eval(),
        tokenizer=load_tokenizer(model.folder),
        batch_size=batch_size,
        softmax_dtype=torch.float32,
    )

    def score(pairs: Sequence[Pair]) -> list[Score]:
        requests = [Instance("loglikelihood", {}, pair, place) for place, pair in enumerate(pairs)]
        return list(inner.loglikelihood(requests, disable_tqdm=True))

    return score


def _engine_scorer(engine: Engine, prefix: str) -> Scorer:
    """As the harness does: without a context, the first token follows the one that begins texts."""

    def score(pairs: Sequence[Pair]) -> list[Score]:
        requests = [
            LikelihoodRequest(str(place), context or prefix, continuation)
            for place, (context, continuation) in enumerate(pairs)
        ]
        for request in requests:
            tokens = engine.count(request.prompt) + engine.count(request.continuation)
            if engine.context is not None and tokens > engine.context:
                raise EngineError(
                    f"the question {request.prompt[-80:]!r} has {tokens} tokens, more than the model's context of "
                    f"{engine.context}; lower --mmlu-shots"
                )
        return [(found.logprob, False) for found in engine.loglikelihood(requests)]

    return score


def _cached(scorer: Scorer, cache: Cache, advance: Callable[[int], None]) -> LM:
    """A model of the harness that asks `scorer` some requests at a time and keeps every answer."""
    from lm_eval.api.model import LM

    class CachedModel(LM):  # type: ignore[misc]
        """Multiple choice asks for log-likelihoods only; whether a choice is the likeliest text is not told by all."""

        def loglikelihood(self, requests: Sequence[_Request], disable_tqdm: bool = False) -> list[Score]:
            pairs = [(str(one.args[0]), str(one.args[1])) for one in requests]
            keys = [_key(*pair) for pair in pairs]
            for start in range(0, len(pairs), CHUNK):
                chunk = range(start, min(start + CHUNK, len(pairs)))
                missing = {keys[place]: pairs[place] for place in chunk if keys[place] not in cache}
                if missing:
                    scores = scorer(list(missing.values()))
                    cache.add({key: repr(float(score[0])) for key, score in zip(missing, scores, strict=True)})
                advance(len(chunk))
            return [(float(cache[key]), False) for key in keys]

        def loglikelihood_rolling(self, requests: Sequence[_Request], disable_tqdm: bool = False) -> list[float]:
            raise NotImplementedError("no benchmark of ours asks for it")

        def generate_until(self, requests: Sequence[_Request], disable_tqdm: bool = False) -> list[str]:
            raise NotImplementedError("no benchmark of ours asks for it")

    return CachedModel()


def _key(context: str, continuation: str) -> str:
    text = f"{len(context)}\x1f{context}{continuation}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
