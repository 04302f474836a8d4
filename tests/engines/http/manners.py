"""What the server of these tests answers, in the manner of several real ones, and how an answer is spoilt."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostile import Hostile

EXTRAS = {"top_k", "min_p", "repetition_penalty", "add_special_tokens", "stop_token_ids", "return_token_ids"}
EXTRAS |= {"logprob_token_ids", "return_tokens_as_token_ids", "prompt_logprobs", "structured_outputs", "grammar"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    kind: str
    value: Any = None


def fraction(*parts: object) -> float:
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def completion(hostile: Hostile, body: dict[str, Any]) -> dict[str, Any] | str:
    """The answer to a request, or what is wrong with it."""
    manner = hostile.manner
    if body["model"] != hostile.name:
        return f"the model {body['model']} does not exist"
    if manner == "openai" and (unknown := EXTRAS & set(body)):
        return f"unrecognised: {sorted(unknown)}"
    if manner == "deaf" and not isinstance(body["prompt"], str):
        return "prompt must be a string"
    most = {"vllm": 20, "openai": 5}.get(manner, 1000)
    if (body.get("logprobs") or 0) > most:
        return f"logprobs: at most {most}"
    ids = hostile.tokens(body["prompt"])
    new = body.get("max_tokens", 16)
    text, finish = hostile.text(ids, body.get("seed", 0), new)
    choices = wanted_choices(body, manner)
    if choices:
        text, finish = choices[int(len(choices) * fraction(ids, "choice", body.get("seed", 0)))], "stop"
    answer: dict[str, Any] = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    if manner == "vllm":
        ending = [hostile.tokenizer.eos_token_id] if finish == "stop" else []
        answer["token_ids"] = [*hostile.tokens(text), *ending] if body.get("return_token_ids") else None
        answer["prompt_token_ids"] = ids if body.get("return_token_ids") else None
        if body.get("prompt_logprobs") is not None:
            values = [{str(token): {"logprob": hostile.logprob(ids[:i], token)}} for i, token in enumerate(ids)]
            answer["prompt_logprobs"] = [None, *values[1:]]
    if body.get("logprobs") and manner != "deaf":
        answer["logprobs"] = logprobs(hostile, ids, body)
    usage = {"prompt_tokens": len(ids), "completion_tokens": len(hostile.tokens(text))}
    return {"model": hostile.answers_as, "choices": [answer], "usage": usage}


def wanted_choices(body: dict[str, Any], manner: str) -> list[str]:
    if manner == "vllm" and "structured_outputs" in body:
        return body["structured_outputs"]["choice"]
    if manner == "llamacpp" and "grammar" in body:
        return [json.loads(part) for part in body["grammar"].removeprefix("root ::= ").split(" | ")]
    return []


def logprobs(hostile: Hostile, ids: list[int], body: dict[str, Any]) -> dict[str, Any] | None:
    if hostile.manner == "llamacpp":
        likely = ranked(hostile, ids, body["logprobs"])
        top = [{"id": token, "token": "?", "logprob": value} for token, value in likely]
        return {"content": [{**top[0], "top_logprobs": top}]}

    def named(token: int) -> str:
        return f"token_id:{token}" if body.get("return_tokens_as_token_ids") else hostile.tokenizer.decode([token])

    if body.get("echo"):
        values = [None, *(hostile.logprob(ids[:i], token) for i, token in enumerate(ids) if i)]
        return {"tokens": [named(token) for token in ids], "token_logprobs": values, "top_logprobs": [None] * len(ids)}
    chosen = [(token, hostile.logprob(ids, token)) for token in body.get("logprob_token_ids") or []]
    likely = chosen or ranked(hostile, ids, body["logprobs"])
    return {
        "tokens": [named(likely[0][0])],
        "token_logprobs": [likely[0][1]],
        "top_logprobs": [{named(token): value for token, value in likely}],
    }


def ranked(hostile: Hostile, ids: list[int], count: int) -> list[tuple[int, float]]:
    values = [(token, hostile.logprob(ids, token)) for token in range(len(hostile.tokenizer))]
    return sorted(values, key=lambda pair: -pair[1])[:count]


def spoil(answer: dict[str, Any], fault: Fault) -> None:
    """Takes away from an answer."""
    first = answer["choices"][0]
    if fault.kind == "wrong_model":
        answer["model"] = fault.value or "other"
    elif fault.kind == "empty":
        answer["choices"] = []
    elif fault.kind == "no_logprobs":
        first["logprobs"] = first["prompt_logprobs"] = None
    elif fault.kind == "few_logprobs" and first.get("prompt_logprobs"):
        first["prompt_logprobs"].pop()
    elif fault.kind == "value" and first.get("prompt_logprobs"):
        (value,) = first["prompt_logprobs"][-1].values()
        value["logprob"] = fault.value
    elif fault.kind == "no_digit" and first["logprobs"]:
        first["logprobs"]["top_logprobs"][0].popitem()
    elif fault.kind == "finish":
        first["finish_reason"] = fault.value
    elif fault.kind == "cut_prompt":
        answer["usage"]["prompt_tokens"] -= 7
