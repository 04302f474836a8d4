"""A short fuzz of the corpus readers; `fuzz/run.py` is the long one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILE = Path(__file__).parent.parent / "fuzz" / "targets.py"
_spec = importlib.util.spec_from_file_location("targets", FILE)
targets = importlib.util.module_from_spec(_spec)
sys.modules["targets"] = targets
_spec.loader.exec_module(targets)

PIECES = {
    "html": (
        b"<p>|</p>|<div class=nav>|<div class='comment'>|</div>|<h1>|<h2 id=x>|</h2>|<table>|<tr>|"
        b"<td colspan=9>|<ul>|<li>|<pre>|<code>|<a href=x>|</a>|<blockquote>|<main>|<article hidden>|<br>|"
        b"<script>|</script>|<!--|-->|&amp;|&#0;|<svg>|<math>|<template>|<title>|text and more of it. |\n|\xff|"
        b"\xc3|# |``` |- |1. |<details><summary>"
    ),
    "markdown": (
        b"# |## |\n|\n\n|---\n|===\n|```\n|~~~|> |- |* |1. |    |\t|[a](b)|![a](b)|[a]: b\n|<div>|</div>|{{|}}|"
        b"{%|%}|`|**|| a | b |\n|text and more of it. |\r\n|title: x\n|\\|&amp;|\xff|\xe2\x80"
    ),
    "warc": (
        b"WARC/1.0\r\n|WARC/1.1\r\n|WARC-Type: response\r\n|WARC-Type: revisit\r\n|Content-Length: 5\r\n|"
        b"Content-Length: -1\r\n|Content-Length: 99999999999\r\n|\r\n|HTTP/1.1 200 OK\r\n|"
        b"Content-Encoding: gzip\r\n|Transfer-Encoding: chunked\r\n|WARC-Target-URI: http://a.test/\r\n|"
        b"<p>x</p>|\x1f\x8b\x08|(\xb5/\xfd|filedesc://|5\r\nabcde\r\n|0\r\n\r\n"
    ),
    "jsonl": (
        b'{"text": "x"}\n|{"text": 1}\n|[]|{|}|"|\\ud800|\n|null|1e999|{"url": "http://a.test", "text": "y"}\n|'
        b',|:|\xff|{"text": {"a": ["b"]}}\n|\x00|\xef\xbb\xbf|[{"text": "z"}]'
    ),
}


@pytest.mark.parametrize("name", sorted(targets.TARGETS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_bytes_come_out_as_something(name, data):
    pieces = st.sampled_from(PIECES[name].split(b"|"))
    parts = data.draw(st.lists(st.one_of(pieces, st.binary(max_size=8)), max_size=60))
    targets.TARGETS[name](b"".join(parts))
