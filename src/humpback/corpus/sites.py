"""Which site an address belongs to, and the sites that a run was asked to leave out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from humpback.workspace import TAKEDOWN_FILE

_HOST = re.compile(r"(?=.{1,253}\Z)[\w-]{1,63}(?:\.[\w-]{1,63})+")


def site_of(domain: str) -> str | None:
    """The host name as addresses write it (lower case, without `www.`), or None where it is none."""
    try:
        host = (urlsplit(domain).hostname or "") if "://" in domain else domain.strip().lower()
        host = host.rstrip(".").encode("idna").decode("ascii")
    except (UnicodeError, ValueError):
        return None
    host = host.removeprefix("www.")
    return host if _HOST.fullmatch(host) else None


def is_of_site(uri: str, site: str) -> bool:
    """Whether the web address `uri` is on the host `site` or one below it."""
    try:
        host = urlsplit(uri).hostname or "" if "://" in uri else ""
        host = host.rstrip(".").encode("idna").decode("ascii")
    except (UnicodeError, ValueError):
        return False
    return host == site or host.endswith("." + site)


def taken_down(run: Path) -> list[str]:
    """The sites that were taken out of the run in folder `run`."""
    try:
        requests = json.loads((run / TAKEDOWN_FILE).read_text(encoding="utf-8"))["requests"]
    except FileNotFoundError:
        return []
    return sorted({str(request["domain"]) for request in requests})
