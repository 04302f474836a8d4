"""Coverage-guided fuzzing of the corpus readers with atheris (`pip install atheris`).

    python fuzz/run.py html -runs=300000 -max_len=2048

The first word names a target of `targets.py`; the rest goes to libFuzzer. It stops at the first input that crashes or
hangs (25 s, or `-timeout`), and writes it to a file `crash-...`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["humpback.corpus", "humpback.tables", "humpback.inputs"]):
    from targets import TARGETS

SEEDS: dict[str, list[bytes]] = {
    "html": [
        b"<html><head><title>T</title><meta charset=utf-8></head><body><nav><a href=/>Home</a></nav><main><h1>Tea</h1>"
        b"<p>Tea is made of leaves.</p><ul><li>one<li>two</ul><pre><code># no</code></pre><table><tr><td>1<td>2</table>"
        b"<blockquote>said</blockquote></main></body></html>",
        b"<div class=comment><p>x<b>y<i>z</b></i></div><!-- <p> --><svg><script>1</script></svg>",
    ],
    "markdown": [
        b"---\ntitle: T\nlicense: MIT\n---\n# A\n\ntext\n\n## B\n\n- one\n- two\n\n```\n# no\n```\n\n| a | b |\n"
        b"|---|---|\n| 1 | 2 |\n\n> quoted\n\nSetext\n======\n"
        b"\n[link](http://example.org) ![image](x.png) <b>x</b> {{ tag }}\n",
    ],
    "warc": [b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 2\r\n\r\nab\r\n\r\n", b"\x1f\x8b\x08\x00"],
    "jsonl": [
        b'{"text": "a", "url": "http://example.org", "n": [1, {"b": null}]}\n{"text": 1}\n[]\n"x"\n{"text": "\\ud800"}'
    ],
}


def main() -> None:
    """Runs the target named on the command line."""
    name, *options = sys.argv[1:]
    corpus = tempfile.mkdtemp(prefix=f"fuzz-{name}-")
    for number, seed in enumerate(SEEDS[name]):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
