"""distilabel's InstructionBacktranslation task on given pairs, in an environment of its own.

Run by benchmarks/engines.py. Reads JSON from the file named first: model folder, pairs, batch size, arithmetic.
Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distilabel.models import TransformersLLM
from distilabel.steps.tasks import InstructionBacktranslation


def main() -> None:
    """Rates the pairs and prints seconds, versions, and how many have a score from 1 to 5."""
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    model = TransformersLLM(
        model=given["model"], torch_dtype=given["dtype"], generation_kwargs={"max_new_tokens": given["max_new_tokens"]}
    )
    task = InstructionBacktranslation(llm=model, input_batch_size=given["batch"])
    task.load()
    pairs = [{"instruction": pair["instruction"], "generation": pair["output"]} for pair in given["pairs"]]
    rows: list[dict[str, Any]] = []
    started = time.monotonic()
    for start in range(0, len(pairs), given["batch"]):
        rows += next(task.process(pairs[start : start + given["batch"]]))
    seconds = time.monotonic() - started
    valid = sum(isinstance(row["score"], int) and 1 <= row["score"] <= 5 for row in rows)
    name = f"distilabel {version('distilabel')}, transformers {version('transformers')}"
    print(json.dumps({"seconds": seconds, "rated": len(rows), "valid": valid, "name": name}))


if __name__ == "__main__":
    main()
