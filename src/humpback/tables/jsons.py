"""Rows of JSONL, and of JSON that holds a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from humpback.errors import InputError
from humpback.tables.rows import KEPT_CHARS, BrokenRow, Row, has_lone_surrogate, too_large_row

BLANK = b"\xef\xbb\xbf \t\r\n"
BLOCK_BYTES = 1 << 16
"""Bytes of a list read at once (ours)."""

ROW_LISTS = frozenset({"messages", "conversations", "conversation", "instances", "replies"})
"""Lists of objects that belong to one row, and so do not make a single line of JSONL a container of rows."""

MAX_WHOLE_BYTES = 256 << 20
"""Largest JSON object that is read: unlike a list it cannot be read row by row (ours: question sets have 50 MB)."""

_STRUCTURE = re.compile(rb'["\\\[\]{},]')


def jsonl_rows(stream: BinaryIO, max_row_bytes: int | None) -> Iterator[Row | BrokenRow]:
    """Yields the rows, one line each; blank lines count but are no rows."""
    longest = -1 if max_row_bytes is None else max_row_bytes + 1
    number = 0
    while line := stream.readline(longest):
        number += 1
        if max_row_bytes is not None and len(line) > max_row_bytes and not line.endswith(b"\n"):
            yield too_large_row(number, max_row_bytes, line[:KEPT_CHARS].decode("utf-8", "replace"))
            while (rest := stream.readline(BLOCK_BYTES)) and not rest.endswith(b"\n"):
                pass
        elif line.strip(BLANK):
            parsed = json_object(line)
            if isinstance(parsed, str):
                yield BrokenRow(number, parsed, line.decode("utf-8", "replace").rstrip("\r\n"))
            else:
                yield Row(number, parsed)


def json_rows(stream: BinaryIO, name: str, max_row_bytes: int | None) -> Iterator[Row | BrokenRow]:
    """Yields the objects of the list that the stream holds: a list is read piece by piece, an object with a list in
    it whole.

    Raises:
        InputError: it is no valid JSON, holds no rows, or is an object of more than `MAX_WHOLE_BYTES`.
    """
    first = b""
    head = b""
    while not first and (block := stream.read(BLOCK_BYTES)):
        head += block
        first = head.lstrip(BLANK)[:1]
    if first == b"[":
        yield from _list_rows(stream, head.lstrip(BLANK)[1:], name, max_row_bytes)
        return
    data = head + stream.read(MAX_WHOLE_BYTES)
    if len(data) > MAX_WHOLE_BYTES:
        raise InputError(f"{name}: a JSON object of more than {MAX_WHOLE_BYTES >> 20} MiB. Convert it to JSONL.")
    for number, item in enumerate(_items(name, _whole(name, data)), start=1):
        text = json.dumps(item) if not isinstance(item, dict) or _lone(item) else ""
        checked = _checked(item, text)
        yield BrokenRow(number, checked, text) if isinstance(checked, str) else Row(number, checked)


def json_object(line: bytes) -> dict[str, Any] | str:
    """The JSON object on `line`, or what is wrong with it."""
    try:
        text = line.decode("utf-8-sig")
        value = json.loads(text)
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start + 1} of the line)"
    except json.JSONDecodeError as error:
        return f"not valid JSON ({error.msg} at character {error.colno})"
    except RecursionError:
        return "not valid JSON (nested too deeply)"
    except ValueError:
        return "not valid JSON (a number is too long)"
    return _checked(value, text)


def row_list(value: dict[str, Any]) -> list[Any] | None:
    """The one list of objects in a JSON object, or None when there is none, or more than one."""
    lists = [
        items
        for name, items in value.items()
        if isinstance(items, list) and items and isinstance(items[0], dict) and name.lower() not in ROW_LISTS
    ]
    return lists[0] if len(lists) == 1 else None


def _checked(value: object, text: str) -> dict[str, Any] | str:
    if not isinstance(value, dict):
        return f"not a JSON object but {_kind(value)}"
    if re.search(r"\\u[dD][89a-fA-F]", text) and has_lone_surrogate(json.dumps(value, ensure_ascii=False)):
        return "holds half a character (a lone UTF-16 surrogate)"
    return value


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "an object")


def _lone(item: dict[str, Any]) -> bool:
    return has_lone_surrogate(json.dumps(item, ensure_ascii=False))


def _whole(name: str, data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name}: not valid JSON: {error.msg} at line {error.lineno}, character {error.colno}. Mend it there."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 at byte {error.start}. Save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not valid JSON: nested too deeply, or with too long a number. Mend it.") from error


def _items(name: str, value: object) -> list[Any]:
    if isinstance(value, dict):
        rows = row_list(value)
        return [value] if rows is None else rows
    raise InputError(f"{name}: the JSON is {_kind(value)}. It must be a list of objects, or hold one.")


def _list_rows(stream: BinaryIO, block: bytes, name: str, max_row_bytes: int | None) -> Iterator[Row | BrokenRow]:
    splitter = _ListSplitter(max_row_bytes)
    number = 0
    block = block or stream.read(BLOCK_BYTES)
    while block and not splitter.closed:
        for item, complete in splitter.feed(block):
            number += 1
            if not complete:
                assert max_row_bytes is not None
                yield too_large_row(number, max_row_bytes, item[:KEPT_CHARS].decode("utf-8", "replace"))
                continue
            parsed = json_object(item)
            if isinstance(parsed, str):
                yield BrokenRow(number, parsed, item.decode("utf-8", "replace"))
            else:
                yield Row(number, parsed)
        block = stream.read(BLOCK_BYTES)
    if not splitter.closed:
        raise InputError(f"{name}: not valid JSON: the list is not closed; it breaks off after item {number}. Mend it.")


class _ListSplitter:
    """Cuts the inside of a JSON list into its items by brackets and strings alone, in pieces as they come."""

    def __init__(self, limit: int | None) -> None:
        self.closed = False
        self._limit = limit
        self._item = bytearray()
        self._cut = False
        self._depth = 0
        self._in_string = False
        self._escaped = -1  # position in the block of a character that a backslash precedes; -1: none

    def feed(self, block: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yields the items that end in `block`, each with whether all of it is there."""
        start = 0
        escaped = self._escaped
        for match in _STRUCTURE.finditer(block):
            at, sign = match.start(), match.group()
            if at == escaped:
                continue
            if self._in_string:
                if sign == b"\\":
                    escaped = at + 1
                elif sign == b'"':
                    self._in_string = False
            elif sign == b'"':
                self._in_string = True
            elif sign in b"[{":
                self._depth += 1
            elif (sign == b"," and self._depth == 0) or (sign == b"]" and self._depth <= 0):
                self._keep(block[start:at])
                start = at + 1
                if sign == b"]":
                    self.closed = True
                if self._item.strip(BLANK) or sign == b",":
                    yield bytes(self._item).strip(BLANK), not self._cut
                self._item, self._cut = bytearray(), False
                if self.closed:
                    return
            elif sign in b"]}":
                self._depth -= 1
        self._escaped = 0 if escaped == len(block) else -1
        self._keep(block[start:])

    def _keep(self, piece: bytes) -> None:
        if self._limit is not None and len(self._item) + len(piece) > self._limit:
            piece = piece[: max(0, KEPT_CHARS - len(self._item))]
            self._cut = True
        self._item += piece
