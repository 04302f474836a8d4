"""What a stream holds, told by its first bytes; a name only breaks ties between kinds of text."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from humpback.corpus.raw import Form
from humpback.inputs import Compression, compression_of
from humpback.inputs.streams import HEAD_BYTES
from humpback.tables import TableForm
from humpback.tables.delimited import delimiter_of
from humpback.tables.jsons import json_object, row_list
from humpback.tables.read import binary_form


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of files, or of a crawl's records: `zip`, `tar`, `warc` or `arc`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something in which there is no document; `looks` says what it is, as a media type where there is one."""

    looks: str


Kind = Form | TableForm | Compression | Archive | Foreign

ZIP = Archive("zip")
TAR = Archive("tar")
WARC = Archive("warc")
ARC = Archive("arc")

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"})
TEXT_SUFFIXES = frozenset({".txt", ".text", ".rst", ".wet", ".log", ".tex", ".org", ".adoc"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xht", ".shtml"})
_CODE_SUFFIXES = (
    ".asm .bat .c .cc .cfg .clj .cmake .conf .cpp .cs .css .cxx .d .dart .diff .el .ex .f90 .gemspec .go .gradle .h "
    ".hpp .hs .ini .ipynb .java .jl .js .json5 .jsx .kt .less .lisp .lock .lua .m .map .mjs .ml .patch .php .pl .pm "
    ".po .pot .properties .ps1 .py .pyi .r .rb .rs .s .scala .scm .scss .sh .sql .svg .swift .tcl .tf .toml .ts .tsx "
    ".v .vb .vim .vue .xml .xsd .xsl .yaml .yml .zig"
)
CODE_SUFFIXES = frozenset(_CODE_SUFFIXES.split())
"""Names of text that is program source, settings or styles (ours: the languages on forges that are most common)."""

_MEDIA = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"FLV\x01", "video/x-flv"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"OTTO", "font/otf"),
    (b"\x00\x01\x00\x00\x00", "font/ttf"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x9d", "application/x-compress"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage (an old Office file)"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"\x00asm", "application/wasm"),
    (b"!<arch>\n", "application/x-archive"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MAX_CONTROL = 0.02
"""Largest share of control characters in text (ours: encodings of text have none, binary data a tenth)."""

_WARC = re.compile(rb"\s*WARC/[01]\.\d+\r*\n")
_ARC = re.compile(rb"filedesc://\S+ \S+ \d{8,18} \S+ \S+\r?\n")

_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|frameset)\b", re.IGNORECASE)
_FRAGMENT = re.compile(
    rb"<(?:!--|h[1-6]|p|div|span|a|table|ul|ol|dl|img|br|article|section|main|nav|header|center|font|b|i|em|strong"
    rb"|pre|blockquote|script|style|link|base|form|hr)[\s/>]",
    re.IGNORECASE,
)
_CLOSING = re.compile(rb"</(?:p|div|a|li|td|h[1-6]|span|script|body|html|b|i|em|strong|title)\s*>", re.IGNORECASE)
_XML = re.compile(rb"<(?:\?xml\b|!DOCTYPE\s+(?!html)\w|svg\b|rss\b|feed\b|urlset\b)", re.IGNORECASE)
_NAMESPACE = re.compile(rb"<[\w:.-]+\s[^<>]{0,2000}?\bxmlns(?::\w+)?\s*=")
_MARKDOWN = re.compile(
    rb"^(?:#{1,6} \S|```|~~~|[ \t]*[-*] \[[ x]\] |[^\n]*?\]\([^\s()]+\)|(?:===+|---+)[ \t]*$)", re.MULTILINE
)
_FRONT_MATTER = re.compile(rb"---[ \t]*\r?\n[\w-]+:")
_FIELD_NAME = re.compile(r"[\w.\- ]{1,40}")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def sniff(head: bytes, name: str) -> Kind:
    """What a stream that begins with `head` (some 8 KiB) holds."""
    if not head:
        return Foreign("empty")
    binary = _binary(head)
    if binary is not None:
        return binary
    suffix = PurePosixPath(name).suffix.lower()
    head = _without_mark(head)
    if _CONTROL.search(head) and len(_CONTROL.findall(head)) > MAX_CONTROL * len(head):
        return Foreign("binary data")
    return _text(head, suffix)


def looks_like_page(head: bytes) -> bool:
    """Whether text begins as an HTML page does: with a document type, `<html>`, or an element of its head."""
    start = _after_prologue(head)
    return _PAGE.match(head, start) is not None


def looks_like_fragment(head: bytes) -> bool:
    """Whether text begins as a page or a piece of one, and has closing tags."""
    start = _after_prologue(head)
    if _PAGE.match(head, start):
        return True
    return _FRAGMENT.match(head, start) is not None and _CLOSING.search(head) is not None


def _binary(head: bytes) -> Kind | None:
    compression = compression_of(head)
    if compression is not None:
        return compression
    table = binary_form(head)
    if table is not None:
        return table
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")):
        return ZIP
    if _is_tar(head):
        return TAR
    if head.lstrip(b"\xef\xbb\xbf\0 \t\r\n").startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and b" obj" in head):
        return Form.PDF
    if _WARC.match(head):
        return WARC
    if _ARC.match(head):
        return ARC
    return _media(head)


