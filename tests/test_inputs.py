"""Which files the user's words mean."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os

import lz4.frame
import pytest
import zstandard

from humpback.errors import InputError
from humpback.inputs import (
    Compression,
    ExpansionError,
    StreamError,
    compression_of,
    content_digest,
    decompressed,
    expand,
    locate,
    name_of,
    peeked,
    spooled,
)

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


def located(*inputs: str) -> list[str]:
    return [file.name for file in locate(inputs, "corpus")]


def test_all_files_of_a_folder_are_located(tree):
    (tree / "b" / "picture.png").write_bytes(b"")
    assert located("b") == ["b/1.md", "b/2.md", "b/picture.png"]
    assert located("a/*", "b/1.md") == ["a/deep/er/3.MD", "a/x.txt", "b/1.md"]
    with locate(["a/x.txt"], "corpus")[0].open() as file:
        assert file.read() == b"a/x.txt"


@pytest.fixture
def memory():
    import fsspec

    files = fsspec.filesystem("memory")
    files.store.clear()
    for name in ("/data/b.md", "/data/in/a.md", "/data/.hidden.md", "/other.txt"):
        files.pipe_file(name, name.encode())
    yield files
    files.store.clear()


def test_urls_of_files_folders_and_patterns(memory):
    assert located("memory://data") == ["memory:///data/b.md", "memory:///data/in/a.md"]
    assert located("memory://data/*.md", "memory://other.txt") == ["memory:///data/b.md", "memory:///other.txt"]
    file = locate(["memory://other.txt"], "corpus")[0]
    with file.open() as stream:
        assert stream.read() == b"/other.txt"
    digest = content_digest([file])
    memory.pipe_file("/other.txt", b"changed, and longer")
    assert content_digest([file]) != digest
    assert located("https://example.org/a?b=[c]") == ["https://example.org/a?b=[c]"]


def test_chained_urls(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.md", "1")
        archive.writestr("two.txt", "2")
    found = locate([f"zip://*.md::file://{tmp_path}/a.zip"], "corpus")
    assert [file.name for file in found] == [f"zip://one.md::file://{tmp_path}/a.zip"]
    with found[0].open() as stream:
        assert stream.read() == b"1"


def test_addresses_that_lead_nowhere(memory):
    with pytest.raises(InputError, match="nothing is found"):
        located("memory://none")
    with pytest.raises(InputError, match="cannot be read"):
        located("nosuch://a/b")


def test_large_files_are_digested_by_their_ends_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr("humpback.inputs.files.WHOLE_DIGEST_BYTES", 10)
    monkeypatch.setattr("humpback.inputs.files.BLOCK_BYTES", 4)
    path = tmp_path / "large"
    path.write_bytes(b"aaaa" + b"b" * 20 + b"cccc")
    os.utime(path, ns=(1, 1))
    digest = content_digest([path])
    for data, time, same in (
        (b"aaaa" + b"x" * 20 + b"cccc", 1, True),
        (b"aaaa" + b"b" * 20 + b"cccc", 2, False),
        (b"aaax" + b"b" * 20 + b"cccc", 1, False),
        (b"aaaa" + b"b" * 20 + b"cccx", 1, False),
        (b"aaaa" + b"b" * 21 + b"cccc", 1, False),
    ):
        path.write_bytes(data)
        os.utime(path, ns=(time, time))
        assert (content_digest([path]) == digest) is same


def test_of_a_saved_dataset_only_the_rows_are_located(tmp_path):
    for name in ("set/data-00000-of-00001.arrow", "set/state.json", "set/dataset_info.json", "set/cache-1.arrow"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "dataset_dict.json").write_text("{}")
    (tmp_path / "state.json").write_text("{}")
    assert located(str(tmp_path)) == [f"{tmp_path}/state.json", f"{tmp_path}/set/data-00000-of-00001.arrow"]


PACKED = {
    Compression.GZIP: gzip.compress,
    Compression.BZIP2: bz2.compress,
    Compression.XZ: lzma.compress,
    Compression.ZSTD: zstandard.compress,
    Compression.LZ4: lz4.frame.compress,
}


@pytest.mark.parametrize("kind", list(Compression))
def test_streams_are_unpacked_member_after_member(kind):
    data = os.urandom(200_000)
    once = PACKED[kind](data)
    assert compression_of(once[:16]) is kind
    assert decompressed(io.BytesIO(once + once), kind).read() == data + data
    stream = decompressed(io.BytesIO(once[:-50]), kind)
    with pytest.raises(StreamError, match="break off"):
        stream.read()
    with pytest.raises(StreamError):  # a second time too: the end was not reached
        stream.read()
    with pytest.raises(StreamError, match="broken"):
        # bzip2 and xz take what follows for padding, as their tools do; the others have no checksum in the middle.
        checked = kind in {Compression.BZIP2, Compression.XZ}
        broken = once[:999] + b"junk" + once[1003:] if checked else once + b"junk" * 9
        decompressed(io.BytesIO(broken), kind).read()


@pytest.mark.parametrize("kind", list(Compression))
def test_a_bomb_is_stopped(kind, monkeypatch):
    monkeypatch.setattr("humpback.inputs.streams.FREE_BYTES", 1_000_000)
    monkeypatch.setattr("humpback.inputs.streams.MAX_EXPANSION", 150)
    bomb = PACKED[kind](bytes(30_000_000))
    with pytest.raises(ExpansionError, match="times their size"):
        while decompressed(io.BytesIO(bomb), kind).read(1 << 26):
            pass
    prose = b" ".join(b"%d words" % number for number in range(200_000))
    assert decompressed(io.BytesIO(PACKED[kind](prose)), kind).read() == prose


def test_text_that_begins_like_a_magic_number_is_not_compressed():
    assert compression_of(b"BZh is not a word") is None


def test_peeking_and_spooling():
    class Once(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.stream = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            data = self.stream.read(min(3, len(buffer)))
            buffer[: len(data)] = data
            return len(data)

    head, stream = peeked(Once(b"0123456789"), 5)
    assert (head, stream.read()) == (b"01234", b"0123456789")
    copy = spooled(io.BufferedReader(Once(b"0123456789")))
    assert (copy.seek(4), copy.read()) == (4, b"456789")
