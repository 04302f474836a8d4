"""Which files the user's words mean."""

from __future__ import annotations

import os

import pytest

from humpback.errors import InputError
from humpback.inputs import content_digest, expand, name_of

MARKDOWN = frozenset({".md"})


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b/2.md", "b/1.md", "a/deep/er/3.MD", "a/x.txt", ".hidden/4.md", "a/.5.md", "top.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs: str) -> list[str]:
    return [str(path) for path in expand(inputs, "corpus", MARKDOWN)]


def test_folders_are_read_whole_and_in_order(tree):
    assert names(".") == ["top.md", "a/deep/er/3.MD", "b/1.md", "b/2.md"]
    assert names("b", "a") == ["b/1.md", "b/2.md", "a/deep/er/3.MD"]


def test_globs(tree):
    assert names("**/*.md") == ["b/1.md", "b/2.md", "top.md"]
    assert names("a/**") == ["a/deep/er/3.MD"]
    assert names("[ab]") == ["a/deep/er/3.MD", "b/1.md", "b/2.md"]
    assert names(f"{tree}/b/?.md") == [f"{tree}/b/1.md", f"{tree}/b/2.md"]


def test_a_file_named_outright_may_have_any_suffix_and_each_stands_once(tree):
    assert names("a/x.txt", "b/2.md", "b", "./b/../b/1.md") == ["a/x.txt", "b/2.md", "b/1.md"]


def test_a_name_with_magic_signs_is_a_name_when_there_is_such_a_file(tree):
    (tree / "n[1].md").write_text("")
    assert names("n[1].md") == ["n[1].md"]


@pytest.mark.parametrize("value", ["none.md", "*.pdf", "a/**/*.html", "x" * 5000, "a\0b", ""])
def test_nothing_found_names_option_value_and_remedy(tree, value):
    if value == "":
        (tree / "empty").mkdir()
        value = "empty"
    with pytest.raises(InputError, match=r"^seed: ") as caught:
        expand([value], "seed", MARKDOWN)
    assert value[:10].replace("\0", "\\x00") in str(caught.value)
    assert len(str(caught.value)) < 6000


def test_a_link_to_the_folder_itself_ends(tree):
    (tree / "b" / "loop").symlink_to(tree)
    assert names("b") == ["b/1.md", "b/2.md"]


def test_digest_depends_on_names_contents_and_order(tree):
    first, second = expand(["b"], "corpus", MARKDOWN)
    digest = content_digest([first, second])
    assert digest == content_digest([first, second])
    assert len({digest, content_digest([second, first]), content_digest([first])}) == 3
    first.write_text("changed")
    assert content_digest([first, second]) != digest
    with pytest.raises(InputError, match="no such file"):
        content_digest([tree / "none"])


def test_names_that_are_not_utf8_can_be_written(tree):
    path = os.fsencode(tree) + b"/\xff.md"
    with open(path, "wb"):  # noqa: PTH123 - a name in bytes
        pass
    found = [path for path in expand(["."], "corpus", MARKDOWN) if "\ufffd" in name_of(path)]
    assert len(found) == 1