def _media(head: bytes) -> Foreign | None:
    if head.startswith(b"RIFF"):
        return Foreign(_RIFF.get(head[8:12], "RIFF media"))
    if head[4:8] == b"ftyp":
        return Foreign("video/mp4")
    looks = next((looks for magic, looks in _MEDIA if head.startswith(magic)), None)
    if looks in {"application/x-msdownload", "audio/mpeg"} and b"\0" not in head:
        return None  # text may begin with these letters
    return Foreign(looks) if looks else None


def _is_tar(head: bytes) -> bool:
    """Whether the first block is a tar header, by its checksum, which old tars without a magic number have too."""
    block = head[:512]
    if len(block) < 512 or b"\0" not in block:
        return False
    try:
        stated = int(block[148:156].rstrip(b"\0 ").lstrip(b" ") or b"-", 8)
    except ValueError:
        return False
    return stated == sum(block[:148]) + 8 * ord(" ") + sum(block[156:])


def _without_mark(head: bytes) -> bytes:
    """`head` as UTF-8 without a byte order mark, where it has one of UTF-16 or UTF-8."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            even = head[: len(head) // 2 * 2] if encoding == "utf-16" else head
            return even.decode(encoding, "replace").encode("utf-8", "replace")
    if head[:2] in {b"<\0", b"\0<"}:  # UTF-16 without a mark
        return head.replace(b"\0", b"")
    return head


def _text(head: bytes, suffix: str) -> Kind:
    start = _after_prologue(head)
    if suffix not in MARKDOWN_SUFFIXES and (_PAGE.match(head, start) or _late_page(head, suffix)):
        return Form.HTML
    if _XML.match(head.lstrip()) or (_NAMESPACE.match(head, start) and not _FRAGMENT.match(head, start)):
        late = suffix in HTML_SUFFIXES or re.search(rb"<html[\s>]", head, re.IGNORECASE)
        return Form.HTML if late else Foreign("application/xml")
    rows = _text_table(head, suffix)
    if rows is not None:
        return rows
    if suffix in MARKDOWN_SUFFIXES:
        return Form.MARKDOWN
    if suffix in HTML_SUFFIXES:
        return Form.HTML if b"<" in head else Form.TEXT
    if suffix in CODE_SUFFIXES or head.startswith(b"#!"):
        return Foreign(f"source code or settings ({suffix or 'a script'})")
    if suffix in TEXT_SUFFIXES:
        return Form.TEXT
    if looks_like_fragment(head):
        return Form.HTML
    return Form.MARKDOWN if looks_like_markdown(head) else Form.TEXT


def looks_like_markdown(head: bytes) -> bool:
    """Whether a text opens with front matter, or has more than one mark that only Markdown has."""
    return len(_MARKDOWN.findall(head)) > 1 or _FRONT_MATTER.match(head) is not None


def _late_page(head: bytes, suffix: str) -> bool:
    """Whether a page begins after something that does not belong before it, such as a server's warning."""
    if suffix in TEXT_SUFFIXES | CODE_SUFFIXES:
        return False
    found = re.search(rb"<!doctype\s+html|<html[\s>]", head, re.IGNORECASE)
    return found is not None and b"```" not in head[: found.start()] and head.lstrip()[:1] not in b"{["


