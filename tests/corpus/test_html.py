"""What of a page becomes text, and how it is written: one hand-written page a behaviour."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from pathlib import Path

import pytest

from humpback.corpus.html import read_page

PARAGRAPHS = [
    "The harbour opened in the spring of that year, and the first boats came in before the paint was dry.",
    "Nobody had thought about the tide, which left half of them lying on the mud until the evening.",
    "So the council built a second wall, and this time they asked the fishermen where it ought to stand.",
]
ARTICLE = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)


def text_of(content: str, *, before: str = "", after: str = "") -> str:
    """The Markdown of a page whose content is three paragraphs and then `content`."""
    return read_page(f"<body>{before}<main><h1>Harbour</h1>{ARTICLE}{content}</main>{after}</body>").text


def written(content: str) -> str:
    """The Markdown of `content` alone, at the end of a page's content."""
    start = "\n\n".join(["# Harbour", *PARAGRAPHS])
    text = text_of(content)
    assert text.startswith(start)
    return text.removeprefix(start).strip("\n")


def parsed(markdown: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The headings (level, text) and code blocks that a CommonMark parser finds."""
    import pyromark

    headings: list[tuple[str, str]] = []
    codes: list[str] = []
    open_in: list[str] | None = None
    for event in pyromark.events(markdown, options=pyromark.Options.ENABLE_TABLES):
        if not isinstance(event, dict):
            continue
        ((kind, value),) = event.items()
        if kind == "Start" and isinstance(value, dict) and ("Heading" in value or "CodeBlock" in value):
            open_in = []
        elif kind == "End" and isinstance(value, dict) and "Heading" in value:
            headings.append((str(value["Heading"]), "".join(open_in or [])))
            open_in = None
        elif kind == "End" and value == "CodeBlock":
            codes.append("".join(open_in or []))
            open_in = None
        elif open_in is not None and kind in ("Text", "Code"):
            open_in.append(str(value))
    return headings, codes


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h2>Two</h2><p>b</p><h6>Six</h6><p>c", "## Two\n\nb\n\n###### Six\n\nc"),
        ("<h2><a class=headerlink href=#x>¶</a>Two</h2><p>b", "## Two\n\nb"),
        ("<h2>Two <a href=#x>#</a></h2><p>b", "## Two\n\nb"),
        ("<h2><span>Two</span><br>halves</h2><p>b", "## Two halves\n\nb"),
        ("<h2>The <code>re</code> module</h2><p>b", "## The re module\n\nb"),
        ("<p>a <b>bold</b> and <a href=http://x.y>linked</a> word<img alt=no src=x>", "a bold and linked word"),
        ("<p>2*3*4 a_b_c &amp; &lt;b&gt; [x]", "2*3*4 a_b_c & <b> [x]"),
        ("<p>call <code>f(*x)</code> or <kbd>Ctrl</kbd>", "call `f(*x)` or `Ctrl`"),
        ("<p>He said <q>no</q>.", 'He said "no".'),
        ("<p>10<sup>6</sup> on the 4<sup>th</sup><sup><a href=#n>[1]</a></sup>", "10^6 on the 4th"),
        ("<p>one<br>two<br><br>three", "one\ntwo\n\nthree"),
        ("<div>loose <i>text</i><p>closed</p>and more</div>", "loose text\n\nclosed\n\nand more"),
        ("<ul><li>a<li>b", "- a\n- b"),
        ("<ul><li>a<ul><li>b<ul><li>c</ul></ul><li>d", "- a\n  - b\n    - c\n- d"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
        ("<ol start=9><li>a<li><p>b</p><p>c</p></ol>", "9. a\n\n10. b\n\n    c"),
        ("<ol><li>a<pre>x\n\n  y</pre></ol>", "1. a\n\n   ```\n   x\n\n     y\n   ```"),
        ("<ul><li><h3>Part</h3><p>a</ul>", "### Part\n\na"),
        ("<dl><dt>salt<dd>a spice<dt>oil:<dd>a fat", "- salt: a spice\n- oil: a fat"),
        ("<dl><dt>f(x)<dd><p>first</p><p>second</p></dl>", "f(x)\n\nfirst\n\nsecond"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<details><summary>More</summary><p>a</details>", "More\n\na"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2|3</table>", "| a | b |\n| --- | --- |\n| 1 | 2\\|3 |"),
        ("<table><tr><th colspan=2>a<th>b<tr><td>1<td>2<td>3</table>",
         "| a |  | b |\n| --- | --- | --- |\n| 1 | 2 | 3 |"),
        ("<table><tr><th>a<th>b<th>c<tr><td rowspan=2>1<td>2<td rowspan=3>3"
         "<tr><td>4<tr><td>5<td>6<tr><td>7<td>8<td>9</table>",
         "| a | b | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n|  | 4 |  |\n| 5 | 6 |  |\n| 7 | 8 | 9 |"),
        ("<table><tr><th rowspan=2 colspan=2>a<th>b<tr><td>1<tr><td>2<td>3<td>4</table>",
         "| a |  | b |\n| --- | --- | --- |\n|  |  | 1 |\n| 2 | 3 | 4 |"),
        ("<table><tr><td rowspan=0>a<td rowspan=x>b<tr><td>1<td>2</table>", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("<table><caption>Name</caption><tr><td>a<td>b<tr><td><p>1</p><p>2</p><td>3</table>",
         "Name\n\n| a | b |\n| --- | --- |\n| 1 2 | 3 |"),
        ("<table><tr><td>a<tr><td>b</table>", "a\n\nb"),
        ("<table><tr><td><h2>Two</h2><td>b<tr><td>c<td>d</table>", "## Two\n\nb\n\nc\n\nd"),
        ("<table><tr><td><table><tr><td>a<td>b<tr><td>c<td>d</table></table>", "| a | b |\n| --- | --- |\n| c | d |"),
        ("<pre>\n  a\n\tb  </pre>", "```\n  a\n\tb\n```"),
        ("<pre><code class=language-sql>a<br>b", "```sql\na\nb\n```"),
        ("<div class=highlight-python3><div class=highlight><pre><span class=k>a</span> <span>= 1</span>",
         "```python\na = 1\n```"),
        ("<pre>a\n```\nb</pre>", "````\na\n```\nb\n````"),
        ("<pre><div>a</div><div>b</div></pre>", "```\na\nb\n```"),
        ("<table><tr><td class=linenos><pre>1\n2</pre><td class=code><pre>a\nb</pre></table>", "```\na\nb\n```"),
        ("<pre><span class=lineno>1 </span>a\n<span class=lineno>2 </span>b</pre>", "```\na\nb\n```"),
        ('<p>so <math alttext="{\\displaystyle x^{2}}"><mi>x</mi><mn>2</mn></math> holds', "so $x^{2}$ holds"),
        ('<p>so <math><mi>y</mi><annotation encoding="application/x-tex">y_1</annotation></math>', "so $y_1$"),
        ("<aside class=note><p>Mind the step.</aside>", "Mind the step."),
        ("<figure><pre>a</pre><figcaption>Listing</figcaption></figure>", "```\na\n```\n\nListing"),
        ("<figure><img src=x><figcaption>A boat at noon</figcaption></figure>", ""),
        ("<p>a\ufeff\u200bb c\u00add", "ab cd"),
    ],
)  # fmt: skip
def test_markup_becomes_markdown(html, markdown):
    assert written(html) == markdown


@pytest.mark.parametrize(
    ("line", "markdown"),
    [
        ("# no heading", "\\# no heading"),
        ("#hashtag", "#hashtag"),
        ("&gt; said", "\\> said"),
        ("``` x", "\\``` x"),
        ("~~~", ""),
        ("---", ""),
        ("==", "\\=="),
        ("&lt;script&gt; is a tag", "\\<script> is a tag"),
        ("1 &lt; 2", "1 < 2"),
        ("[a]: b", "\\[a]: b"),
        ("| a | b |", "\\| a | b |"),
        ("- a", "- a"),
        ("- # a", "- \\# a"),
        ("1. 2) &gt; a", "1. 2) \\> a"),
        ("1999. A year", "1999. A year"),
        ("*stars* stay", "*stars* stay"),
    ],
)
def test_a_line_gets_one_escape_where_it_would_begin_a_block(line, markdown):
    assert written(f"<p>{line}</p>") == markdown
    assert written(f"<p>First<br>{line}</p>") == f"First\n{markdown}".rstrip()


def test_a_parser_finds_the_headings_and_the_code_of_the_page_and_no_others():
    text = text_of(
        "<h2>Costs</h2><p># 1<br>===<br>- # 2</p><p>~~~</p><h3>C #</h3><p>```</p><pre># a comment\n--- </pre>"
        "<p>a | b<br>--- | ---<br>1 | 2</p><p>&lt;!-- open</p><h4>End</h4><p>&nbsp;   text</p>"
    )
    headings = [("H1", "Harbour"), ("H2", "Costs"), ("H3", "C #"), ("H4", "End")]
    assert parsed(text) == (headings, ["# a comment\n---\n"])


@pytest.mark.parametrize(
    "around",
    [
        "<nav><a href=/>Home</a> <a href=/x>Boilerplate</a></nav>",
        "<footer>Boilerplate of 2024</footer>",
        "<div class=site-footer><p>Boilerplate that is written in a sentence as long as prose is.</p></div>",
        "<div role=navigation>Boilerplate</div>",
        "<div id=cookie-consent><p>Boilerplate: we use cookies to make this site better for all of you.</p></div>",
        "<div class=socialShare>Boilerplate <a href=x>Share</a></div>",
        "<section class='post-comments'><p>Boilerplate, said a reader who had much to say about it all.</p></section>",
        "<div class='related-posts'><h3>Boilerplate</h3><p>Another story that you may like to read some day.</p></div>",
        "<div class=newsletter-signup><p>Boilerplate: our best stories every week, straight to your inbox.</p></div>",
        "<div class=author-bio><p>Boilerplate is a writer who lives by the sea with two cats and an old dog.</p></div>",
        "<aside class=sidebar><p>Boilerplate about other things, as long as a real paragraph is.</p></aside>",
        "<ul class=pagination><li>Boilerplate<li>2</ul>",
        "<ul><li><a href=1>Boilerplate one</a><li><a href=2>Boilerplate two</a></ul>",
        "<div><h3><a href=1>Boilerplate</a></h3><p>One.</p><h3><a href=2>Boilerplate</a></h3><p>Two.</p></div>",
        "<p hidden>Boilerplate</p>",
        "<p aria-hidden=true>Boilerplate</p>",
        "<p style='display: none'>Boilerplate</p>",
        "<p class=visually-hidden>Boilerplate</p>",
        "<p>A <span class=sr-only>Boilerplate</span> B</p>",
        "<script>Boilerplate()</script><style>.Boilerplate{}</style><noscript>Boilerplate</noscript>",
        "<form><label>Boilerplate</label><input><button>Boilerplate</button></form>",
        "<iframe>Boilerplate</iframe><svg><text>Boilerplate</text></svg><template><p>Boilerplate</template>",
        "<div class=byline>By Boilerplate</div>",
        "<p><a href=x>Read this as well: Boilerplate</a></p>",
    ],
)  # fmt: skip
def test_what_surrounds_the_content_is_left_out(around):
    for text in (text_of(around), text_of("", before=around), text_of("", after=around)):
        assert "Boilerplate" not in text
        assert all(paragraph in text for paragraph in PARAGRAPHS)


@pytest.mark.parametrize(
    "page",
    [
        f"<div class='with-sidebar ads-page'>{ARTICLE}</div>",
        f"<div class=sidebar>{ARTICLE}</div>",
        f"<nav>{ARTICLE}</nav>",
        f"<form id=aspnetForm>{ARTICLE}{ARTICLE}</form>",
        f"<article class='hentry category-popular tag-related'>{ARTICLE}</article>",
        f"<div class=comment><p>{PARAGRAPHS[0]}</p></div><div class=comment>{ARTICLE}</div>",
        f"<div class=navigation><div class=footer>{' '.join(PARAGRAPHS)}{' '.join(PARAGRAPHS)}</div></div>",
        f"<div style='display:block'><table><tr><td><a href=x>Menu</a><td>{'<br>'.join(PARAGRAPHS)}</table></div>",
    ],
)
def test_what_holds_the_prose_is_kept_whatever_it_is_called(page):
    text = read_page(f"<body><div><a href=/>Home</a></div>{page}</body>").text
    assert all(paragraph in text for paragraph in PARAGRAPHS)


def test_a_page_of_links_keeps_them_when_there_is_nothing_else():
    entries = "".join(f"<li><a href={number}>The chapter of number {number}</a></li>" for number in range(20))
    text = read_page(f"<body><nav>Menu</nav><h1>Contents</h1><ul>{entries}</ul></body>").text
    assert text.startswith("# Contents\n\n- The chapter of number 0\n- The chapter of number 1\n")


def test_questions_and_answers_are_content():
    text = read_page(
        f"<main><h1>Why is there mud?</h1><div class=question><p>{PARAGRAPHS[0]}</p></div>"
        f"<div class=answer><p>{PARAGRAPHS[1]}</p></div><div class=answer><p>{PARAGRAPHS[2]}</p></div></main>"
    ).text
    assert text == "\n\n".join(["# Why is there mud?", *PARAGRAPHS])


def test_sections_beside_the_longest_one_stay():
    sections = [f"<div class=section><h2>Part {number}</h2><p>{PARAGRAPHS[number]}</p></div>" for number in range(3)]
    page = f"<body><div><h1>All</h1>{sections[0]}{sections[1]}<div class=section><h2>Long</h2>{ARTICLE * 9}</div></div>"
    headings = [("H1", "All"), ("H2", "Part 0"), ("H2", "Part 1"), ("H2", "Long")]
    assert parsed(read_page(page).text)[0] == headings


def test_headings_with_nothing_left_below_them_go_at_the_end():
    assert text_of("<h2>Related</h2><ul><li><a href=x>Other</a></ul>").endswith(PARAGRAPHS[-1])


def test_boxes_within_the_text_stay():
    box = (
        "<div class=sidebar><p>Going further: the second wall was paid for by the county, and a plaque says so to this "
    )
    assert "a plaque says so" in text_of(box + "day, in letters of brass.</p></div><p>The end.</p>")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<title> A\n page </title>", ("A page", None, None)),
        ("<link rel=canonical href=https://a.b/c>", ("", "https://a.b/c", None)),
        ("<link rel=canonical href=/c><meta property=og:url content=http://a.b/d>", ("", "http://a.b/d", None)),
        ("<link rel='License' href=https://l.m/n>", ("", None, "https://l.m/n")),
        ("<meta name=DC.rights content='CC BY  4.0'>", ("", None, "CC BY 4.0")),
        ("<script type='application/ld+json'>{\"@graph\": [{\"license\": {\"@id\": \"https://l.m\"}}]}</script>",
         ("", None, "https://l.m")),
        ("<script type='application/ld+json'>{\"license\": ]</script>", ("", None, None)),
        (f"<meta name=dc.rights content='{'All rights are ours. ' * 20}'>", ("", None, None)),
    ],
)  # fmt: skip
def test_what_the_head_states(head, expected):
    page = read_page(f"<head>{head}</head><body>{ARTICLE}</body>")
    assert (page.title, page.address, page.licence) == expected


def test_a_licence_may_be_linked_in_the_text():
    page = read_page(f"<body>{ARTICLE}<a rel='license noopener' href='https://l.m/n'>CC0</a></body>")
    assert page.licence == "https://l.m/n"


HOSTILE = {
    "divisions": "<div>" * 100_000 + "word",
    "quotations": "<blockquote>x" * 20_000,
    "lists": "<ul><li>x" * 20_000,
    "tables": "<table><tr><td>" * 20_000 + "x",
    "cells": "<table>" + "<tr><td colspan=99>x" * 5_000 + "<td>y" * 20_000,
    "spans": "<table>" + ("<tr>" + "<td rowspan=99 colspan=99>x" * 500) * 50,
    "formatting": "<b><i>" * 5_000 + "x",
    "code": "<code>x " * 20_000,
    "raised": "<sup>x " * 20_000,
    "menus": "<nav><p>Some words that are as long as a paragraph has to be.</p>" * 2_000,
    "columns": "<div class=sidebar><p>Some words that are as long as a paragraph has to be.</p>" * 2_000,
    "attributes": "<div " + " ".join(f"a{number}" for number in range(50_000)) + ">x",
    "names": f"<div class='{'nav ' * 50_000}'>x",
    "line": "<p>" + "word " * 400_000,
    "marks": "<p>" + "1. " * 50_000 + "#" * 50_000 + "[" * 50_000 + "- " * 50_000,
    "hashes": "<h1>" + "# " * 50_000,
    "fences": "<pre>" + "`" * 50_000,
    "unclosed": "<table><ul><select><h1><pre><!-- <p>",
    "nul": "a\0b<p>\0</p><pre>\0</pre>",
    "surrogates": "<title>\ud800</title><p>\udfff and &#xD800; and text",
    "empty": "",
    "xhtml": '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body><p/>x</body></html>',
    "frames": "<frameset><frame src=a><noframes>x</noframes></frameset>",
    "script": "<script>document.write('<p>x</p>')</script>",
    "data": f'<script type="application/ld+json">{{"license": {"[" * 100_000}</script>',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_end_in_a_text_of_no_more_than_their_size(name):
    html = HOSTILE[name]
    page = read_page(html)
    page.text.encode()
    page.title.encode()
    assert "\0" not in page.text
    assert len(page.text) <= 4 * len(html) + 100


def test_the_same_page_gives_the_same_text():
    html = text_of("<h2>Two</h2><ul><li>a</ul>")
    assert read_page(html) == read_page(html)


@pytest.mark.skipif("HUMPBACK_SHARED" not in os.environ, reason="HUMPBACK_SHARED names no folder of real data")
def test_the_words_of_real_articles_are_found():
    found = expected = extra = 0
    corpora = Path(os.environ["HUMPBACK_SHARED"]) / "data" / "corpora"
    with tarfile.open(corpora / "extraction-gold-scrapinghub.tar.gz") as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}
        truth = json.loads(_bytes(archive, members["ground-truth.json"]))
        for key, value in sorted(truth.items())[:40]:
            html = gzip.decompress(_bytes(archive, members[f"{key}.html.gz"])).decode()
            words, wanted = set(read_page(html).text.split()), set(value["articleBody"].split())
            found += len(words & wanted)
            expected += len(wanted)
            extra += len(words - wanted)
    assert found / expected > 0.9
    assert extra / expected < 0.2


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member)
    assert opened is not None
    return opened.read()
