"""Documents reach no file but themselves, and what a folder of them links to stays where it is."""

from __future__ import annotations

import io
import logging
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from humpback.config import IngestConfig
from humpback.corpus import RawDocument, read_documents, whole_document
from humpback.corpus.raw import Form
from humpback.inputs import expand, locate
from humpback.records import Document, Source

PRIVATE = "a private note that nobody else may read"
OUTSIDE = ["../evil.md", "../../evil.md", "/tmp/humpback-evil.md", "a/../../evil.md", "C:\\evil.md", "~/evil.md"]


@pytest.fixture
def private(tmp_path) -> Path:
    file = tmp_path / "home" / "note.md"
    file.parent.mkdir()
    file.write_text(PRIVATE)
    return file


def packed(kind: str, names: list[str]) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, f"# {name}")
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(f"# {name}")
            archive.addfile(info, io.BytesIO(f"# {name}".encode()))
    return file.getvalue()


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_with_paths_that_lead_out_are_read_and_written_nowhere(tmp_path, monkeypatch, kind):
    work = tmp_path / "deep" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(tmp_path))
    (work / f"x.{kind}").write_bytes(packed(kind, OUTSIDE))
    before = everything_below(tmp_path)
    found = [one for one in read_documents([str(work / f"x.{kind}")], IngestConfig()) if isinstance(one, RawDocument)]
    assert sorted(one.data.decode() for one in found) == sorted(f"# {name}" for name in OUTSIDE)
    assert everything_below(tmp_path) == before
    assert not Path("/tmp/humpback-evil.md").exists()


@pytest.mark.parametrize("given", ["corpus", "corpus/**/*.md", "corpus/*"])
def test_links_out_of_a_folder_are_left_out_and_counted(tmp_path, monkeypatch, caplog, private, given):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "corpus"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "own.md").write_text("own")
    (folder / "inner" / "again.md").symlink_to(folder / "inner" / "own.md")
    (folder / "stolen.md").symlink_to(private)
    (folder / "relative.md").symlink_to(Path("..") / "home" / "note.md")
    (folder / "whole").symlink_to(private.parent)
    with caplog.at_level(logging.WARNING):
        found = expand([given], "corpus", None)
    assert {os.path.realpath(file) for file in found} == {os.path.realpath(folder / "inner" / "own.md")}
    assert "links that lead out of it are left out" in caplog.text
    assert [file.name for file in locate(["corpus/stolen.md"], "corpus")] == ["corpus/stolen.md"]  # named outright


def test_a_folder_that_is_a_link_itself_and_the_hubs_cache_are_read(tmp_path):
    content = tmp_path / "datasets--a--b" / "blobs" / "0123"
    rows = tmp_path / "datasets--a--b" / "snapshots" / "main" / "data" / "rows.jsonl"
    for file in (content, rows):
        file.parent.mkdir(parents=True)
    content.write_text("{}")
    rows.symlink_to(content)
    assert expand([str(rows.parents[1])], "corpus", None) == [rows]
    (tmp_path / "short").symlink_to(tmp_path / "datasets--a--b")
    assert len(expand([str(tmp_path / "short")], "corpus", None)) == 1  # the row's file once, by either name


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(body: str, doctype: str = "", relations: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        target = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{RELATIONS}">{target}</Relationships>')
        archive.writestr(
            "word/_rels/document.xml.rels", f'<Relationships xmlns="{RELATIONS}">{relations}</Relationships>'
        )
        archive.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{doctype}<w:document xmlns:w="{WORD}" xmlns:r="{OFFICE}"><w:body>{body}</w:body>'
            "</w:document>",
        )
    return file.getvalue()


def paragraph(content: str) -> str:
    return f"<w:p><w:r><w:t>A paragraph of ordinary words that says nothing special. {content}</w:t></w:r></w:p>"


def text_of(data: bytes) -> str:
    found = whole_document(RawDocument(data, Form.DOCX, Source("here"), ""))
    return found.text if isinstance(found, Document) else str(found.detail)


def test_a_document_names_no_file_of_this_machine(private):
    pytest.importorskip("mammoth")
    assert "nothing special" in text_of(docx(paragraph("")))
    entity = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{private.as_uri()}">]>'
    assert PRIVATE not in text_of(docx(paragraph("&x;"), entity))
    link = f'<Relationship Id="i" Type="{OFFICE}/image" Target="{private.as_uri()}" TargetMode="External"/>'
    picture = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
        ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphic><a:graphicData>'
        '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>'
        '<a:blip r:link="i"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>'
    )
    found = text_of(docx(paragraph("") + picture, relations=link))
    assert "nothing special" in found
    assert PRIVATE not in found


def test_entities_that_multiply_are_refused():
    pytest.importorskip("mammoth")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    found = text_of(docx(paragraph("&l11;"), f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'))
    assert "broken DOCX" in found


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['touch SPRUNG']", "!!python/name:os.system"])
def test_yaml_at_the_head_of_a_document_makes_no_objects(tmp_path, tag):
    sprung = tmp_path / "sprung"
    text = f"---\ntitle: {tag.replace('SPRUNG', str(sprung))}\nlicense: CC0\n---\n# a\n"
    found = whole_document(RawDocument(text, Form.MARKDOWN, Source("here"), ""))
    assert isinstance(found, Document)
    assert found.title in ("", tag.replace("SPRUNG", str(sprung)))  # text at most
    assert not sprung.exists()