def _after_prologue(head: bytes) -> int:
    """Where the text starts after blanks, an XML declaration and comments."""
    at = 0
    for _ in range(20):  # ours: more comments than any page has before its first tag
        while at < len(head) and head[at] in b" \t\r\n\x0c\xef\xbb\xbf":
            at += 1
        if head.startswith(b"<!--", at):
            end, step = head.find(b"-->", at), 3
        elif head.startswith(b"<?", at):
            end, step = head.find(b">", at), 1
        else:
            return at
        if end < 0:
            return at
        at = end + step
    return at


def _text_table(head: bytes, suffix: str) -> TableForm | None:
    first = head.lstrip(b" \t\r\n\xef\xbb\xbf")[:40]
    if suffix in {".jsonl", ".ndjson"} and first[:1] in b"{[":
        return TableForm.JSONL
    if re.match(rb'\{\s*["}]', first) or re.match(rb"\[\s*\{\s*[\"}]", first) or suffix == ".json":
        return _json_form(head, suffix)
    if suffix in CODE_SUFFIXES:
        return None
    if suffix in {".jsonl", ".ndjson"} or _later_objects(head):
        return TableForm.JSONL
    if suffix in {".csv", ".tsv", ".tab"}:
        return TableForm.CSV if suffix == ".csv" else TableForm.TSV
    return _delimited(head) if suffix not in MARKDOWN_SUFFIXES | HTML_SUFFIXES else None


def _json_form(head: bytes, suffix: str) -> TableForm:
    """JSONL where most lines are objects of their own; one line is that too, unless it is a list's container."""
    lines = [line for line in head.split(b"\n") if line.strip(b" \t\r\xef\xbb\xbf")]
    if len(lines) > 1:
        objects = sum(isinstance(json_object(line), dict) for line in lines[:-1])
        return TableForm.JSONL if objects * 2 >= len(lines) - 1 else TableForm.JSON
    if suffix == ".json" or not lines or lines[0].lstrip(b" \t\r\xef\xbb\xbf").startswith(b"["):
        return TableForm.JSON
    value = json_object(lines[0])
    alone = isinstance(value, dict) and len(value) == 1 and row_list(value) is not None
    return TableForm.JSON if alone else TableForm.JSONL


def _later_objects(head: bytes) -> bool:
    """Whether most whole lines are JSON objects, though the first is not."""
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()]
    objects = sum(line.lstrip().startswith(b'{"') and isinstance(json_object(line), dict) for line in lines)
    return objects > 0 and objects * 2 >= len(lines)


def _delimited(head: bytes) -> TableForm | None:
    """CSV or TSV where the header has names and every row seen as many fields."""
    text = head.decode("utf-8", "replace")
    line = text.partition("\n")[0]
    delimiter = delimiter_of(line)
    if delimiter not in line:
        return None
    names = [name.strip().strip('"') for name in line.strip().split(delimiter)]
    if len(set(names)) < len(names) or not all(_FIELD_NAME.fullmatch(name) for name in names):
        return None
    if not all(name[:1].isalpha() or name[:1] == "_" for name in names) or " " in "".join(names).replace("_", ""):
        return None
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return None
    if len(head) >= HEAD_BYTES:
        rows.pop()  # it may go on
    if len(rows) < 2 or any(len(row) != len(names) for row in rows if row):
        return None
    return TableForm.TSV if delimiter == "\t" else TableForm.CSV
