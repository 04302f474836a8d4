"""An answer's sentences and lines, and the places at which something may stand."""

from __future__ import annotations

from humpback.judge.layout import Layout


def test_borders_are_known_where_full_stops_lie():
    text = "Use version 3.5 of it, e.g. the one by Dr. Smith. See `a. b` for more. Done!"
    assert [text[one.start : one.end] for one in Layout(text).sentences] == [
        "Use version 3.5 of it, e.g. the one by Dr. Smith.",
        "See `a. b` for more.",
        "Done!",
    ]
    poem = "Roses are red,\nViolets are blue,\nSugar is sweet."
    assert len(Layout(poem).sentences) == 3
    wrapped = "This is a paragraph of text that was wrapped by an editor at some\nwidth, and this is its end."
    assert len(Layout(wrapped).sentences) == 1


def test_a_block_may_stand_between_blocks_but_in_no_list_code_or_table():
    text = (
        "Intro.\n\n## Title\n\nText. More.\n\n- a\n\n- b\n\nSay:\n\n```\nx\n\ny\n```\n\nAfter.\n\n| a |\n|---|\n| b |\n"
    )
    found = [text[place : place + 5] for place in Layout(text).paragraph_borders]
    assert found == ["## Ti", "- a\n\n", "Say:\n", "After", "| a |"]
    assert [text[place:][:5] for place in Layout(text).sentence_borders] == ["More."]


def test_the_end_is_taken_by_an_open_fence():
    assert Layout("Run:\n\n```\nx\n```").takes_end
    assert not Layout("Run:\n\n```\nx").takes_end
